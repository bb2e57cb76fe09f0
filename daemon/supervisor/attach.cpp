#include "daemon/supervisor/attach.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

#include "daemon/supervisor/lxc_handle.hpp"

namespace berth::supervisor {
namespace {

constexpr int kCannotRun = 126;
constexpr int kNotFound = 127;

/// A command in the form that exec wants, made before any fork.
struct Prepared {
  const ExecCommand* command = nullptr;
  std::vector<char*> argv;
  std::vector<std::string> environment;
  std::vector<char*> envp;
  std::string home;
};

Prepared prepare(const ExecCommand& command) {
  Prepared prepared;
  prepared.command = &command;
  for (const auto& word : command.command) prepared.argv.push_back(const_cast<char*>(word.c_str()));  // exec's old signature
  prepared.argv.push_back(nullptr);
  for (const auto& [key, value] : command.environment) prepared.environment.push_back(key + "=" + value);
  for (auto& entry : prepared.environment) prepared.envp.push_back(entry.data());
  prepared.envp.push_back(nullptr);
  if (const auto home = command.environment.find("HOME"); home != command.environment.end()) prepared.home = home->second;
  return prepared;
}

void reset_signals() {
  for (int signal = 1; signal < NSIG; ++signal)
    if (signal != SIGKILL && signal != SIGSTOP) (void)::signal(signal, SIG_DFL);
  sigset_t none;
  (void)::sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// Runs inside the container, as the wanted user.
int run_inside(void* payload) {
  auto& prepared = *static_cast<Prepared*>(payload);
  const ExecCommand& command = *prepared.command;
  (void)::setsid();
  if (command.terminal && ::ioctl(STDIN_FILENO, TIOCSCTTY, 0) != 0) {
    if (errno != EIO) return kCannotRun;
    reset_signals();  // the other side has hung up already: end as the command would have
    (void)::raise(SIGHUP);
  }
  const std::string& folder = command.cwd.empty() ? prepared.home : command.cwd;
  if (folder.empty() || ::chdir(folder.c_str()) != 0) (void)!::chdir("/");
  reset_signals();
  (void)::close_range(3, ~0U, 0);
  environ = prepared.envp.data();
  (void)::execvp(prepared.argv.front(), prepared.argv.data());
  return errno == ENOENT || errno == ENOTDIR ? kNotFound : kCannotRun;
}

/// Streams to 0 to 2, the report to 3, nothing else.
void arrange_descriptors(const std::array<int, 3>& streams, int report) {
  for (int fd = 0; fd <= 2; ++fd) (void)::dup2(streams.at(static_cast<std::size_t>(fd)), fd);
  if (report != 3) (void)::dup3(report, 3, O_CLOEXEC);
  (void)::close_range(4, ~0U, 0);
}

int attach(const Uuid& uuid, const RuntimePaths& paths, Prepared& prepared) {
  auto lxc = LxcHandle::open(uuid.str(), paths.lxc());
  if (!lxc) return 1;
  lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
  options.env_policy = LXC_ATTACH_CLEAR_ENV;
  options.uid = prepared.command->uid;
  options.gid = prepared.command->gid;
  std::string root = "/";
  options.initial_cwd = root.data();
  pid_t pid = -1;
  if (lxc->get()->attach(lxc->get(), run_inside, &prepared, &options, &pid) != 0 || pid <= 0) return 1;
  const std::string text = std::to_string(pid);
  return ::write(3, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1;
}

}  // namespace

Result<Attacher> attach_command(const Uuid& uuid, const RuntimePaths& paths, const ExecCommand& command,
                                const std::array<int, 3>& streams) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  UniqueFd in(ends[0]);
  const UniqueFd out(ends[1]);
  if (::fcntl(in.get(), F_SETFL, O_NONBLOCK) != 0) return system_error("cannot prepare a pipe", errno);
  Prepared prepared = prepare(command);
  const pid_t child = ::fork();
  if (child < 0) return system_error("cannot fork", errno);
  if (child == 0) {
    (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
    reset_signals();
    arrange_descriptors(streams, out.get());
    ::_exit(attach(uuid, paths, prepared));
  }
  return Attacher{child, std::move(in)};
}

}  // namespace berth::supervisor
