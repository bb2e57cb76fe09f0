// A full Debian 12 with systemd as init. The tree is made once by mmdebstrap(1) and kept in /var/tmp for later runs.

#include <gmock/gmock.h>
#include <spawn.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>

#include "tests/system/runtime_bench.hpp"

namespace berth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::IsEmpty;
using Reason = ExitReport::Reason;

constexpr const char* kTree = "/var/tmp/berth-test-debian-12";

int run_program(std::vector<std::string> words) {
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  if (::posix_spawnp(&child, argv.front(), nullptr, nullptr, argv.data(), environ) != 0) return -1;
  int status = -1;
  return ::waitpid(child, &status, 0) == child ? status : -1;
}

class ADebianGuest : public RuntimeBench, public ::testing::WithParamInterface<Rights> {
 protected:
  static void SetUpTestSuite() {
    if (fs::exists(kTree)) return;
    const std::string half = std::string(kTree) + ".new";
    fs::remove_all(half);
    ASSERT_EQ(run_program({"mmdebstrap", "--quiet", "--aptopt=Acquire::Retries \"5\"", "--variant=minbase", "--include=systemd,systemd-sysv,dbus", "bookworm", half}), 0);
    fs::rename(half, kTree);
  }
  std::string system_state(const Guest& guest) { return run(guest, {"systemctl", "is-system-running"}).out; }
};

INSTANTIATE_TEST_SUITE_P(WithEachRights, ADebianGuest, ::testing::Values(Rights::Unprivileged, Rights::Privileged),
                         [](const auto& rights) {
                           return std::string(rights.param == Rights::Unprivileged ? "Unprivileged" : "Privileged");
                         });

TEST_P(ADebianGuest, BootsToRunningRebootsAndHalts) {
  const Guest debian{.rights = GetParam()};
  create(debian, kTree);
  const auto started = start(debian);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_TRUE(eventually([&] { return system_state(debian) == "running\n"; }, 60s))
      << system_state(debian) << run(debian, {"systemctl", "--failed", "--no-legend"}).out;
  (void)run(debian, {"systemctl", "reboot"});
  const auto rebooted = reports().wait_exit(debian.uuid, 60s);
  ASSERT_TRUE(rebooted);
  EXPECT_EQ(rebooted->reason, Reason::Rebooted);
  ASSERT_TRUE(start(debian));
  EXPECT_TRUE(eventually([&] { return system_state(debian) == "running\n"; }, 60s)) << system_state(debian);
  const auto halted = runtime().shutdown(debian.uuid, 60s, {});
  EXPECT_TRUE(halted) << halted.error().message;
  const auto report = reports().wait_exit(debian.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Stopped);
  EXPECT_THAT(leftovers(debian), IsEmpty());
}

}  // namespace
}  // namespace berth::testing
