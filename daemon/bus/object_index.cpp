#include "daemon/bus/object_index.hpp"

#include <optional>

#include "base/log.hpp"
#include "base/object_path.hpp"
#include "daemon/bus/words.hpp"
#include "daemon/domain/project.hpp"

namespace berth::bus {
namespace {

std::string text_field(const Document& document, const std::string& field) {
  const auto found = document.find(field);
  const auto* text = found == document.end() ? nullptr : std::get_if<std::string>(&found->second.value);
  return text == nullptr ? std::string() : *text;
}

void log_unread(const char* what, const Error& error) {
  log::warning(std::string("cannot list the ") + what + " for the object tree: " + error.message);
}

}  // namespace

ObjectIndex::ObjectIndex(EventLoop& loop, services::WorkerPool& workers, UseCases use_cases)
    : loop_(loop), workers_(workers), use_cases_(use_cases), projects_{default_project()} {}

void ObjectIndex::load(std::function<void()> then) {
  loaded_.push_back(std::move(then));
  stale_.instances = stale_.images = stale_.profiles = stale_.pools = stale_.projects = true;
  refresh();
}

void ObjectIndex::note(const services::Event& event) {
  if (event.type != "lifecycle" || is_user_project(event.project)) return;
  const auto action = text_field(event.metadata, "action");
  const auto kind = text_field(event.metadata, "kind");
  // What of it comes and goes says no event of its own: a profile that is made with it, images that are shared from now on.
  if (kind == "project") stale_.projects = stale_.images = stale_.profiles = true;
  if (kind == "instance") {
    auto name = InstanceName::parse(text_field(event.metadata, "name"));
    if (name && action != "instance-renamed") {
      stale_.one.emplace(event.project, *std::move(name));
    } else {
      stale_.instances = true;
    }
  }
  if (kind == "image") stale_.images = true;
  if (kind == "profile") stale_.profiles = true;
  if (kind == "storage-pool") stale_.pools = true;
  refresh();
}

void ObjectIndex::refresh() {
  if (closed_ || reading_ || !stale_.any()) return;
  reading_ = true;
  workers_.submit([this, stale = std::exchange(stale_, {}), projects = projects_] {
    auto fresh = read(stale, projects);
    (void)loop_.post([this, fresh = std::move(fresh)] { take(fresh); });
  });
}

ObjectIndex::Fresh ObjectIndex::read(const Stale& stale, std::set<ProjectName> projects) const {
  const auto daemon = daemon_principal();
  Fresh fresh;
  if (stale.projects) read_projects(fresh, projects);
  if (stale.instances) {
    if (auto rows = use_cases_.query.list(daemon, std::nullopt)) {
      fresh.instances.emplace();
      for (const auto& row : *rows)
        if (!is_user_project(row.project))
          fresh.instances->emplace(instance_path(row.project, row.name), lower_case(status_word(row.status)));
    } else {
      log_unread("instances", rows.error());
    }
  }
  for (const auto& [project, name] : stale.one) {
    auto row = use_cases_.query.row(daemon, project, name);
    if (row) {
      fresh.one[instance_path(project, name)] = lower_case(status_word(row->status));
    } else if (row.error().code == Code::NotFound) {
      fresh.one[instance_path(project, name)] = std::nullopt;
    } else {
      log_unread("instances", row.error());
    }
  }
  if (stale.images) {
    fresh.images.emplace();
    for (const auto& project : projects) {
      auto rows = use_cases_.images.list(daemon, project);
      if (!rows) log_unread("images", rows.error());
      if (rows)
        for (const auto& row : *rows) fresh.images->insert(image_path(project, row.fingerprint));
    }
  }
  if (stale.profiles) {
    fresh.profiles.emplace();
    for (const auto& project : projects) {
      auto rows = use_cases_.profiles.list(daemon, project);
      if (!rows) log_unread("profiles", rows.error());
      if (rows)
        for (const auto& row : *rows) fresh.profiles->insert(profile_path(project, row.name));
    }
  }
  if (stale.pools) {
    if (auto rows = use_cases_.server.pools(daemon)) {
      fresh.pools.emplace();
      for (const auto& row : *rows) fresh.pools->emplace(storage_pool_path(row.name), row.driver);
    } else {
      log_unread("storage pools", rows.error());
    }
  }
  return fresh;
}

void ObjectIndex::read_projects(Fresh& fresh, std::set<ProjectName>& projects) const {
  const auto rows = use_cases_.projects.list(daemon_principal());
  if (!rows) return log_unread("projects", rows.error());
  projects.clear();
  for (const auto& row : *rows)
    if (!is_user_project(row.name)) projects.insert(row.name);
  fresh.projects = projects;
}

void ObjectIndex::take(Fresh fresh) {
  reading_ = false;
  if (fresh.projects) {
    projects_ = *std::move(fresh.projects);
    project_paths_.clear();
    for (const auto& project : projects_) project_paths_.insert(project_path(project));
  }
  if (fresh.instances) set_instances(*std::move(fresh.instances));
  for (const auto& [path, status] : fresh.one) {
    if (!status) {
      instances_.erase(path);
      continue;
    }
    const auto [place, is_new] = instances_.try_emplace(path, *status);
    if (is_new || place->second == *status) continue;
    place->second = *status;
    if (status_changed_) status_changed_(path);
  }
  if (fresh.images) images_ = *std::move(fresh.images);
  if (fresh.profiles) profiles_ = *std::move(fresh.profiles);
  if (fresh.pools) pools_ = *std::move(fresh.pools);
  for (const auto& then : std::exchange(loaded_, {})) then();
  refresh();  // what became stale meanwhile
}

void ObjectIndex::set_instances(Texts fresh) {
  const auto old = std::exchange(instances_, std::move(fresh));
  if (!status_changed_) return;
  for (const auto& [path, status] : instances_) {
    const auto before = old.find(path);
    if (before != old.end() && before->second != status) status_changed_(path);
  }
}

const std::string* ObjectIndex::instance_status(std::string_view path) const {
  const auto found = instances_.find(path);
  return found == instances_.end() ? nullptr : &found->second;
}

const std::string* ObjectIndex::pool_driver(std::string_view path) const {
  const auto found = pools_.find(path);
  return found == pools_.end() ? nullptr : &found->second;
}

std::vector<std::string> ObjectIndex::paths_in_projects() const {
  std::vector<std::string> paths;
  paths.reserve(instances_.size() + images_.size() + profiles_.size() + project_paths_.size());
  paths.insert(paths.end(), project_paths_.begin(), project_paths_.end());
  for (const auto& [path, status] : instances_) paths.push_back(path);
  paths.insert(paths.end(), images_.begin(), images_.end());
  paths.insert(paths.end(), profiles_.begin(), profiles_.end());
  return paths;
}

std::vector<std::string> ObjectIndex::pool_paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, driver] : pools_) paths.push_back(path);
  return paths;
}

}  // namespace berth::bus
