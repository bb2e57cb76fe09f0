// berthd: the composition root. Makes every part, ties them together, and takes them apart in the reverse order. The only
// file that names concrete adapters.

#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <string_view>
#include <thread>

#include "base/log.hpp"
#include "daemon/adapters/clock/system_clock.hpp"
#include "daemon/adapters/guest/helper_guest_files.hpp"
#include "daemon/adapters/hardware/sysfs_hardware.hpp"
#include "daemon/adapters/image/file_backup_store.hpp"
#include "daemon/adapters/image/file_image_store.hpp"
#include "daemon/adapters/image/helper_archives.hpp"
#include "daemon/adapters/image/helper_image_servers.hpp"
#include "daemon/adapters/image/instance_metadata_folder.hpp"
#include "daemon/adapters/lxc/features.hpp"
#include "daemon/adapters/lxc/host_facts.hpp"
#include "daemon/adapters/lxc/runtime.hpp"
#include "daemon/adapters/polkit/polkit_authority.hpp"
#include "daemon/adapters/process/process_units.hpp"
#include "daemon/adapters/sqlite/manifest_folder.hpp"
#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "daemon/adapters/storage/dir_driver.hpp"
#include "daemon/adapters/storage/overlay_driver.hpp"
#include "daemon/adapters/systemd/systemd_units.hpp"
#include "daemon/adapters/tls/openssl_credentials.hpp"
#include "daemon/adapters/tls/tcp_sockets.hpp"
#include "daemon/bus/bus_service.hpp"
#include "daemon/bus/folder_watch.hpp"
#include "daemon/bus/host_access_questions.hpp"
#include "daemon/bus/polkit_calls.hpp"
#include "daemon/bus/service_manager.hpp"
#include "daemon/bus/systemd_calls.hpp"
#include "base/architecture.hpp"
#include "daemon/services/log_upkeep.hpp"
#include "daemon/services/reconcile.hpp"
#include "daemon/services/snapshot_schedule.hpp"
#include "daemon/services/start_plan.hpp"

namespace berth {
namespace {

using namespace std::chrono_literals;

constexpr unsigned kQuickThreads = 4;
/// At most: each is made when none is idle. A clean stop of a guest that does not listen holds one, and so does a slow reader.
constexpr unsigned kLongThreads = 512;
/// What sees that it is cancelled ends well before; the rest (a trash to empty, a tree being copied) is left to the next
/// daemon, which finds the intents and the running containers.
constexpr auto kEndLimit = 2s;
constexpr auto kBridgeUser = "berth-rest";
constexpr auto kUsage =
    "usage: berthd [--version | --help]\n"
    "Berth's daemon, on the system bus as org.berth.Berth1. Started by systemd or the bus; see berthd(8).\n";

std::string from_environment(const char* name, const char* fallback) {
  const char* value = std::getenv(name);
  return value != nullptr && *value == '/' ? value : fallback;
}

struct Places {
  services::Paths paths;
  std::string supervisor, helper;
};

Places find_places() {
  const auto state = from_environment("STATE_DIRECTORY", "/var/lib/berth");
  const auto programs = from_environment("BERTH_LIBEXEC", BERTH_LIBEXEC_DIR);
  return {.paths = {.state = state,
                    .runtime = from_environment("RUNTIME_DIRECTORY", "/run/berth"),
                    .logs = state + "/logs"},
          .supervisor = programs + "/berth-supervisor",
          .helper = programs + "/berth-helper"};
}

Result<void> make_private_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("cannot make " + path, errno);
  return {};
}

std::vector<IdRange> delegated_ids(const char* file) {
  std::ifstream stream(file);
  const std::string text{std::istreambuf_iterator<char>(stream), {}};
  return parse_subids(text, "root", 0);
}

std::optional<std::uint32_t> bridge_uid() {
  const passwd* entry = ::getpwnam(kBridgeUser);
  if (entry == nullptr) return std::nullopt;
  return entry->pw_uid;
}

services::ServerFacts server_facts(const std::string& supervisor) {
  services::ServerFacts facts{.storage_drivers = {{"dir", "1"}, {"overlay", "1"}},
                              .kernel_features = lxc::kernel_features()};
  if (auto found = lxc::lxc_features(supervisor)) {
    facts.lxc_version = found->version;
    facts.lxc_features = std::move(found->features);
  } else {
    log::error("The features of liblxc are not known: " + found.error().message);
  }
  return facts;
}

hardware::SysfsHardware host_hardware() {
  utsname host{};
  (void)::uname(&host);
  const auto architecture = host_architecture();
  return {"", host.release, architecture ? std::string(architecture->name) : std::string(host.machine)};
}

services::PoolFactory pool_factory(const std::string& helper) {
  return {.choose_driver =
              [helper](const std::string& folder) -> std::string {
            const auto probe = adapters::probe_overlay(folder, helper);
            if (probe && probe->works) return "overlay";
            log::info("The file system of " + folder + " carries no overlay roots, so the pool has plain ones: " +
                      (probe ? probe->reason : probe.error().message));
            return "dir";
          },
          .open = [helper](const StoragePool& pool) -> Result<std::shared_ptr<ports::StorageDriver>> {
            const auto folder = pool.config.find("source");
            if (folder == pool.config.end())
              return Error{Code::Internal, "storage pool " + pool.name.str() + " has no source"};
            const auto open = pool.driver == "overlay" ? adapters::OverlayDriver::open : adapters::DirDriver::open;
            if (pool.driver != "overlay" && pool.driver != "dir")
              return Error{Code::NotSupported, "storage pool " + pool.name.str() + " has the driver " + pool.driver +
                                                   ", which this Berth does not have"};
            BERTH_TRY(std::unique_ptr<ports::StorageDriver> driver, open(folder->second, helper));
            return std::shared_ptr<ports::StorageDriver>(std::move(driver));
          }};
}

/// Runs the loop until `done` is ready or `limit` is over. True when it is ready.
template <typename Value>
bool run_loop_until(bus::EventLoop& loop, std::future<Value>& done, std::chrono::seconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (done.wait_for(0s) != std::future_status::ready) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    loop.run_once(20ms);
  }
  return true;
}

