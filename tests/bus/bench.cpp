#include "tests/bus/bench.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "tests/bus/client.hpp"
#include "tests/unit/image/tar_builder.hpp"

namespace berth::bustest {
namespace {

constexpr int kPatience = 20'000;

std::string whole(const std::string& path) {
  std::ifstream stream(path);
  return {std::istreambuf_iterator<char>(stream), {}};
}

UniqueFd listen_at(const std::string& path, int kind) {
  UniqueFd fd(::socket(AF_UNIX, kind | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  if (::bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 || (kind != SOCK_DGRAM && ::listen(fd.get(), 64) != 0))
    throw std::runtime_error("cannot bind " + path);
  return fd;
}

/// /etc/passwd with the bridge's user, seen by this process and its children alone.
void add_bridge_user(const std::string& folder) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    throw std::runtime_error("no mount namespace of our own: these tests need root");
  auto text = whole("/etc/passwd");
  if (const auto at = text.find("\nberth-rest:"); at != std::string::npos) text.erase(at + 1, text.find('\n', at + 1) - at);
  const auto file = folder + "/passwd";
  std::ofstream(file) << text << "berth-rest:x:" << kBridge << ":" << kBridge << "::/nonexistent:/usr/sbin/nologin\n";
  if (::mount(file.c_str(), "/etc/passwd", nullptr, MS_BIND, nullptr) != 0) throw std::runtime_error("cannot bind /etc/passwd");
}

void write_bus_configuration(const std::string& folder) {
  std::ofstream(folder + "/bus.conf") << R"(<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>system</type><listen>unix:path=)" << folder << R"(/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><deny own="*"/><deny send_type="method_call"/><allow send_type="signal"/>
<allow send_requested_reply="true" send_type="method_return"/><allow send_requested_reply="true" send_type="error"/>
<allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/><allow receive_type="signal"/>
<allow send_destination="org.freedesktop.DBus" send_interface="org.freedesktop.DBus"/></policy>
<policy user="root"><allow own="org.freedesktop.PolicyKit1"/><allow send_destination="org.freedesktop.PolicyKit1"/></policy>
<include>)" BUS_POLICY R"(</include></busconfig>)";
}

void end_process(pid_t& pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGTERM);
  ::waitpid(pid, nullptr, 0);
  pid = 0;
}

}  // namespace

Bench& Bench::get() {
  static Bench bench;
  return bench;
}

Bench::Bench() {
  if (::geteuid() != 0) throw std::runtime_error("these tests need root");
  ::signal(SIGPIPE, SIG_IGN);
  char name[] = "/tmp/berth-bus-test-XXXXXX";
  if (::mkdtemp(name) == nullptr) throw std::runtime_error("no folder");
  folder_ = name;
  for (const auto* each : {"", "/run", "/libexec"}) {
    std::filesystem::create_directories(folder_ + each);
    std::filesystem::permissions(folder_ + each, std::filesystem::perms(0755));
  }
  std::filesystem::create_symlink(BERTH_SUPERVISOR, folder_ + "/libexec/berth-supervisor");
  std::filesystem::create_symlink(BERTH_HELPER, folder_ + "/libexec/berth-helper");
  add_bridge_user(folder_);
  write_bus_configuration(folder_);
  ::setenv("DBUS_SYSTEM_BUS_ADDRESS", ("unix:path=" + folder_ + "/bus").c_str(), 1);

  // The bus says its address when it listens.
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  const UniqueFd said(ends[0]);
  UniqueFd says(ends[1]);
  bus_ = spawn({"/usr/bin/dbus-daemon", "--config-file=" + folder_ + "/bus.conf", "--nofork", "--nosyslog", "--print-address=3"}, {},
               folder_ + "/bus.log", says.get());
  says.reset();
  pollfd wait{.fd = said.get(), .events = POLLIN, .revents = 0};
  char byte = 0;
  if (::poll(&wait, 1, kPatience) <= 0 || ::read(said.get(), &byte, 1) != 1)
    throw std::runtime_error("the message bus does not start:\n" + whole(folder_ + "/bus.log"));

  doorbell_ = listen_at(folder_ + "/run/supervisor.socket", SOCK_SEQPACKET);
  notify_ = listen_at(folder_ + "/notify", SOCK_DGRAM);
  start_daemon();
}

