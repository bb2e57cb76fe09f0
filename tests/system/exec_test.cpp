#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "base/packet.hpp"
#include "tests/system/runtime_bench.hpp"

namespace berth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reason = ExitReport::Reason;

struct Pipe {
  UniqueFd in, out;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  return {UniqueFd(ends[0]), UniqueFd(ends[1])};
}

UniqueFd nothing() { return UniqueFd(::open("/dev/null", O_RDWR | O_CLOEXEC)); }

/// A running busybox guest.
class AnExec : public RuntimeBench {
 protected:
  void SetUp() override {
    RuntimeBench::SetUp();
    create(web_);
    const auto started = start(web_);
    ASSERT_TRUE(started) << started.error().message;
  }
  Result<ports::RunningExec> terminal(const Uuid& id, std::vector<std::string> command, bool deferred = false) {
    ports::ExecRequest request{.id = id, .command = std::move(command), .environment = {{"PATH", "/bin"}}};
    request.terminal = true;
    request.deferred = deferred;
    request.width = 91;
    request.height = 37;
    return runtime().exec(web_.uuid, std::move(request));
  }

  Guest web_;
};

TEST_F(AnExec, ReadsItsInputAndWritesItsOutput) {
  Pipe in = make_pipe();
  Pipe out = make_pipe();
  const Uuid id = new_uuid();
  ASSERT_TRUE(spawn(web_, id, {"cat"}, std::move(in.in), std::move(out.out)));
  ASSERT_EQ(::write(in.out.get(), "through\n", 8), 8);
  in.out.reset();
  EXPECT_EQ(drain(out.in.get()), "through\n");
  EXPECT_EQ(reports().wait_code(id), 0);
}

TEST_F(AnExec, EndsWithTheCommandsCode) { EXPECT_EQ(run(web_, {"sh", "-c", "exit 7"}).code, 7); }

TEST_F(AnExec, EndsWith127WhenThereIsNoSuchCommand) { EXPECT_EQ(run(web_, {"/no/such/command"}).code, 127); }

TEST_F(AnExec, EndsWith126WhenTheCommandCannotBeRun) { EXPECT_EQ(run(web_, {"/etc/passwd"}).code, 126); }

TEST_F(AnExec, RunsAsTheWantedUserInTheWantedFolderWithThatEnvironmentAndNoOther) {
  const ConfigMap environment{{"PATH", "/bin"}, {"COLOUR", "blue\n\xff"}};
  EXPECT_EQ(run(web_, {"sh", "-c", "id -u; id -g; id -G; pwd"}, environment, 1000, "/tmp").out, "1000\n1000\n1000\n/tmp\n");
  EXPECT_EQ(run(web_, {"env"}, environment).out, "COLOUR=blue\n\xff\nPATH=/bin\n");
}

TEST_F(AnExec, BeginsInTheHomeFolderWhenNoneIsNamed) {
  EXPECT_EQ(run(web_, {"pwd"}, {{"PATH", "/bin"}, {"HOME", "/root"}}).out, "/root\n");
  EXPECT_EQ(run(web_, {"pwd"}, {{"PATH", "/bin"}, {"HOME", "/nowhere"}}).out, "/\n");
}

// Security rule 18.
TEST_F(AnExec, InheritsNoDescriptorOfTheHost) {
  EXPECT_EQ(run(web_, {"sh", "-c", "ls /proc/self/fd"}).out, "0\n1\n2\n3\n") << "3 is the folder that ls reads";
}

TEST_F(AnExec, TakesALongEnvironment) {
  ConfigMap environment{{"PATH", "/bin"}};
  for (int i = 0; i < 20; ++i) environment["LONG" + std::to_string(i)] = std::string(60000, 'x');
  EXPECT_EQ(run(web_, {"sh", "-c", "echo ${#LONG19}"}, environment).out, "60000\n");
}

TEST_F(AnExec, IsReachedBySignals) {
  const Uuid id = new_uuid();
  const auto running = spawn(web_, id, {"sleep", "100"}, nothing(), nothing());
  ASSERT_TRUE(running);
  EXPECT_GT(running->pid, 1);
  ASSERT_TRUE(runtime().signal_exec(web_.uuid, id, SIGTERM));
  EXPECT_EQ(reports().wait_code(id), 128 + SIGTERM);
}

