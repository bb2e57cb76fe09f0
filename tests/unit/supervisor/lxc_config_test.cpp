#include "daemon/domain/lxc_config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace berth {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::Not;
using ::testing::Pair;

const std::set<std::string> kControllers{"memory", "cpu", "cpuset", "pids", "io", "blkio", "devices"};

LxcHostFacts host(bool unified) {
  LxcHostFacts facts;
  facts.unified_cgroups = unified;
  facts.controllers = kControllers;
  facts.swap_accounting = true;
  facts.memory_bytes = 1000;
  facts.cpus = {3, 1, 0, 2};
  return facts;
}
const LxcHostFacts kOld = host(false);
const LxcHostFacts kNew = host(true);

LxcConfigRequest request(ConfigMap config = {}) {
  return {.name = *InstanceName::parse("web"), .config = std::move(config), .architecture = "x86_64"};
}

LxcConfig lines(const LxcConfigRequest& wanted, const LxcHostFacts& facts = kOld) {
  auto made = make_lxc_config(wanted, facts);
  EXPECT_TRUE(made);
  return made ? *made : LxcConfig{};
}

LxcConfig limits(ConfigMap config, const LxcHostFacts& facts) {
  auto made = limit_lines(config, facts);
  EXPECT_TRUE(made);
  return made ? *made : LxcConfig{};
}

TEST(AnLxcConfig, KeepsAllRightsToItselfWhenUnprivileged) {
  const auto made = lines(request());
  EXPECT_THAT(made, Contains(Pair("lxc.uts.name", "web")));
  EXPECT_THAT(made, Contains(Pair("lxc.mount.auto", "proc:rw sys:rw")));
  EXPECT_THAT(made, Not(Contains(Key("lxc.cap.drop"))));
}

TEST(AnLxcConfig, DropsCapabilitiesAndGuardsProcWhenPrivileged) {
  auto wanted = request();
  wanted.privileged = true;
  const auto made = lines(wanted);
  EXPECT_THAT(made, Contains(Pair("lxc.cap.drop", "sys_time sys_module sys_rawio mac_admin mac_override")));
  EXPECT_THAT(made, Contains(Pair("lxc.mount.auto", "proc:mixed sys:mixed")));
}

TEST(AnLxcConfig, DeniesEveryDeviceBeforeItAllowsSome) {
  for (const auto& [facts, prefix] : {std::pair{kOld, "lxc.cgroup.devices."}, std::pair{kNew, "lxc.cgroup2.devices."}}) {
    LxcConfig rules;
    for (const auto& line : lines(request(), facts))
      if (line.first.starts_with(prefix)) rules.push_back(line);
    ASSERT_GT(rules.size(), 2U);
    EXPECT_EQ(rules.front(), std::pair(prefix + std::string("deny"), std::string("a")));
    EXPECT_EQ(rules[1].first, prefix + std::string("allow"));
  }
}

TEST(AnLxcConfig, MountsOnlyWhatTheHostHas) {
  LxcHostFacts facts = kOld;
  facts.present_paths = {"/dev/fuse"};
  const auto made = lines(request(), facts);
  EXPECT_THAT(made, Contains(Pair("lxc.mount.entry", "/dev/fuse dev/fuse none bind,create=file,optional 0 0")));
  EXPECT_THAT(made, Not(Contains(Pair("lxc.mount.entry", HasSubstr("/dev/net/tun")))));
}

TEST(AnLxcConfig, OpensProcAndSysForNestingAlone) {
  EXPECT_THAT(lines(request()), Not(Contains(Pair("lxc.mount.entry", HasSubstr("dev/.lxc/proc")))));
  EXPECT_THAT(lines(request({{"security.nesting", "true"}})), Contains(Pair("lxc.mount.entry", HasSubstr("dev/.lxc/proc"))));
}

TEST(AnLxcConfig, PutsRawLinesLastInTheirOrder) {
  const auto made = lines(request({{"raw.lxc", "# mine\nlxc.signal.halt = SIGTERM\n\n lxc.environment=A = 1 \n"},
                                   {"environment.B", "2"}}));
  ASSERT_GE(made.size(), 2U);
  EXPECT_EQ(made[made.size() - 2], std::pair(std::string("lxc.signal.halt"), std::string("SIGTERM")));
  EXPECT_EQ(made.back(), std::pair(std::string("lxc.environment"), std::string("A = 1")));
  EXPECT_THAT(made, Contains(Pair("lxc.environment", "B=2")));
}

TEST(Limits, AreNoneByDefault) {
  EXPECT_THAT(limits({}, kOld), IsEmpty());
  EXPECT_THAT(limits({}, kNew), IsEmpty());
}

TEST(Limits, OfMemoryAreHardUnlessSoftIsAskedFor) {
  EXPECT_THAT(limits({{"limits.memory", "1MiB"}}, kOld), ElementsAre(Pair("lxc.cgroup.memory.limit_in_bytes", "1048576")));
  EXPECT_THAT(limits({{"limits.memory", "50%"}}, kNew), ElementsAre(Pair("lxc.cgroup2.memory.max", "500")));
  EXPECT_THAT(limits({{"limits.memory", "1MiB"}, {"limits.memory.enforce", "soft"}}, kNew),
              ElementsAre(Pair("lxc.cgroup2.memory.high", "1048576")));
}

