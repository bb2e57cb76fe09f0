#include "tests/system/runtime_bench.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/cgroup.hpp"
#include "base/packet.hpp"

namespace berth::testing {
namespace fs = std::filesystem;
namespace {

constexpr std::uint32_t kFirstId = 1000000;
constexpr std::uint32_t kIdCount = 65536;

IdMap unprivileged_map() {
  return IdMap{{{.uid = true, .inside = 0, .outside = kFirstId, .count = kIdCount},
                {.uid = false, .inside = 0, .outside = kFirstId, .count = kIdCount}}};
}

bool poll_until(int fd, std::chrono::steady_clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now()).count();
  pollfd entry{.fd = fd, .events = POLLIN, .revents = 0};
  return left > 0 && ::poll(&entry, 1, static_cast<int>(left)) > 0;
}

}  // namespace

void Reports::exited(const Uuid& uuid, ExitReport report) {
  const std::scoped_lock lock(mutex_);
  exits_.emplace(uuid, std::move(report));
  changed_.notify_all();
}

void Reports::finished(const Uuid& exec, int code) {
  const std::scoped_lock lock(mutex_);
  codes_[exec] = code;
  changed_.notify_all();
}

std::optional<ExitReport> Reports::wait_exit(const Uuid& uuid, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, limit, [&] { return exits_.contains(uuid); })) return std::nullopt;
  const auto found = exits_.find(uuid);
  ExitReport report = found->second;
  exits_.erase(found);
  return report;
}

std::optional<int> Reports::wait_code(const Uuid& exec, std::chrono::seconds limit) {
  std::unique_lock lock(mutex_);
  if (!changed_.wait_for(lock, limit, [&] { return codes_.contains(exec); })) return std::nullopt;
  return codes_.at(exec);
}

void RuntimeBench::SetUp() {
  scratch_ = std::make_unique<ScratchFolder>();
  image_ = scratch_->path() + "/image";
  make_busybox_tree(image_);
  std::string root = "/run/berth-test-XXXXXX";
  ASSERT_NE(::mkdtemp(root.data()), nullptr);
  ASSERT_EQ(::chmod(root.c_str(), 0755), 0);
  paths_.root = root;
  units_ = std::make_unique<process::ProcessUnits>(paths_, BERTH_SUPERVISOR);
  new_daemon();
}

void RuntimeBench::TearDown() {
  for (const auto& [unit, plan] : plans_) {
    if (runtime_) (void)runtime_->kill(plan.uuid);
    (void)units_->kill(unit, plan.uuid);
    (void)remove_container_cgroups(std::string(supervisor::kCgroupParent), plan.uuid.str(), true);
  }
  runtime_.reset();
  std::error_code failed;
  fs::remove_all(paths_.root, failed);
}

void RuntimeBench::new_daemon() {
  reports_ = std::make_shared<Reports>();
  runtime_ = std::make_unique<lxc::LxcRuntime>(paths_, *units_);
  const auto attached = runtime_->attach(
      {.on_exit = [reports = reports_](Uuid uuid, ExitReport report) { reports->exited(uuid, std::move(report)); },
       .on_exec_finished = [reports = reports_](OperationId id, int code) { reports->finished(id, code); },
       .on_prepare = [this](std::string unit, std::string, std::function<void(Result<StartPlan>)> reply) {
         const std::scoped_lock lock(mutex_);
         const auto found = plans_.find(unit);
         if (found == plans_.end()) return reply(Error{Code::NotFound, "no plan for " + unit});
         reply(found->second);
       }});
  ASSERT_TRUE(attached) << attached.error().message;
}

void RuntimeBench::replace_daemon() {
  kill_daemon();
  new_daemon();
}

std::string RuntimeBench::unit(const Guest& guest) const { return units_->unit_name(default_project(), guest.name); }