/// systemd where it answers on the bus, since a container's unit shall be its own; elsewhere Berth starts supervisors itself.
std::unique_ptr<ports::UnitManager> choose_units(bus::EventLoop& loop, ports::SystemdCalls& systemd,
                                                 const supervisor::RuntimePaths& paths, const std::string& supervisor) {
  std::promise<bool> answer;
  auto available = answer.get_future();
  std::thread asker([&] { answer.set_value(systemd.available()); });
  while (available.wait_for(0s) != std::future_status::ready) loop.run_once(20ms);
  asker.join();
  if (available.get()) return std::make_unique<systemd::SystemdUnits>(systemd);
  return std::make_unique<process::ProcessUnits>(paths, supervisor);
}

/// The runtime's reports, as work for the services. What comes before the model is in order waits for that.
ports::RuntimeEvents reports(services::WorkerPool& workers, services::Reconcile& reconcile,
                             services::StartPlanner& planner, const std::shared_future<void>& in_order) {
  ports::RuntimeEvents events;
  events.on_started = [&, in_order](Uuid instance) {
    workers.submit_long([&reconcile, in_order, instance] {
      in_order.wait();
      reconcile.started(instance);
    });
  };
  events.on_exit = [&, in_order](Uuid instance, ports::ExitReport report) {
    workers.submit_long([&reconcile, in_order, instance, report = std::move(report)] {
      in_order.wait();
      reconcile.ended(instance, report);
    });
  };
  events.on_exec_finished = [&, in_order](OperationId id, int code) {
    workers.submit([&reconcile, in_order, id, code] {
      in_order.wait();
      reconcile.exec_finished(id, code);
    });
  };
  // Not among the long work: there the starts themselves wait for these answers.
  events.on_prepare = [&, in_order](std::string unit, std::string invocation,
                                    std::function<void(Result<ports::StartPlan>)> reply) {
    workers.submit([&planner, in_order, unit = std::move(unit), invocation = std::move(invocation),
                    reply = std::move(reply)] {
      in_order.wait();
      reply(planner.prepare(unit, invocation));
    });
  };
  return events;
}