Bench::~Bench() {
  (void)stop_daemon();
  end_process(bus_);
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

/// `socket` becomes descriptor 3 of the program.
pid_t Bench::spawn(std::vector<std::string> command, std::vector<std::string> environment, const std::string& log, int socket) {
  environment.push_back("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
  environment.push_back(std::string("DBUS_SYSTEM_BUS_ADDRESS=") + std::getenv("DBUS_SYSTEM_BUS_ADDRESS"));
  for (const auto* passed : {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "BERTH_DEBUG"})
    if (const char* value = std::getenv(passed)) environment.push_back(std::string(passed) + "=" + value);
  // Nothing may allocate between fork and exec: the fake polkit has a thread.
  char listen_pid[32] = "LISTEN_PID=";
  std::vector<char*> arguments, variables{listen_pid};
  for (auto& word : command) arguments.push_back(word.data());
  for (auto& variable : environment) variables.push_back(variable.data());
  arguments.push_back(nullptr);
  variables.push_back(nullptr);
  const UniqueFd output(::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644));
  const pid_t pid = ::fork();
  if (pid != 0) return pid;
  (void)::prctl(PR_SET_PDEATHSIG, SIGKILL);
  (void)::snprintf(listen_pid + 11, sizeof listen_pid - 11, "%d", ::getpid());
  (void)::dup2(output.get(), 1);
  (void)::dup2(output.get(), 2);
  if (socket == 3) (void)::fcntl(3, F_SETFD, 0);
  if (socket > 3) (void)::dup2(socket, 3);
  ::execve(arguments[0], arguments.data(), variables.data());
  ::_exit(127);
}

void Bench::start_daemon() {
  daemon_ = spawn({BERTHD}, {"STATE_DIRECTORY=" + state(), "RUNTIME_DIRECTORY=" + folder_ + "/run", "NOTIFY_SOCKET=" + folder_ + "/notify",
                             "BERTH_LIBEXEC=" + folder_ + "/libexec", "LISTEN_FDS=1", "LISTEN_FDNAMES=supervisor"},
                  folder_ + "/berthd.log", doorbell_.get());
  for (;;) {
    pollfd wait{.fd = notify_.get(), .events = POLLIN, .revents = 0};
    char text[512];
    if (::poll(&wait, 1, kPatience) <= 0) throw std::runtime_error("berthd does not get ready:\n" + whole(folder_ + "/berthd.log"));
    const auto size = ::recv(notify_.get(), text, sizeof text, 0);
    if (size > 0 && std::string_view(text, static_cast<std::size_t>(size)).find("READY=1") != std::string_view::npos) return;
  }
}

bool Bench::stop_daemon() {
  if (daemon_ <= 0) return true;
  ::kill(daemon_, SIGTERM);
  int status = 0;
  const bool ended = ::waitpid(daemon_, &status, 0) == daemon_ && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  daemon_ = 0;
  return ended;
}

const std::string& Bench::make_instance() {
  if (!instance_operation_.empty()) return instance_operation_;
  Client root;
  const auto archive = testing_support::file_of(
      testing_support::TarBuilder().good_metadata().folder("rootfs/").folder("rootfs/etc/").file("rootfs/etc/name", "bench\n").bytes());
  const auto imported = root.call(kRoot, kManager, "ImportImage", [&](sd_bus_message* m) {
    (void)sd_bus_message_append(m, "sha{sv}", "default", archive.get(), 1, "aliases", "a{ss}", 1, "small", "");
  });
  if (!imported.ok() || root.end_of(imported.word()) != "success") throw std::runtime_error("no image: " + imported.text + whole(folder_ + "/berthd.log"));
  const auto image = root.call(kRoot, kManager, "GetImage", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "ss", "default", "small"); });
  image_ = image.word();
  const auto created = root.call(kRoot, kManager, "CreateInstance", [](sd_bus_message* m) {
    (void)sd_bus_message_append(m, "ssa{sv}", "default", "bench", 1, "source", "a{sv}", 2, "type", "s", "image", "alias", "s", "small");
  });
  if (!created.ok() || root.end_of(created.word()) != "success") throw std::runtime_error("no instance: " + created.text + whole(folder_ + "/berthd.log"));
  instance_operation_ = created.word();
  return instance_operation_;
}

}  // namespace berth::bustest
