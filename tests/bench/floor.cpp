// The floor for Berth's figures: what liblxc itself needs for the same container. Prints milliseconds.
//
//   bench-floor start NAME CONFIG      from here to RUNNING, and from the kill to STOPPED
//   bench-floor attach NAME LXC_PATH   from here to the end of /bin/true in a running container
//
// CONFIG is a file of liblxc lines, rootfs and id map included.

#include <lxc/lxccontainer.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>

namespace {

using Clock = std::chrono::steady_clock;

double milliseconds_since(Clock::time_point begin) {
  return std::chrono::duration<double, std::milli>(Clock::now() - begin).count();
}

bool is_state(lxc_container* c, const char* wanted) {
  const char* state = c->state(c);
  return state != nullptr && std::strcmp(state, wanted) == 0;
}

void wait_for(lxc_container* c, const char* wanted) {
  while (!is_state(c, wanted)) {
    const timespec pause{.tv_sec = 0, .tv_nsec = 500'000};
    (void)::nanosleep(&pause, nullptr);
  }
}

int run_container(lxc_container* c) {
  (void)c->want_daemonize(c, false);
  return c->start(c, 0, nullptr) ? 0 : 1;
}

int measure_start(const char* name, const char* config) {
  const auto begin = Clock::now();
  lxc_container* c = ::lxc_container_new(name, "/run");
  if (c == nullptr || !c->load_config(c, config)) return 1;
  const pid_t monitor = ::fork();
  if (monitor == 0) ::_exit(run_container(c));
  wait_for(c, "RUNNING");
  const double started = milliseconds_since(begin);
  const auto stop = Clock::now();
  (void)c->stop(c);
  (void)::waitpid(monitor, nullptr, 0);
  (void)std::printf("start %.2f stop %.2f\n", started, milliseconds_since(stop));
  (void)::lxc_container_put(c);
  return 0;
}

int measure_attach(const char* name, const char* path) {
  const auto begin = Clock::now();
  lxc_container* c = ::lxc_container_new(name, path);
  if (c == nullptr) return 1;
  lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
  std::string program = "/bin/true";
  char* argv[] = {program.data(), nullptr};
  lxc_attach_command_t command{.program = program.data(), .argv = argv};
  pid_t pid = 0;
  int status = -1;
  if (c->attach(c, lxc_attach_run_command, &command, &options, &pid) != 0 || ::waitpid(pid, &status, 0) != pid) return 1;
  (void)std::printf("attach %.2f status %d\n", milliseconds_since(begin), status);
  (void)::lxc_container_put(c);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view verb = argc == 4 ? argv[1] : "";
  if (verb == "start") return measure_start(argv[2], argv[3]);
  if (verb == "attach") return measure_attach(argv[2], argv[3]);
  (void)std::fprintf(stderr, "bench-floor start NAME CONFIG | attach NAME LXC_PATH\n");
  return 2;
}
