#include "cli/commands/file_transfer.hpp"
#include "cli/commands/shared.hpp"
#include "cli/guest_files.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/remotes.hpp"
#include "cli/terminal.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <spawn.h>
#include <sys/wait.h>

extern char** environ;

namespace berth::cli {
namespace {

Result<UniqueFd> open_sftp(const GuestPath& path) {
  rest::Request request;
  request.method = "GET";
  request.target = api_path("instances", path.instance.name) + "/sftp";
  request.headers.add("Upgrade", "sftp");
  auto response = path.instance.server->call(std::move(request));
  if (auto* const stream = std::get_if<rest::Stream>(&response.body); stream && stream->raw) return std::move(stream->raw);
  BERTH_CHECK(metadata(response));
  return Error{Code::Internal, "the server gave no SFTP connection"};
}

/// Runs sshfs with the socket as its connection, the signals of `caught` blocked here and plain there.
Result<pid_t> start_sshfs(int socket, std::string source, std::string target, const sigset_t& caught) {
  if (target.starts_with('-')) target = "./" + target;  // a folder, not a flag
  std::array<std::string, 6> words{"sshfs", "-f", "-o", "slave", std::move(source), std::move(target)};
  std::array<char*, 7> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments.at(i) = words.at(i).data();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO}) ::posix_spawn_file_actions_adddup2(&actions, socket, fd);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &caught);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int failure = ::posix_spawnp(&pid, "sshfs", &actions, &attributes, arguments.data(), environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) return Error{Code::NotSupported, "sshfs was not found: install it to mount files of instances"};
  if (failure != 0) return system_error("cannot start sshfs", failure);
  return pid;
}

/// A signal to this program ends the mount, and only then the program.
Result<int> mount(Context& context, const std::string& argument, const std::string& target) {
  BERTH_TRY(const auto path, guest_path(context, argument, "path"));
  const auto& name = path.instance.name;
  BERTH_TRY(const auto* const configuration, context.configuration());
  const auto remote = configuration->remotes.find(path.instance.server->remote());
  if (remote == configuration->remotes.end() || !remote->second.is_local())
    return Error{Code::NotSupported, "berth mounts files of this machine's instances only; of others, lxc file mount does"};
  BERTH_TRY(UniqueFd socket, open_sftp(path));
  sigset_t caught;
  sigemptyset(&caught);
  for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP}) sigaddset(&caught, number);
  ::pthread_sigmask(SIG_BLOCK, &caught, nullptr);
  BERTH_TRY(const pid_t pid, start_sshfs(socket.get(), "berth." + name + ":" + path.path, target, caught));
  socket.reset();
  print("sshfs mounting \"" + name + path.path + "\" on \"" + target + "\"\nPress ctrl+c to finish\n");
  BERTH_CHECK(flush_output());
  for (;;) {
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    int number = 0;
    ::sigwait(&caught, &number);
    if (number != SIGCHLD) ::kill(pid, SIGTERM);
  }
}

}  // namespace

Command mount_command() {
  return {.name = "mount",
          .aliases = {},
          .arguments = "<instance>/<path> <target path>",
          .summary = "Mount files from instances",
          .description = "A folder of an instance, running or stopped, appears in a folder here until Ctrl-C. sshfs must be installed.",
          .examples = "berth file mount web/srv /mnt",
          .least = 2,
          .most = 2,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) { return mount(context, arguments[0], arguments[1]); },
          .commands = {}};
}

}  // namespace berth::cli