TEST_F(AnExec, HasATerminalWithAWindowSizeThatCanChange) {
  const Uuid id = new_uuid();
  auto shell = terminal(id, {"sh"});
  ASSERT_TRUE(shell) << shell.error().message;
  const int master = shell->terminal.get();
  const auto type = [master](const std::string& line) { return ::write(master, line.data(), line.size()); };
  ASSERT_GT(type("stty size; tty\n"), 0);
  EXPECT_THAT(read_until(master, "/dev/pts/"), HasSubstr("37 91"));
  const winsize size{.ws_row = 50, .ws_col = 120, .ws_xpixel = 0, .ws_ypixel = 0};
  ASSERT_EQ(::ioctl(master, TIOCSWINSZ, &size), 0);
  ASSERT_GT(type("stty size\n"), 0);
  EXPECT_THAT(read_until(master, "50 120"), HasSubstr("50 120"));
  ASSERT_GT(type("echo sleep''ing; sleep 100\n"), 0);
  ASSERT_THAT(read_until(master, "sleeping"), HasSubstr("sleeping"));
  ASSERT_GT(type("\x03"), 0);
  ASSERT_THAT(read_until(master, "# "), HasSubstr("^C"));
  ASSERT_GT(type("exit 5\n"), 0);
  EXPECT_EQ(reports().wait_code(id), 5);
}

TEST_F(AnExec, HangsUpWhenItsTerminalCloses) {
  const Uuid id = new_uuid();
  auto sleeper = terminal(id, {"sleep", "100"});
  ASSERT_TRUE(sleeper);
  sleeper->terminal.reset();
  EXPECT_EQ(reports().wait_code(id), 128 + SIGHUP);
}

TEST_F(AnExec, ThatIsDeferredRunsWhenItIsBegun) {
  const Uuid id = new_uuid();
  auto shell = terminal(id, {"echo", "begun"}, true);
  ASSERT_TRUE(shell);
  EXPECT_EQ(shell->pid, 0);
  ASSERT_TRUE(shell->terminal);
  ASSERT_TRUE(runtime().begin_exec(web_.uuid, id));
  EXPECT_THAT(read_until(shell->terminal.get(), "begun"), HasSubstr("begun"));
  EXPECT_EQ(reports().wait_code(id), 0);
}

TEST_F(AnExec, ThatIsDeferredCannotBeBegunTwiceNorAfterItWasDropped) {
  const Uuid id = new_uuid();
  auto sleeper = terminal(id, {"sleep", "100"}, true);
  ASSERT_TRUE(sleeper);
  ASSERT_TRUE(runtime().begin_exec(web_.uuid, id));
  const auto again = runtime().begin_exec(web_.uuid, id);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::FailedPrecondition);
  const Uuid other = new_uuid();
  ASSERT_TRUE(terminal(other, {"sleep", "100"}, true));
  ASSERT_TRUE(runtime().drop_exec(web_.uuid, other));
  const auto dropped = runtime().begin_exec(web_.uuid, other);
  ASSERT_FALSE(dropped);
  EXPECT_EQ(dropped.error().code, Code::NotFound);
}

TEST_F(AnExec, IsOneOfTwentyAtOnce) {
  std::vector<std::thread> callers;
  std::array<Outcome, 20> outcomes;
  for (std::size_t i = 0; i < outcomes.size(); ++i)
    callers.emplace_back([this, i, &outcomes] { outcomes.at(i) = run(web_, {"sh", "-c", "echo " + std::to_string(i) + "; exit " + std::to_string(i)}); });
  for (auto& caller : callers) caller.join();
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(outcomes.at(i).code, static_cast<int>(i));
    EXPECT_EQ(outcomes.at(i).out, std::to_string(i) + "\n");
  }
  const auto left = runtime().running_execs(web_.uuid);
  ASSERT_TRUE(left);
  EXPECT_THAT(*left, IsEmpty());
}