TEST(Limits, WithoutSwapLeaveNone) {
  EXPECT_THAT(limits({{"limits.memory", "1MiB"}, {"limits.memory.swap", "false"}}, kOld),
              ElementsAre(Pair("lxc.cgroup.memory.limit_in_bytes", "1048576"),
                          Pair("lxc.cgroup.memory.memsw.limit_in_bytes", "1048576"), Pair("lxc.cgroup.memory.swappiness", "0")));
  EXPECT_THAT(limits({{"limits.memory.swap", "false"}}, kNew), ElementsAre(Pair("lxc.cgroup2.memory.swap.max", "0")));
}

TEST(Limits, OfProcessorsAreACountOfTheIdlestOrASet) {
  EXPECT_THAT(limits({{"limits.cpu", "2"}}, kOld), ElementsAre(Pair("lxc.cgroup.cpuset.cpus", "1,3")));
  EXPECT_THAT(limits({{"limits.cpu", "0-1,3"}}, kNew), ElementsAre(Pair("lxc.cgroup2.cpuset.cpus", "0-1,3")));
}

TEST(Limits, OfProcessorTimeAreASoftShareOrAHardQuota) {
  EXPECT_THAT(limits({{"limits.cpu.allowance", "50%"}}, kOld), ElementsAre(Pair("lxc.cgroup.cpu.shares", "512")));
  EXPECT_THAT(limits({{"limits.cpu.allowance", "50%"}}, kNew), ElementsAre(Pair("lxc.cgroup2.cpu.weight", "50")));
  EXPECT_THAT(limits({{"limits.cpu.allowance", "25ms/100ms"}}, kOld),
              ElementsAre(Pair("lxc.cgroup.cpu.cfs_period_us", "100000"), Pair("lxc.cgroup.cpu.cfs_quota_us", "25000")));
  EXPECT_THAT(limits({{"limits.cpu.allowance", "25ms/100ms"}}, kNew), ElementsAre(Pair("lxc.cgroup2.cpu.max", "25000 100000")));
}

TEST(Limits, NameTheControllerThatIsMissing) {
  LxcHostFacts bare = kOld;
  bare.controllers.clear();
  const auto made = limit_lines({{"limits.processes", "5"}}, bare);
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::FailedPrecondition);
  EXPECT_THAT(made.error().message, HasSubstr("pids"));
}

TEST(Limits, OfTheKernelBecomeResourceLimits) {
  EXPECT_THAT(limits({{"limits.kernel.nofile", "10:20"}, {"limits.processes", "5"}}, kOld),
              ElementsAre(Pair("lxc.cgroup.pids.max", "5"), Pair("lxc.prlimit.nofile", "10:20")));
}

TEST(AControlFile, IsTranslatedForOldCgroups) {
  const auto files = [](const char* file, const char* value) { return *v1_control_files(file, value); };
  EXPECT_THAT(files("memory.max", "max"), ElementsAre(Pair("memory.limit_in_bytes", "-1")));
  EXPECT_THAT(files("cpu.weight", "50"), ElementsAre(Pair("cpu.shares", "512")));
  EXPECT_THAT(files("cpu.max", "max 100000"),
              ElementsAre(Pair("cpu.cfs_period_us", "100000"), Pair("cpu.cfs_quota_us", "-1")));
  EXPECT_THAT(files("pids.max", "7"), ElementsAre(Pair("pids.max", "7")));
  EXPECT_FALSE(v1_control_files("cpu.weight", "heavy"));
}

TEST(ASeccompPolicy, DeniesWhatEndangersTheHostByDefault) {
  const auto policy = seccomp_policy({});
  ASSERT_TRUE(policy);
  ASSERT_TRUE(*policy);
  EXPECT_THAT(**policy, ::testing::StartsWith("2\ndenylist\n"));
  EXPECT_THAT(**policy, HasSubstr("kexec_load errno 38\n"));
}

TEST(ASeccompPolicy, IsNoneWhenTheDefaultIsSwitchedOff) {
  for (const char* key : {"security.syscalls.deny_default", "security.syscalls.blacklist_default"}) {
    const auto policy = seccomp_policy({{key, "false"}});
    ASSERT_TRUE(policy);
    EXPECT_FALSE(*policy) << key;
  }
}

TEST(ASeccompPolicy, TakesTheUsersCalls) {
  EXPECT_THAT(**seccomp_policy({{"security.syscalls.deny", "keyctl\nptrace errno 1"}}),
              HasSubstr("keyctl errno 38\nptrace errno 1\n"));
  EXPECT_EQ(**seccomp_policy({{"security.syscalls.allow", "read\nwrite"}}), "2\nallowlist\n[all]\nread\nwrite\n");
  EXPECT_EQ(**seccomp_policy({{"raw.seccomp", "2\nmine\n"}}), "2\nmine\n");
  EXPECT_EQ(seccomp_policy({{"security.syscalls.deny_compat", "true"}}).error().code, Code::NotSupported);
}

}  // namespace
}  // namespace berth
