#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/adapters/lxc/host_facts.hpp"
#include "daemon/adapters/lxc/runtime.hpp"
#include "daemon/adapters/process/process_units.hpp"
#include "daemon/domain/lxc_config.hpp"
#include "tests/system/busybox_image.hpp"

namespace berth::testing {

using namespace std::chrono_literals;

/// What the runtime reported, to be waited for.
class Reports {
 public:
  void exited(const Uuid& uuid, ExitReport report);
  void finished(const Uuid& exec, int code);
  /// The next report of this container's end; nullopt after the deadline.
  std::optional<ExitReport> wait_exit(const Uuid& uuid, std::chrono::seconds limit = 20s);
  std::optional<int> wait_code(const Uuid& exec, std::chrono::seconds limit = 20s);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<Uuid, ExitReport> exits_;
  std::map<Uuid, int> codes_;
};

enum class Root { Overlay, Plain };
enum class Rights { Unprivileged, Privileged };

/// One container of a test.
struct Guest {
  Uuid uuid = new_uuid();
  InstanceName name = *InstanceName::parse("guest");
  Root root = Root::Overlay;
  Rights rights = Rights::Unprivileged;
  ConfigMap config;
};

/// What a command said and how it ended.
struct Outcome {
  int code = -1;
  std::string out;
};

/// A runtime with real supervisors in a runtime folder of its own. Everything that runs is killed at the end.
class RuntimeBench : public ::testing::Test {
 protected:
  void SetUp() override;
  void TearDown() override;

  /// berthd's death and a new one's start.
  void replace_daemon();
  void kill_daemon() { runtime_.reset(); }
  void new_daemon();

  /// Prepares the guest's root from the image and its plan; start() then works.
  void create(const Guest& guest, const std::string& image = {});
  Result<void> start(const Guest& guest);
  /// Runs a command to its end.
  Outcome run(const Guest& guest, std::vector<std::string> command, ConfigMap environment = {}, std::uint32_t uid = 0,
              const std::string& cwd = {});
  Result<ports::RunningExec> spawn(const Guest& guest, const Uuid& id, std::vector<std::string> command, UniqueFd in, UniqueFd out);
  pid_t supervisor_of(const Guest& guest) const;
  std::string layer(const Guest& guest) const { return scratch_->path() + "/" + guest.uuid.str(); }
  /// Folders of cgroups and lines of this machine's mount table that name the guest.
  static std::vector<std::string> leftovers(const Guest& guest);

  ports::ContainerRuntime& runtime() { return *runtime_; }
  Reports& reports() { return *reports_; }
  const supervisor::RuntimePaths& paths() const { return paths_; }
  const std::string& image() const { return image_; }
  StartPlan& plan(const Guest& guest) { return plans_.at(unit(guest)); }

 private:
  std::string unit(const Guest& guest) const;

  std::unique_ptr<ScratchFolder> scratch_;
  std::string image_;
  supervisor::RuntimePaths paths_;
  std::unique_ptr<process::ProcessUnits> units_;
  std::shared_ptr<Reports> reports_;
  std::unique_ptr<lxc::LxcRuntime> runtime_;
  std::mutex mutex_;
  std::map<std::string, StartPlan> plans_;
};

/// Reads until the end or the deadline.
std::string drain(int fd, std::chrono::seconds limit = 10s);
/// Reads until `wanted` is in what was read; returns all of it.
std::string read_until(int fd, const std::string& wanted, std::chrono::seconds limit = 10s);
/// Asks `holds` again until it is true; false after the deadline.
bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit = 10s);

}  // namespace berth::testing
