#pragma once

#include "daemon/services/context.hpp"
#include "daemon/services/instance_create.hpp"
#include "daemon/services/instance_lifecycle.hpp"
#include "daemon/services/reconcile.hpp"
#include "daemon/services/start_plan.hpp"
#include "tests/fakes/fake_archives.hpp"
#include "tests/fakes/fake_backup_store.hpp"
#include "tests/fakes/fake_clock.hpp"
#include "tests/fakes/fake_container_runtime.hpp"
#include "tests/fakes/fake_guest_files.hpp"
#include "tests/fakes/fake_image_servers.hpp"
#include "tests/fakes/fake_image_store.hpp"
#include "tests/fakes/fake_instance_metadata.hpp"
#include "tests/fakes/fake_manifests.hpp"
#include "tests/fakes/fake_storage_driver.hpp"
#include "tests/fakes/fake_store.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unistd.h>
#include <vector>

namespace berth::services {

inline const Principal kRoot{PrincipalKind::Local, 0, 1, 1, ":1.1", {}};
inline const Principal kAlice{PrincipalKind::Local, 1000, 2, 1, ":1.2", {}};

inline InstanceName instance_name(const std::string& text) { return *InstanceName::parse(text); }
inline ProfileName profile_name(const std::string& text) { return *ProfileName::parse(text); }
inline PoolName pool_name(const std::string& text) { return *PoolName::parse(text); }
inline AliasName alias_name(const std::string& text) { return *AliasName::parse(text); }

inline const InstanceName kWeb = instance_name("web");
inline const ProjectName kWebProject = *ProjectName::parse("web");

/// A driver of which single calls can be made to fail.
class TestDriver final : public testing_support::FakeStorageDriver {
 public:
  /// What happens while the next root is made, once.
  void during_next_root(std::function<void()> work) { during_ = std::move(work); }

  Result<void> ensure_image(const Fingerprint& fingerprint, const std::string& tree) override {
    if (failing == "ensure_image") return Error{Code::Internal, "no space for the image"};
    return FakeStorageDriver::ensure_image(fingerprint, tree);
  }
  Result<void> create_root(const Uuid& uuid, const Fingerprint& fingerprint, const std::string& tree,
                           bool plain) override {
    if (failing == "create_root") return Error{Code::Internal, "no space for the root"};
    if (const auto work = std::exchange(during_, nullptr)) work();
    return FakeStorageDriver::create_root(uuid, fingerprint, tree, plain);
  }
  Result<void> delete_root(const Uuid& uuid) override {
    if (failing == "delete_root") return Error{Code::Internal, "the root is stuck"};
    return FakeStorageDriver::delete_root(uuid);
  }
  std::string failing;

 private:
  std::function<void()> during_;
};

class FakeUnits final : public ports::UnitManager {
 public:
  std::string unit_name(const ProjectName& project, const InstanceName& name) const override {
    const auto prefix = project == default_project() ? std::string() : project.str() + "_";
    return "berth-container@" + prefix + name.str() + ".service";
  }
  Result<void> start(const std::string&, const Uuid&) override { return {}; }
  Result<void> kill(const std::string&, const Uuid&) override { return {}; }
  Result<std::vector<std::string>> running() override { return std::vector<std::string>{}; }
};

/// Everything below the services as it is in a daemon, with fakes behind the ports. Reports of the runtime go where
/// main sends them.
class ServicesTest : public testing::Test {
 protected:
  ServicesTest() {
    folder_ = "/tmp/berth-services-XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    context_.paths = {.state = folder_, .runtime = folder_ + "/run", .logs = folder_ + "/logs"};
    std::filesystem::create_directories(context_.paths.runtime);
    std::filesystem::create_directories(context_.paths.logs);
    operations_.listen([this](const OperationView& view) {
      const std::lock_guard lock(mutex_);
      heard_[view.id].push_back(view);
      changed_.notify_all();
    });
    runtime_.name_units(
        [this](const ProjectName& project, const InstanceName& name) { return units_.unit_name(project, name); });
    context_.lxc_host.unified_cgroups = true;
    context_.lxc_host.controllers = {"cpu", "cpuset", "io", "memory", "pids"};
    context_.lxc_host.memory_bytes = std::uint64_t{1} << 30U;
    connect();
    EXPECT_TRUE(reconcile_.at_start());
  }
  ~ServicesTest() override {
    runtime_.hold_starts(false);
    operations_.shut_down();
    runtime_.detach();
    EXPECT_TRUE(runtime_.settle());
    workers_.stop();
    std::filesystem::remove_all(folder_);
  }

