#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/bus/event_loop.hpp"
#include "daemon/bus/use_cases.hpp"
#include "daemon/services/events.hpp"
#include "daemon/services/worker_pool.hpp"

namespace berth::bus {

/// What every local user may see without a check, kept in memory so that the loop thread can answer properties and
/// introspection without touching the database: which objects there are, and each instance's status. Objects of `user-*`
/// projects are not in it. Read from the services by workers: everything at start, later what lifecycle events name; so it is
/// always a copy of the truth, at most one event behind. Method calls never depend on it. Loop thread only.
class ObjectIndex {
 public:
  ObjectIndex(EventLoop& loop, services::WorkerPool& workers, UseCases use_cases);

  /// Reads everything on a worker; `then` comes on the loop.
  void load(std::function<void()> then);
  /// A lifecycle event has come.
  void note(const services::Event& event);
  /// Reads nothing more: the daemon is ending, and its workers with it.
  void close() { closed_ = true; }
  /// Called with an instance's path when its status is another one.
  void on_status_changed(std::function<void(const std::string& path)> listener) { status_changed_ = std::move(listener); }

  /// Lower-case status word; nullptr when there is no such instance.
  const std::string* instance_status(std::string_view path) const;
  bool has_image(std::string_view path) const { return images_.find(path) != images_.end(); }
  bool has_project(std::string_view path) const { return project_paths_.find(path) != project_paths_.end(); }
  bool has_profile(std::string_view path) const { return profiles_.find(path) != profiles_.end(); }
  /// The driver; nullptr when there is no such pool.
  const std::string* pool_driver(std::string_view path) const;
  std::vector<std::string> paths_in_projects() const;
  std::vector<std::string> pool_paths() const;

 private:
  using Texts = std::map<std::string, std::string, std::less<>>;
  using Paths = std::set<std::string, std::less<>>;
  /// What has to be read again.
  struct Stale {
    bool instances = false, images = false, profiles = false, pools = false, projects = false;
    std::set<std::pair<ProjectName, InstanceName>> one;
    bool any() const { return instances || images || profiles || pools || projects || !one.empty(); }
  };
  /// What a worker read. A list that could not be read is absent and leaves the old one.
  struct Fresh {
    std::optional<Texts> instances, pools;
    std::optional<Paths> images, profiles;
    std::optional<std::set<ProjectName>> projects;
    std::map<std::string, std::optional<std::string>> one;  ///< path to status; none = gone
  };
  void refresh();
  Fresh read(const Stale& stale, std::set<ProjectName> projects) const;
  void read_projects(Fresh& fresh, std::set<ProjectName>& projects) const;
  void take(Fresh fresh);
  void set_instances(Texts fresh);

  EventLoop& loop_;
  services::WorkerPool& workers_;
  const UseCases use_cases_;
  std::function<void(const std::string&)> status_changed_;
  std::vector<std::function<void()>> loaded_;
  std::set<ProjectName> projects_;
  Stale stale_;
  bool reading_ = false;
  bool closed_ = false;
  Texts instances_, pools_;
  Paths images_, profiles_, project_paths_;
};

}  // namespace berth::bus
