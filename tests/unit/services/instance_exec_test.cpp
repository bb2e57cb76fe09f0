#include "daemon/services/instance_exec.hpp"

#include "daemon/services/instance_logs.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/log_upkeep.hpp"
#include "tests/unit/services/services_fixture.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>

namespace berth::services {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

class ACommand : public ServicesTest {
 protected:
  InstanceExecRequest command(std::vector<std::string> words = {"/bin/true"}) const {
    return {.command = std::move(words)};
  }
  Result<ExecHandles> run(InstanceExecRequest request) {
    return exec_.exec(kRoot, default_project(), kWeb, std::move(request));
  }
  std::int64_t code_of(const OperationView& view) { return std::get<std::int64_t>(view.metadata.at("return").value); }

  InstanceExec exec_{context_};
};

TEST_F(ACommand, GetsPipesAndTheDefaultEnvironmentAndItsCodeIsTheResult) {
  (void)make_running("web", {{"environment.GREETING", "hello"}, {"environment.A", "instance"}});
  auto request = command({"/bin/sh", "-c", "exit 3"});
  request.environment = {{"A", "b"}};
  const auto handles = run(std::move(request));
  ASSERT_TRUE(handles);
  EXPECT_TRUE(handles->stdin_fd && handles->stdout_fd && handles->stderr_fd && !handles->terminal);
  EXPECT_TRUE(runtime_.with_exec(handles->operation, [](auto& exec) {
    EXPECT_THAT(exec.environment,
                ElementsAre(Pair("A", "b"), Pair("GREETING", "hello"), Pair("HOME", "/root"), Pair("LANG", "C.UTF-8"),
                            Pair("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"),
                            Pair("USER", "root")));
    EXPECT_EQ(fcntl(exec.stdout_fd.get(), F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    EXPECT_EQ(write(exec.stdout_fd.get(), "hi", 2), 2);
  }));
  char text[2] = {};
  EXPECT_EQ(read(handles->stdout_fd.get(), text, 2), 2);
  const auto view = *operations_.get(kRoot, handles->operation);
  EXPECT_EQ(view.kind, "websocket");
  EXPECT_EQ(view.description, "Executing command");
  EXPECT_FALSE(std::get<bool>(view.metadata.at("interactive").value));
  runtime_.finish_exec(handles->operation, 3);
  const auto end = end_of(handles->operation);
  EXPECT_EQ(end.status, OperationStatus::Success);
  EXPECT_EQ(code_of(end), 3);
}

TEST_F(ACommand, OfAnotherUserGetsNoHomeOfRoot) {
  (void)make_running("web");
  auto request = command();
  request.user = 1000;
  const auto handles = run(std::move(request));
  EXPECT_TRUE(runtime_.with_exec(handles->operation, [](auto& exec) {
    EXPECT_FALSE(exec.environment.contains("HOME"));
    EXPECT_FALSE(exec.environment.contains("USER"));
    EXPECT_EQ(exec.uid, 1000U);
  }));
  runtime_.finish_exec(handles->operation, 0);
}

TEST_F(ACommand, ThatIsNotFoundFailsWithItsCode) {
  (void)make_running("web");
  const auto handles = run(command({"/no/such"}));
  runtime_.finish_exec(handles->operation, 127);
  const auto end = end_of(handles->operation);
  EXPECT_EQ(end.status, OperationStatus::Failure);
  EXPECT_EQ(end.error->message, "Command not found");
  EXPECT_EQ(code_of(end), 127);
}

TEST_F(ACommand, IsRefusedWhereNothingCanRunIt) {
  (void)make_instance("web");
  EXPECT_EQ(run(command()).error().message, "Instance is not running");
  expect_success(lifecycle_.start(kRoot, default_project(), kWeb));
  EXPECT_EQ(run(command({})).error().code, Code::InvalidArgument);
  auto bad = command();
  bad.environment = {{"A=B", "c"}};
  EXPECT_EQ(run(std::move(bad)).error().code, Code::InvalidArgument);
  expect_success(lifecycle_.freeze(kRoot, default_project(), kWeb));
  EXPECT_EQ(run(command()).error().message, "Instance is frozen");
}

TEST_F(ACommand, ThatIsDeferredRunsOnceItIsBegun) {
  (void)make_running("web");
  auto request = command();
  request.deferred = true;
  const auto handles = run(std::move(request));
  EXPECT_FALSE(exec_.signal(kRoot, handles->operation, 15));
  EXPECT_TRUE(exec_.begin(kRoot, handles->operation));
  EXPECT_EQ(exec_.begin(kRoot, handles->operation).error().message, "There is nothing to begin");
  EXPECT_TRUE(exec_.signal(kRoot, handles->operation, 15));
  EXPECT_EQ(exec_.signal(kRoot, handles->operation, 0).error().code, Code::InvalidArgument);
  EXPECT_TRUE(runtime_.with_exec(handles->operation, [](auto& exec) { EXPECT_THAT(exec.signals, ElementsAre(15)); }));
  runtime_.finish_exec(handles->operation, 143);
  EXPECT_EQ(code_of(end_of(handles->operation)), 143);
}

TEST_F(ACommand, ThatIsNeverBegunIsDropped) {
  (void)make_running("web");
  InstanceExec impatient(context_, std::chrono::milliseconds(20));
  auto request = command();
  request.deferred = true;
  const auto handles = impatient.exec(kRoot, default_project(), kWeb, std::move(request));
  EXPECT_EQ(end_of(handles->operation).status, OperationStatus::Cancelled);
  EXPECT_FALSE(runtime_.with_exec(handles->operation, [](auto&) {}));
  EXPECT_FALSE(exec_.begin(kRoot, handles->operation));
}

TEST_F(ACommand, ThatIsRecordedLeavesItsOutputAsLogFiles) {
  const auto row = make_running("web");
  auto request = command();
  request.streams = ExecStreams::Detached;
  request.record_output = true;
  const auto handles = run(std::move(request));
  ASSERT_TRUE(handles);
  EXPECT_TRUE(runtime_.with_exec(handles->operation,
                                 [](auto& exec) { EXPECT_EQ(write(exec.stdout_fd.get(), "out\n", 4), 4); }));
  runtime_.finish_exec(handles->operation, 0);
  const auto end = end_of(handles->operation);
  EXPECT_EQ(end.kind, "task");
  const auto output = std::get<ConfigMap>(end.metadata.at("output").value);
  EXPECT_EQ(output.at("1"), "exec_" + handles->operation.str() + ".stdout");
  EXPECT_THAT(*exec_.logs(kRoot, default_project(), kWeb), Contains(output.at("2")));
  const auto log = exec_.open_log(kRoot, default_project(), kWeb, output.at("1"));
  char text[8] = {};
  EXPECT_EQ(read(log->get(), text, sizeof text), 4);
  EXPECT_EQ(exec_.open_log(kRoot, default_project(), kWeb, "../../etc/shadow").error().code, Code::InvalidArgument);
  EXPECT_EQ(exec_.open_log(kRoot, default_project(), kWeb, "lxc.conf").error().code, Code::NotFound);
}

TEST_F(ACommand, ThatWasRecordedIsForgottenWhenItsLogsAreRemoved) {
  const auto row = make_running("web");
  auto request = command();
  request.streams = ExecStreams::Detached;
  request.record_output = true;
  const auto handles = run(std::move(request));
  runtime_.finish_exec(handles->operation, 0);
  (void)end_of(handles->operation);
  const auto name = output_name(handles->operation, false);
  const auto remove = [&](const std::string& log) { return exec_.remove_log(kRoot, default_project(), kWeb, log); };
  EXPECT_TRUE(remove(name));
  EXPECT_THAT(*exec_.logs(kRoot, default_project(), kWeb), testing::Not(Contains(name)));
  EXPECT_EQ(remove(name).error().code, Code::NotFound);
  EXPECT_TRUE(await_action("instance-log-deleted"));
  for (const auto* stays : {"lxc.log", "lxc.conf", "../../etc/shadow", "other"}) EXPECT_EQ(remove(stays).error().code, Code::InvalidArgument) << stays;
}

TEST(AConsoleLog, IsEmptiedUnderItsWriter) {
  std::string folder = "/tmp/berth-logs-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  EXPECT_EQ(empty_log(folder, "console.log").error().code, Code::NotFound);
  const UniqueFd writer(open((folder + "/console.log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  ASSERT_EQ(write(writer.get(), "before", 6), 6);
  EXPECT_TRUE(empty_log(folder, "console.log"));
  ASSERT_EQ(write(writer.get(), "after", 5), 5);
  const auto copy = open_log_copy(folder, "console.log", 1000);
  char text[8] = {};
  ASSERT_EQ(read(copy->get(), text, sizeof text), 5);
  EXPECT_EQ(std::string(text), "after");
  std::filesystem::remove_all(folder);
}

TEST_F(ACommand, EndsWithItsContainer) {
  const auto row = make_running("web");
  const auto handles = run(command());
  runtime_.end(row.uuid, {.reason = ExitReport::Reason::Killed});
  EXPECT_EQ(code_of(end_of(handles->operation)), 137);
}

TEST_F(ACommand, HasItsOperationBackAfterARestartOfTheDaemon) {
  (void)make_running("web");
  const auto handles = run(command());
  runtime_.detach();
  WorkerPool workers(2, 4);
  Operations operations(workers, clock_);
  ExecTable execs;
  StartTable starts;
  Context context{.store = store_,
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
                  .workers = workers,
                  .operations = operations,
                  .locks = locks_,
                  .execs = execs,
                  .starts = starts,
                  .events = context_.events,
                  .host_access = context_.host_access,
                  .paths = context_.paths,
                  .subuids = {},
                  .subgids = {},
                  .lxc_host = {}};
  Reconcile reconcile(context, PoolFactory{.choose_driver = {}, .open = [this](const StoragePool&) {
                                             return Result<std::shared_ptr<ports::StorageDriver>>(driver_);
                                           }});
  ASSERT_TRUE(reconcile.at_start());
  EXPECT_EQ(operations.get(kRoot, handles->operation)->status, OperationStatus::Running);
  reconcile.exec_finished(handles->operation, 5);
  EXPECT_EQ(code_of(*operations.get(kRoot, handles->operation)), 5);
  operations.shut_down();
  workers.stop();
}

TEST(ARecordedOutput, TakesNoMoreDiskThanItsLimitWhileItGrows) {
  std::string folder = "/tmp/berth-logs-XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const auto id = new_uuid();
  const auto file = make_output_file(folder, id, false);
  ASSERT_TRUE(file);
  const std::string block(65536, 'x');
  for (int i = 0; i < 64; ++i)
    ASSERT_EQ(write(file->get(), block.data(), block.size()), static_cast<ssize_t>(block.size()));
  trim_output_files(folder, id, 1024 * 1024);
  struct stat info {};
  ASSERT_EQ(fstat(file->get(), &info), 0);
  EXPECT_EQ(info.st_size, 4 * 1024 * 1024);
  EXPECT_LE(info.st_blocks * 512, 1024 * 1024 + 8192);
  const auto copy = open_log_copy(folder, output_name(id, false), 1000);
  ASSERT_EQ(fstat(copy->get(), &info), 0);
  EXPECT_EQ(info.st_size, 1000);
  std::filesystem::remove_all(folder);
}

TEST_F(ACommand, HasALifelineOnlyOfTheKindThatCanTellOfItsEnd) {
  (void)make_running("web");
  std::array<int, 2> ends{};
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd ours(ends[0]);
  auto request = command();
  request.lifeline = UniqueFd(ends[1]);
  const auto handles = run(std::move(request));
  ASSERT_TRUE(handles) << handles.error().message;
  EXPECT_TRUE(runtime_.with_exec(handles->operation, [](auto& exec) { EXPECT_TRUE(exec.lifeline); }));
  runtime_.finish_exec(handles->operation, 0);

  auto refused = command();
  refused.lifeline = UniqueFd(open("/dev/null", O_RDWR | O_CLOEXEC));
  EXPECT_EQ(run(std::move(refused)).error().code, Code::InvalidArgument);
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, ends.data()), 0);
  const UniqueFd other(ends[0]);
  auto packets = command();
  packets.lifeline = UniqueFd(ends[1]);
  EXPECT_EQ(run(std::move(packets)).error().code, Code::InvalidArgument);
}

TEST_F(ACommand, LeavesItsRecordedOutputForTwoDays) {
  const auto folder = log_folder(context_, make_instance("recorded").uuid);
  ASSERT_TRUE(make_log_folder(folder));
  const auto id = new_uuid();
  const auto file = make_output_file(folder, id, false);
  ASSERT_TRUE(file);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(clock_.now().time_since_epoch()).count();
  const std::array<timespec, 2> now{{{.tv_sec = seconds, .tv_nsec = 0}, {.tv_sec = seconds, .tv_nsec = 0}}};
  ASSERT_EQ(::futimens(file->get(), now.data()), 0);
  LogUpkeep upkeep(context_);
  EXPECT_EQ(*upkeep.expire(), 0U);
  EXPECT_TRUE(has_output_file(folder, id));
  clock_.advance(std::chrono::hours(49));
  EXPECT_EQ(*upkeep.expire(), 1U);
  EXPECT_FALSE(has_output_file(folder, id));
}

}  // namespace
}  // namespace berth::services