void RuntimeBench::create(const Guest& guest, const std::string& image) {
  const std::string tree = image.empty() ? image_ : image;
  const bool privileged = guest.rights == Rights::Privileged;
  fs::create_directories(layer(guest) + "/upper");
  fs::create_directories(layer(guest) + "/work");
  StartPlan plan{.uuid = guest.uuid, .project = default_project(), .name = guest.name};
  if (!privileged) plan.idmap = unprivileged_map();
  if (guest.root == Root::Overlay) {
    plan.root = {.kind = RootSpec::Kind::Overlay, .lower = tree, .layer = layer(guest)};
  } else {
    plan.root = {.kind = RootSpec::Kind::Plain, .plain = layer(guest) + "/plain"};
    fs::copy(tree, plan.root.plain, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
  }
  const auto policy = seccomp_policy(guest.config);
  ASSERT_TRUE(policy);
  std::string policy_file;
  if (*policy) {
    policy_file = layer(guest) + "/seccomp";
    std::ofstream(policy_file) << **policy;
  }
  auto lines = make_lxc_config({.name = guest.name,
                                .config = guest.config,
                                .architecture = "x86_64",
                                .privileged = privileged,
                                .seccomp_file = policy_file},
                               lxc::host_facts());
  ASSERT_TRUE(lines) << lines.error().message;
  plan.lxc_config = *std::move(lines);
  plan.log_file = layer(guest) + "/lxc.log";
  plan.console_file = layer(guest) + "/console.log";
  const std::scoped_lock lock(mutex_);
  plans_.insert_or_assign(unit(guest), std::move(plan));
}

Result<void> RuntimeBench::start(const Guest& guest) { return runtime_->start(guest.uuid, default_project(), guest.name); }

Result<ports::RunningExec> RuntimeBench::spawn(const Guest& guest, const Uuid& id, std::vector<std::string> command,
                                               UniqueFd in, UniqueFd out) {
  ports::ExecRequest request{.id = id, .command = std::move(command), .environment = {{"PATH", "/bin:/sbin"}}};
  request.stderr_fd.reset(::fcntl(out.get(), F_DUPFD_CLOEXEC, 0));
  request.stdin_fd = std::move(in);
  request.stdout_fd = std::move(out);
  return runtime_->exec(guest.uuid, std::move(request));
}

Outcome RuntimeBench::run(const Guest& guest, std::vector<std::string> command, ConfigMap environment, std::uint32_t uid,
                          const std::string& cwd) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  const UniqueFd in(ends[0]);
  UniqueFd out(ends[1]);
  if (environment.empty()) environment = {{"PATH", "/bin:/sbin:/usr/bin:/usr/sbin"}, {"HOME", "/root"}};
  ports::ExecRequest request{.id = new_uuid(), .command = std::move(command), .environment = std::move(environment)};
  request.uid = uid;
  request.gid = uid;
  request.cwd = cwd;
  request.stdin_fd.reset(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  request.stderr_fd.reset(::fcntl(out.get(), F_DUPFD_CLOEXEC, 0));
  request.stdout_fd = std::move(out);
  const Uuid id = request.id;
  const auto started = runtime_->exec(guest.uuid, std::move(request));
  if (!started) return {.code = -1, .out = started.error().message};
  std::string text = drain(in.get());
  return {.code = reports_->wait_code(id).value_or(-2), .out = std::move(text)};
}

pid_t RuntimeBench::supervisor_of(const Guest& guest) const {
  const auto control = connect_packets(paths_.control(guest.uuid));
  if (!control) return 0;
  ucred who{};
  socklen_t size = sizeof who;
  return ::getsockopt(control->get(), SOL_SOCKET, SO_PEERCRED, &who, &size) == 0 ? who.pid : 0;
}

std::vector<std::string> RuntimeBench::leftovers(const Guest& guest) {
  std::vector<std::string> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);)
    if (line.find(guest.uuid.str()) != std::string::npos) found.push_back(line);
  std::error_code failed;
  for (const auto& hierarchy : cgroup_hierarchies())
    for (const auto& entry :
         fs::directory_iterator(hierarchy.mount + "/" + std::string(supervisor::kCgroupParent), failed))
      if (entry.path().filename().string().find(guest.uuid.str()) != std::string::npos) found.push_back(entry.path());
  return found;
}

std::string drain(int fd, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::string text;
  std::array<char, 4096> chunk{};
  while (poll_until(fd, end)) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

std::string read_until(int fd, const std::string& wanted, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::string text;
  std::array<char, 4096> chunk{};
  while (text.find(wanted) == std::string::npos && poll_until(fd, end)) {
    const ssize_t got = ::read(fd, chunk.data(), chunk.size());
    if (got <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(got));
  }
  return text;
}

bool eventually(const std::function<bool()>& holds, std::chrono::seconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  while (!holds()) {
    if (std::chrono::steady_clock::now() > end) return false;
    (void)never.wait_for(lock, 2ms);
  }
  return true;
}

}  // namespace berth::testing