Result<int> serve() {
  const auto places = find_places();
  const supervisor::RuntimePaths runtime_paths{places.paths.runtime};
  BERTH_TRY(auto doorbell, bus::inherited_socket("supervisor"));
  BERTH_CHECK(make_private_folder(places.paths.state));
  BERTH_CHECK(make_private_folder(places.paths.logs));
  BERTH_CHECK(make_private_folder(places.paths.state + "/storage-pools"));
  BERTH_TRY(const auto store, sqlite::SqliteStore::open(places.paths.state));
  BERTH_TRY(auto manifests, sqlite::ManifestFolder::open(places.paths.state + "/instances"));
  BERTH_TRY(auto metadata, adapters::InstanceMetadataFolder::open(places.paths.state + "/instances"));
  adapters::HelperArchives archives(places.helper, {});
  adapters::HelperImageServers image_servers(places.helper);
  BERTH_TRY(const auto backup_store, adapters::FileBackupStore::open(places.paths.state + "/backups"));
  BERTH_TRY(const auto images, adapters::FileImageStore::open(
                                   {.folder = places.paths.state + "/images", .helper = places.helper, .limits = {}}));

  BERTH_TRY(const auto loop, bus::EventLoop::create());
  BERTH_TRY(const auto connection, bus::BusConnection::open(*loop));
  bus::PolkitBusCalls polkit_calls(*connection);
  polkit::PolkitAuthority authority(polkit_calls);
  bus::SystemdBusCalls systemd_calls(*connection);
  const auto units = choose_units(*loop, systemd_calls, runtime_paths, places.supervisor);

  const adapters::SystemClock clock;
  services::WorkerPool workers(kQuickThreads, kLongThreads);
  services::Operations operations(workers, clock);
  services::EntityLocks locks;
  // After them: an SFTP session that ends with it may give one back.
  adapters::HelperGuestFiles files(places.helper);
  services::ExecTable execs;
  services::StartTable starts;
  std::map<PoolName, std::shared_ptr<ports::StorageDriver>> pools;
  bus::EventStreams streams(*loop);
  bus::HostAccessQuestions host_access(*loop, authority);
  // Declared before the runtime, which it is a part of: what the runtime reports uses both until its thread has ended.
  lxc::LxcRuntime runtime(runtime_paths, *units, std::move(doorbell));
  services::Context context{.store = *store,
                            .images = *images,
                            .manifests = manifests,
                            .metadata = metadata,
                            .files = files,
                            .archives = archives,
                            .backups = *backup_store,
                            .servers = image_servers,
                            .pools = pools,
                            .runtime = runtime,
                            .units = *units,
                            .clock = clock,
                            .workers = workers,
                            .operations = operations,
                            .locks = locks,
                            .execs = execs,
                            .starts = starts,
                            .events = streams,
                            .host_access = [&host_access](const Principal& who, const std::string& object,
                                                          const std::vector<std::string>& reasons) {
                              return host_access.ask(who, object, reasons);
                            },
                            .paths = places.paths,
                            .subuids = delegated_ids("/etc/subuid"),
                            .subgids = delegated_ids("/etc/subgid"),
                            .lxc_host = lxc::host_facts()};

  services::InstanceCreate create(context);
  services::InstanceLifecycle lifecycle(context);
  services::InstanceBulk bulk(context);
  services::InstanceMove move(context);
  services::InstanceQuery query(context);
  services::InstanceConfig config(context);
  services::InstanceExec exec(context);
  services::Snapshots snapshots(context);
  services::SnapshotSchedule snapshot_schedule(context);
  services::InstanceFiles instance_files(context);
  services::InstanceMetadata instance_metadata(context);
  services::ImageImport import(context);
  services::ImagePublish publish(context);
  services::ImagePull pull(context);
  services::ImageUpkeep image_upkeep(context);
  services::LogUpkeep log_upkeep(context);
  services::InstanceBackups backups(context);
  services::BackupImport backup_import(context);
  services::Images image_service(context);
  services::Profiles profiles(context);
  services::Projects projects(context);
  tls::OpensslCredentials credentials(places.paths.state);
  tls::TcpSockets tcp_sockets;
  services::ImageDownloads downloads(context, credentials);
  services::Https https(context, credentials, tcp_sockets);
  services::Trust trust(context, *store, credentials, https);
  context.on_lifecycle = [&snapshot_schedule, &trust](const std::string& action) {
    snapshot_schedule.heard(action);
    trust.heard(action);
  };
  auto hardware = host_hardware();
  services::Server server(context, server_facts(places.supervisor), https, credentials, hardware);
  services::StartPlanner planner(context);
  services::Reconcile reconcile(context, pool_factory(places.helper));

  bus::BusService service(*connection, authority, workers,
                          {.create = create,
                           .lifecycle = lifecycle,
                           .bulk = bulk,
                           .move = move,
                           .query = query,
                           .config = config,
                           .exec = exec,
                           .snapshots = snapshots,
                           .files = instance_files,
                           .metadata = instance_metadata,
                           .import = import,
                           .publish = publish,
                           .pull = pull,
                           .downloads = downloads,
                           .backups = backups,
                           .backup_import = backup_import,
                           .images = image_service,
                           .profiles = profiles,
                           .projects = projects,
                           .server = server,
                           .operations = operations,
                           .trust = trust,
                           .https = https},
                          streams, {.bridge_uid = bridge_uid(), .rest_socket = places.paths.runtime + "/unix.socket"});
  operations.listen([&service](const OperationView& view) { service.operation_changed(view); });
  trust.on_changed([&service] { service.trust_changed(); });
  https.on_changed([&service, &trust] {
    trust.settings_changed();
    service.listeners_changed();
  });
  polkit_calls.on_changed([&service] { service.guard().authorizations_changed(); });

  BERTH_TRY(const auto authority_watch, bus::FolderWatch::on(*loop, places.paths.state, {"server.ca", "ca.crl"}, [&workers, &trust] {
              workers.submit([&trust] { trust.reload_authority(); });
            }));
  BERTH_TRY(const auto terminated, loop->on_signal(SIGTERM, [&loop] { loop->stop(0); }));
  BERTH_TRY(const auto interrupted, loop->on_signal(SIGINT, [&loop] { loop->stop(0); }));

  std::promise<void> in_order;
  BERTH_CHECK(runtime.attach(reports(workers, reconcile, planner, in_order.get_future().share())));
  const auto fail = [&loop](const Error& error) {
    log::error("berthd cannot serve: " + error.message);
    loop->stop(1);
  };
  workers.submit_long([&] {
    auto started = reconcile.at_start();
    in_order.set_value();
    if (started) started = trust.load();
    if (started) https.start();
    (void)loop->post([&, started] {
      if (!started) return fail(started.error());
      service.serve([&](const Result<void>& serving) {
        if (!serving) return fail(serving.error());
        bus::notify_ready();
        log::info("berthd " BERTH_VERSION " serves");
        workers.submit_long([&reconcile, &snapshot_schedule, &backups, &image_upkeep, &log_upkeep] {
          reconcile.autostart();
          snapshot_schedule.begin();
          backups.keep_expiring();
          image_upkeep.keep_going();
          log_upkeep.keep_going();
        });
      });
    });
  });
  const int code = loop->run();

  // Calls under way are answered while the workers come to their ends, which may need the loop once more.
  bus::notify_stopping();
  service.stop();
  operations.shut_down();
  std::promise<void> ended;
  auto all_ended = ended.get_future();
  std::thread stopper([&] {
    workers.stop();
    ended.set_value();
  });
  if (!run_loop_until(*loop, all_ended, kEndLimit)) {
    log::warning("berthd ends with work under way; the next one takes it up");
    std::_Exit(code);
  }
  stopper.join();
  return code;
}

/// Every thread inherits this: the loop alone takes the signals that end the daemon.
void prepare_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  (void)::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  (void)::signal(SIGPIPE, SIG_IGN);
}

}  // namespace
}  // namespace berth

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--version") {
    (void)std::puts(BERTH_VERSION);
    return 0;
  }
  if (argc > 1) {
    const bool help = argc == 2 && std::string_view(argv[1]) == "--help";
    (void)std::fputs(berth::kUsage, help ? stdout : stderr);
    return help ? 0 : 2;
  }
  if (::geteuid() != 0) {
    (void)std::fputs("berthd: this needs root; systemd starts it as berthd.service\n", stderr);
    return 1;
  }
  (void)::umask(0022);
  berth::prepare_signals();
  try {
    const auto code = berth::serve();
    if (code) return *code;
    berth::log::error("berthd cannot start: " + code.error().message);
  } catch (const std::exception& failure) {
    berth::log::error(std::string("berthd ends: ") + failure.what());
  }
  return 1;
}