TEST_F(AnExec, IsRefusedBeyondTheBound) {
  for (std::size_t i = 0; i < supervisor::kMaxExecs; ++i) ASSERT_TRUE(terminal(new_uuid(), {"true"}, true));
  const auto refused = terminal(new_uuid(), {"true"}, true);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::LimitsExceeded);
  replace_daemon();  // nobody is left to begin them
  EXPECT_TRUE(eventually([this] {
    const auto left = runtime().running_execs(web_.uuid);
    return left && left->empty();
  }));
}

TEST_F(AnExec, SurvivesTheDaemonAndTellsTheNewOneItsCode) {
  Pipe in = make_pipe();
  const Uuid id = new_uuid();
  ASSERT_TRUE(spawn(web_, id, {"sh", "-c", "read line; exit 9"}, std::move(in.in), nothing()));
  replace_daemon();
  EXPECT_EQ(runtime().status(web_.uuid), InstanceStatus::Running);
  const auto running = runtime().running_execs(web_.uuid);
  ASSERT_TRUE(running);
  EXPECT_THAT(*running, ElementsAre(id));
  ASSERT_EQ(::write(in.out.get(), "\n", 1), 1);
  EXPECT_EQ(reports().wait_code(id), 9);
}

TEST_F(AnExec, ThatEndsWithoutADaemonIsToldToTheNextOne) {
  Pipe in = make_pipe();
  const Uuid id = new_uuid();
  ASSERT_TRUE(spawn(web_, id, {"sh", "-c", "read line; exit 11"}, std::move(in.in), nothing()));
  kill_daemon();
  ASSERT_EQ(::write(in.out.get(), "\n", 1), 1);
  ASSERT_TRUE(eventually([this, &id] { return fs::exists(paths().exec_result(web_.uuid, id)); }));
  new_daemon();
  EXPECT_EQ(reports().wait_code(id), 11);
  EXPECT_TRUE(eventually([this, &id] { return !fs::exists(paths().exec_result(web_.uuid, id)); }));
}

TEST_F(AnExec, EndsAsKilledWithItsContainer) {
  const Uuid id = new_uuid();
  ASSERT_TRUE(spawn(web_, id, {"sleep", "100"}, nothing(), nothing()));
  ASSERT_TRUE(runtime().kill(web_.uuid));
  EXPECT_EQ(reports().wait_code(id), 128 + SIGKILL);
  const auto refused = runtime().running_execs(web_.uuid);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::FailedPrecondition);
}

/// A command with a lifeline, whose other end the test has.
class ALifeline : public AnExec {
 protected:
  void begin(std::vector<std::string> command) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    ours_.reset(ends[0]);
    ports::ExecRequest request{.id = id_, .command = std::move(command), .environment = {{"PATH", "/bin"}}};
    Pipe out = make_pipe();
    out_ = std::move(out.in);
    request.stdin_fd = nothing();
    request.stdout_fd = std::move(out.out);
    request.stderr_fd = nothing();
    request.lifeline.reset(ends[1]);
    const auto running = runtime().exec(web_.uuid, std::move(request));
    ASSERT_TRUE(running) << running.error().message;
  }
  const Uuid id_ = new_uuid();
  UniqueFd ours_, out_;
};

TEST_F(ALifeline, TellsOfTheCommandsEndThoughItsOutputIsStillHeld) {
  begin({"sh", "-c", "sleep 600 & echo ended; exit 5"});
  EXPECT_EQ(drain(ours_.get()), "5\n");
  EXPECT_EQ(reports().wait_code(id_), 5);
  EXPECT_EQ(read_until(out_.get(), "ended\n"), "ended\n") << "what it wrote is there by then";
}

TEST_F(ALifeline, ThatIsCutEndsTheCommandAndWhatItStarted) {
  begin({"sh", "-c", "sleep 600 & sleep 600 & echo begun; wait"});
  ASSERT_EQ(read_until(out_.get(), "begun\n"), "begun\n");
  ours_.reset();
  EXPECT_EQ(reports().wait_code(id_), 128 + SIGKILL);
  EXPECT_EQ(drain(out_.get()), "") << "nobody has its output open any more";
  EXPECT_THAT(run(web_, {"ps"}).out, ::testing::Not(HasSubstr("sleep 600")));
}