  void connect() {
    EXPECT_TRUE(runtime_.attach(
        {.on_started = [this](const Uuid& uuid) { workers_.submit([this, uuid] { reconcile_.started(uuid); }); },
         .on_exit =
             [this](const Uuid& uuid, const ExitReport& report) {
               workers_.submit_long([this, uuid, report] {
                 reconcile_.ended(uuid, report);
                 const std::lock_guard lock(mutex_);
                 ++ends_;
                 changed_.notify_all();
               });
             },
         .on_exec_finished =
             [this](const OperationId& id, int code) {
               workers_.submit([this, id, code] { reconcile_.exec_finished(id, code); });
             },
         .on_prepare =
             [this](const std::string& unit, const std::string& invocation,
                    std::function<void(Result<StartPlan>)> reply) {
               workers_.submit([this, unit, invocation, reply] { reply(planner_.prepare(unit, invocation)); });
             }}));
  }

  OperationView end_of(const OperationId& id) {
    std::unique_lock lock(mutex_);
    const bool ended = changed_.wait_for(lock, std::chrono::seconds(20),
                                         [&] { return !heard_[id].empty() && is_final(heard_[id].back().status); });
    EXPECT_TRUE(ended) << "operation did not end";
    return heard_[id].back();
  }
  /// The error of the call or of its operation; success is an empty message.
  Error outcome(const Result<OperationId>& id) {
    if (!id) return id.error();
    const auto view = end_of(*id);
    return view.error.value_or(Error{Code::Internal, ""});
  }
  void expect_success(const Result<OperationId>& id) { EXPECT_EQ(outcome(id).message, ""); }
  /// Waits until `count` ends of containers were dealt with.
  void await_ends(int count) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, std::chrono::seconds(20), [&] { return ends_ >= count; }));
  }
  /// Waits for a lifecycle event.
  bool await_action(const std::string& action) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(20), [&] {
      return std::any_of(events_.begin(), events_.end(),
                         [&](const Event& event) { return action_of(event) == action; });
    });
  }
  std::vector<std::string> actions() {
    const std::lock_guard lock(mutex_);
    std::vector<std::string> all;
    for (const auto& event : events_) all.push_back(action_of(event));
    return all;
  }
  std::vector<Event> events() {
    const std::lock_guard lock(mutex_);
    return events_;
  }
  void forget_events() {
    const std::lock_guard lock(mutex_);
    events_.clear();
  }

  /// An image `busybox` in the store, as an import leaves it.
  Image add_image(ConfigMap properties = {{"os", "busybox"}}, std::vector<ports::ImageTemplate> templates = {}) {
    int ends[2];
    EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const std::string bytes = "image " + properties.at("os");
    EXPECT_EQ(write(ends[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
    close(ends[1]);
    images_.describe_next({.architecture = "x86_64", .properties = properties, .templates = std::move(templates)});
    const auto staged = images_.stage(
        {.file = UniqueFd{ends[0]}}, [](std::string_view, std::uint64_t) {}, [] { return false; });
    EXPECT_TRUE(images_.commit(*staged));
    Image image{.uuid = new_uuid(),
                .project = default_project(),
                .fingerprint = staged->fingerprint,
                .architecture = "x86_64",
                .created_at = clock_.now(),
                .size = staged->size,
                .properties = properties};
    EXPECT_TRUE(store_.insert_image(image, {{default_project(), alias_name(bytes.substr(6)), image.fingerprint, ""}}));
    return image;
  }
  static CreateInstanceRequest request(const std::string& name, const std::string& alias = "busybox") {
    return {.project = default_project(), .name = instance_name(name), .source = {.alias = alias}};
  }
  /// A stopped instance of the image `busybox`.
  Instance make_instance(const std::string& name, const ConfigMap& config = {}, bool ephemeral = false) {
    if (!store_.alias(default_project(), alias_name("busybox"))) (void)add_image();
    auto wanted = request(name);
    wanted.config = config;
    wanted.ephemeral = ephemeral;
    expect_success(create_.create(kRoot, wanted));
    return stored(name);
  }
  Instance make_running(const std::string& name, const ConfigMap& config = {}, bool ephemeral = false) {
    const auto instance = make_instance(name, config, ephemeral);
    expect_success(lifecycle_.start(kRoot, default_project(), instance.name));
    return stored(name);
  }
  Instance stored(const std::string& name) {
    const auto found = store_.instance(kRoot, default_project(), instance_name(name));
    EXPECT_TRUE(found);
    return *found;
  }
  bool exists(const std::string& name) {
    return static_cast<bool>(store_.instance(kRoot, default_project(), instance_name(name)));
  }

  static std::string action_of(const Event& event) { return std::get<std::string>(event.metadata.at("action").value); }

  /// A member and no base: workers publish until this fixture ends, when the destructors of the tests have run.
  class Published final : public Events {
   public:
    explicit Published(ServicesTest& test) : test_(test) {}
    void publish(Event event) override {
      const std::lock_guard lock(test_.mutex_);
      test_.events_.push_back(std::move(event));
      test_.changed_.notify_all();
    }

   private:
    ServicesTest& test_;
  };

  std::string folder_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<OperationId, std::vector<OperationView>> heard_;
  std::vector<Event> events_;
  Published published_{*this};
  int ends_ = 0;
  std::vector<std::vector<std::string>> access_asked_;
  bool access_allowed_ = false;

  fakes::FakeClock clock_;
  fakes::FakeStore store_;
  fakes::FakeImageStore images_;
  fakes::FakeManifests manifests_;
  fakes::FakeInstanceMetadata metadata_;
  fakes::FakeGuestFiles files_;
  fakes::FakeArchives archives_;
  fakes::FakeBackupStore backups_;
  fakes::FakeImageServers servers_;
  fakes::FakeContainerRuntime runtime_;
  FakeUnits units_;
  std::shared_ptr<TestDriver> driver_ = std::make_shared<TestDriver>();
  std::map<PoolName, std::shared_ptr<ports::StorageDriver>> pools_;
  WorkerPool workers_{4, 16};
  Operations operations_{workers_, clock_};
  EntityLocks locks_{std::chrono::seconds(10)};
  ExecTable execs_;
  StartTable starts_;
  Context context_{.store = store_,
                   .images = images_,
                   .manifests = manifests_,
                   .metadata = metadata_,
                   .files = files_,
                   .archives = archives_,
                   .backups = backups_,
                   .servers = servers_,
                   .pools = pools_,
                   .runtime = runtime_,
                   .units = units_,
                   .clock = clock_,
                   .workers = workers_,
                   .operations = operations_,
                   .locks = locks_,
                   .execs = execs_,
                   .starts = starts_,
                   .events = published_,
                   .host_access = [this](const Principal&, const std::string& object,
                                         const std::vector<std::string>& reasons) -> Result<void> {
                     const std::lock_guard lock(mutex_);
                     access_asked_.push_back(reasons);
                     if (access_allowed_) return {};
                     return Error{Code::AccessDenied, object + " would reach the host: " + reasons.front()};
                   }};
  Reconcile reconcile_{context_,
                       PoolFactory{.choose_driver = [](const std::string&) { return std::string("overlay"); },
                                   .open = [this](const StoragePool&) -> Result<std::shared_ptr<ports::StorageDriver>> {
                                     return std::shared_ptr<ports::StorageDriver>(driver_);
                                   }}};
  StartPlanner planner_{context_};
  InstanceCreate create_{context_};
  InstanceLifecycle lifecycle_{context_};
};

}  // namespace berth::services