TEST_F(ALifeline, ThatIsLetGoLeavesTheCommandAlone) {
  begin({"sh", "-c", "echo begun; sleep 1; exit 4"});
  ASSERT_EQ(read_until(out_.get(), "begun\n"), "begun\n");
  ASSERT_EQ(::send(ours_.get(), "", 1, MSG_NOSIGNAL), 1);
  EXPECT_EQ(drain(ours_.get()), "") << "and says nothing more";
  ours_.reset();
  EXPECT_EQ(reports().wait_code(id_), 4);
}

TEST_F(ALifeline, OutlivesTheDaemon) {
  begin({"sleep", "600"});
  kill_daemon();
  ours_.reset();
  ASSERT_TRUE(eventually([this] { return fs::exists(paths().exec_result(web_.uuid, id_)); }));
  new_daemon();
  EXPECT_EQ(reports().wait_code(id_), 128 + SIGKILL);
}

TEST_F(ALifeline, TellsOfTheEndOfTheContainer) {
  begin({"sleep", "600"});
  ASSERT_TRUE(runtime().kill(web_.uuid));
  EXPECT_EQ(drain(ours_.get()), "137\n");
}

class ASupervisor : public AnExec {};

TEST_F(ASupervisor, ThatIsKilledTakesTheContainerWithItAndLeavesNothing) {
  const pid_t init = runtime().init_pid(web_.uuid);
  ASSERT_GT(init, 1);
  ASSERT_EQ(::kill(supervisor_of(web_), SIGKILL), 0);
  const auto report = reports().wait_exit(web_.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Killed);
  EXPECT_THAT(leftovers(web_), IsEmpty());
  EXPECT_FALSE(fs::exists(paths().instance(web_.uuid)));
  EXPECT_TRUE(start(web_)) << "and it can be started anew";
}

TEST_F(ASupervisor, ThatIsKilledWhileNoDaemonRunsIsTidiedUpByTheNextOne) {
  const pid_t pid = supervisor_of(web_);
  kill_daemon();
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_TRUE(eventually([this] { return supervisor_of(web_) == 0; }));
  new_daemon();
  const auto report = reports().wait_exit(web_.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Killed);
  EXPECT_THAT(leftovers(web_), IsEmpty());
}

TEST_F(ASupervisor, WhoseContainerEndsWithoutADaemonLeavesAWordForTheNextOne) {
  const pid_t pid = supervisor_of(web_);
  kill_daemon();
  ASSERT_EQ(::kill(pid, SIGTERM), 0);
  ASSERT_TRUE(eventually([this] { return fs::exists(paths().exit_file(web_.uuid)); }));
  new_daemon();
  EXPECT_EQ(runtime().status(web_.uuid), InstanceStatus::Stopped);
  const auto report = runtime().last_exit(web_.uuid);
  ASSERT_TRUE(report);
  ASSERT_TRUE(*report);
  EXPECT_EQ((*report)->reason, Reason::Killed);
  const auto again = runtime().last_exit(web_.uuid);
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again) << "it is told once";
}

TEST_F(ASupervisor, OutlivesNonsenseOnItsControlSocket) {
  for (const char* text : {"", "x", "{", "[]", "{\"type\":7}", "{\"type\":\"exec\",\"id\":\"..\"}", "{\"type\":\"unknown\"}", "M"}) {
    const auto socket = connect_packets(paths().control(web_.uuid));
    ASSERT_TRUE(socket);
    (void)::send(socket->get(), text, std::char_traits<char>::length(text), MSG_NOSIGNAL);
  }
  EXPECT_EQ(run(web_, {"echo", "alive"}).out, "alive\n");
}

TEST_F(ASupervisor, HaltsItsContainerByTheStopProgram) {
  std::string program = BERTH_SUPERVISOR;
  std::array<std::string, 6> words{program, "--stop", "--unit", "berth-container@guest.service", "--runtime", paths().root};
  std::array<char*, 7> argv{};
  for (std::size_t i = 0; i < words.size(); ++i) argv.at(i) = words.at(i).data();
  pid_t child = 0;
  ASSERT_EQ(::posix_spawn(&child, program.c_str(), nullptr, nullptr, argv.data(), environ), 0);
  int status = -1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  const auto report = reports().wait_exit(web_.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Stopped);
}

}  // namespace
}  // namespace berth::testing
