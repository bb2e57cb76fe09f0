#include <gmock/gmock.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "base/cgroup.hpp"
#include "base/packet.hpp"
#include "tests/system/runtime_bench.hpp"

namespace berth::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Reason = ExitReport::Reason;

struct Kind {
  const char* name;
  Root root;
  Rights rights;
};

class AContainer : public RuntimeBench, public ::testing::WithParamInterface<Kind> {
 protected:
  Guest guest() { return Guest{.root = GetParam().root, .rights = GetParam().rights}; }
};

INSTANTIATE_TEST_SUITE_P(OfEachKind, AContainer,
                         ::testing::Values(Kind{"UnprivilegedOnOverlay", Root::Overlay, Rights::Unprivileged},
                                           Kind{"UnprivilegedOnPlainTree", Root::Plain, Rights::Unprivileged},
                                           Kind{"PrivilegedOnOverlay", Root::Overlay, Rights::Privileged},
                                           Kind{"PrivilegedOnPlainTree", Root::Plain, Rights::Privileged}),
                         [](const auto& kind) { return std::string(kind.param.name); });

TEST_P(AContainer, StartsRunsAndEndsWithoutATrace) {
  const Guest web = guest();
  create(web);
  const auto started = start(web);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(runtime().status(web.uuid), InstanceStatus::Running);
  EXPECT_EQ(run(web, {"id", "-u"}).out, "0\n");
  ASSERT_TRUE(runtime().kill(web.uuid));
  EXPECT_EQ(runtime().status(web.uuid), InstanceStatus::Stopped);
  const auto report = reports().wait_exit(web.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Killed);
  EXPECT_THAT(leftovers(web), IsEmpty());
}

TEST_P(AContainer, WritesFilesThatBelongToItsOwnIdsOnDisk) {
  const Guest web = guest();
  create(web);
  ASSERT_TRUE(start(web));
  EXPECT_EQ(run(web, {"sh", "-c", "echo hello > /root/file; touch /tmp/theirs; chown 1000:1000 /tmp/theirs; chmod 4755 /bin/print-euid"}).code, 0);
  const std::string tree = GetParam().root == Root::Overlay ? layer(web) + "/upper" : layer(web) + "/plain";
  struct stat info {};
  ASSERT_EQ(::stat((tree + "/root/file").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 0U);
  ASSERT_EQ(::stat((tree + "/tmp/theirs").c_str(), &info), 0);
  EXPECT_EQ(info.st_uid, 1000U);
  EXPECT_EQ(info.st_gid, 1000U);
  ASSERT_EQ(::stat((tree + "/bin/print-euid").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777U, 04755U);
  EXPECT_EQ(run(web, {"print-euid"}, {}, 1000).out, "0\n") << "a setuid program must work in the container";
}

TEST_P(AContainer, StartsAgainWithWhatItWrote) {
  const Guest web = guest();
  create(web);
  ASSERT_TRUE(start(web));
  EXPECT_EQ(run(web, {"sh", "-c", "echo kept > /root/file; rm /etc/group"}).code, 0);
  ASSERT_TRUE(runtime().kill(web.uuid));
  ASSERT_TRUE(start(web));
  EXPECT_EQ(run(web, {"cat", "/root/file"}).out, "kept\n");
  EXPECT_EQ(run(web, {"test", "-e", "/etc/group"}).code, 1);
}

TEST_P(AContainer, CannotWriteToAReadOnlyRoot) {
  const Guest web = guest();
  create(web);
  plan(web).root_readonly = true;
  const auto started = start(web);
  ASSERT_TRUE(started) << started.error().message;
  EXPECT_EQ(run(web, {"sh", "-c", "echo hello > /root/file"}).code, 1);
  EXPECT_EQ(run(web, {"sh", "-c", "echo hello > /dev/file"}).code, 0) << "what is mounted over it is another matter";
}

TEST_P(AContainer, PowersItselfOff) {
  const Guest web = guest();
  create(web);
  ASSERT_TRUE(start(web));
  (void)run(web, {"poweroff"});
  const auto report = reports().wait_exit(web.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Stopped);
  EXPECT_THAT(leftovers(web), IsEmpty());
}

TEST_P(AContainer, ThatRebootsEndsWithThatReason) {
  const Guest web = guest();
  create(web);
  ASSERT_TRUE(start(web));
  (void)run(web, {"reboot"});
  const auto report = reports().wait_exit(web.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Rebooted);
  EXPECT_EQ(runtime().status(web.uuid), InstanceStatus::Stopped);
  EXPECT_TRUE(start(web)) << "and can be started anew";
}

TEST_P(AContainer, WithoutAnInitTellsLiblxcsReasonAndLeavesNothing) {
  const Guest web = guest();
  fs::remove(image() + "/sbin/init");
  create(web);
  const auto started = start(web);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::FailedPrecondition);
  EXPECT_THAT(started.error().message, HasSubstr("Failed to exec \"/sbin/init\""));
  EXPECT_EQ(runtime().status(web.uuid), InstanceStatus::Stopped);
  EXPECT_THAT(leftovers(web), IsEmpty());
  EXPECT_FALSE(fs::exists(paths().instance(web.uuid)));
}

class ARuntime : public RuntimeBench {};

TEST_F(ARuntime, NamesTheLineThatLiblxcRejects) {
  const Guest web;
  create(web);
  plan(web).lxc_config.emplace_back("lxc.no.such.key", "1");
  const auto started = start(web);
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message, HasSubstr("lxc.no.such.key"));
  EXPECT_THAT(leftovers(web), IsEmpty());
}

TEST_F(ARuntime, RefusesToStartWhatHasNoPlan) {
  const Guest stranger;
  const auto started = start(stranger);
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().code, Code::NotFound);
}

TEST_F(ARuntime, RefusesToStartWhatRuns) {
  const Guest web;
  create(web);
  ASSERT_TRUE(start(web));
  const auto again = start(web);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::FailedPrecondition);
}

TEST_F(ARuntime, HaltsAContainerThatListens) {
  const Guest web;
  create(web);
  ASSERT_TRUE(start(web));
  ASSERT_TRUE(runtime().shutdown(web.uuid, 20s, {}));
  const auto report = reports().wait_exit(web.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::Stopped);
}

TEST_F(ARuntime, LeavesAContainerRunningThatDoesNotListenInTime) {
  Guest web;
  web.config["raw.lxc"] = "lxc.signal.halt = SIGWINCH";
  create(web);
  ASSERT_TRUE(start(web));
  const auto stopped = runtime().shutdown(web.uuid, 1s, {});
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::FailedPrecondition);
  EXPECT_EQ(runtime().status(web.uuid), InstanceStatus::Running);
}

TEST_F(ARuntime, KillsAContainerThatDoesNotListenWhenTheHostGoesDown) {
  Guest web;
  web.config["raw.lxc"] = "lxc.signal.halt = SIGWINCH";
  create(web);
  plan(web).host_shutdown_timeout = 1s;
  ASSERT_TRUE(start(web));
  const auto asking = connect_packets(paths().control(web.uuid));
  ASSERT_TRUE(asking);
  ASSERT_TRUE(send_packet(asking->get(), supervisor::encode({.type = std::string(supervisor::type::kShutdown), .value = 1})));
  const auto report = reports().wait_exit(web.uuid);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->reason, Reason::HostShutdown);
  EXPECT_THAT(leftovers(web), IsEmpty());
}

TEST_F(ARuntime, StopsWaitingForAHaltWhenTheCallerCancels) {
  Guest web;
  web.config["raw.lxc"] = "lxc.signal.halt = SIGWINCH";
  create(web);
  ASSERT_TRUE(start(web));
  const auto stopped = runtime().shutdown(web.uuid, std::nullopt, [] { return true; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::Cancelled);
}

TEST_F(ARuntime, FreezesAndThaws) {
  const Guest web;
  create(web);
  ASSERT_TRUE(start(web));
  ASSERT_TRUE(runtime().freeze(web.uuid));
  EXPECT_EQ(runtime().status(web.uuid), InstanceStatus::Frozen);
  EXPECT_EQ(run(web, {"true"}).out, "Container is frozen");
  ASSERT_TRUE(runtime().unfreeze(web.uuid));
  EXPECT_EQ(runtime().status(web.uuid), InstanceStatus::Running);
  EXPECT_EQ(run(web, {"true"}).code, 0);
}

TEST_F(ARuntime, KillsAFrozenContainer) {
  const Guest web;
  create(web);
  ASSERT_TRUE(start(web));
  ASSERT_TRUE(runtime().freeze(web.uuid));
  ASSERT_TRUE(runtime().kill(web.uuid));
  EXPECT_THAT(leftovers(web), IsEmpty());
}

TEST_F(ARuntime, CountsMemoryTimeAndProcesses) {
  const Guest web;
  create(web);
  ASSERT_TRUE(start(web));
  const auto state = runtime().state(web.uuid);
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, InstanceStatus::Running);
  EXPECT_GT(state->init_pid, 1);
  EXPECT_GE(state->processes, 1U);
  EXPECT_GT(state->cpu_ns, 0U);
  EXPECT_GT(state->memory_bytes, 0U);
  EXPECT_GE(state->memory_peak_bytes, state->memory_bytes);
}

TEST_F(ARuntime, TellsStoppedOfWhatItDoesNotKnow) {
  const auto state = runtime().state(new_uuid());
  ASSERT_TRUE(state);
  EXPECT_EQ(state->status, InstanceStatus::Stopped);
  EXPECT_EQ(state->init_pid, 0);
}

TEST_F(ARuntime, ListsTheInterfacesOfTheContainer) {
  const Guest web;
  create(web);
  ASSERT_TRUE(start(web));
  const auto networks = runtime().networks(web.uuid);
  ASSERT_TRUE(networks) << networks.error().message;
  ASSERT_TRUE(networks->contains("lo"));
  const auto& lo = networks->at("lo");
  EXPECT_EQ(lo.type, "loopback");
  EXPECT_EQ(lo.state, "up");
  EXPECT_EQ(lo.mtu, 65536U);
  ASSERT_FALSE(lo.addresses.empty());
  EXPECT_EQ(lo.addresses[0].family, "inet");
  EXPECT_EQ(lo.addresses[0].address, "127.0.0.1");
  EXPECT_EQ(lo.addresses[0].netmask, "8");
  EXPECT_EQ(lo.addresses[0].scope, "local");
}

TEST_F(ARuntime, FindsTheContainerOfAProcess) {
  const Guest web;
  create(web);
  ASSERT_TRUE(start(web));
  const auto state = runtime().state(web.uuid);
  ASSERT_TRUE(state);
  const auto found = runtime().instance_of(state->init_pid);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, web.uuid);
  const auto own = runtime().instance_of(::getpid());
  ASSERT_FALSE(own);
  EXPECT_EQ(own.error().code, Code::NotFound);
}

TEST_F(ARuntime, HandsOutTheConsole) {
  Guest web;
  create(web);
  std::ofstream(image() + "/etc/inittab") << "::sysinit:/bin/true\n::respawn:/bin/sh\n";
  ASSERT_TRUE(start(web));
  ASSERT_TRUE(runtime().console(web.uuid)) << "the first one gives it up";
  auto console = runtime().console(web.uuid);
  ASSERT_TRUE(console) << console.error().message;
  const std::string line = "echo con''sole\n";
  ASSERT_EQ(::write(console->get(), line.data(), line.size()), static_cast<ssize_t>(line.size()));
  EXPECT_THAT(read_until(console->get(), "console"), HasSubstr("console"));
}

TEST_F(ARuntime, LimitsWhatTheConfigurationLimits) {
  Guest web;
  web.config = {{"limits.memory", "64MiB"}, {"limits.processes", "50"}, {"limits.cpu", "1"}, {"limits.kernel.nofile", "100:200"},
                {"environment.COLOUR", "blue"}};
  create(web);
  const auto started = start(web);
  ASSERT_TRUE(started) << started.error().message;
  const auto state = runtime().state(web.uuid);
  ASSERT_TRUE(state);
  const auto places = cgroups_of(state->init_pid);
  ASSERT_TRUE(places);
  for (const auto& place : *places) {
    if (place.has("memory")) {
      EXPECT_EQ(read_number(place.folder() + "/memory.limit_in_bytes"), 64U * 1024 * 1024);
    }
    if (place.has("pids")) {
      EXPECT_EQ(read_number(place.folder() + "/pids.max"), 50U);
    }
  }
  ASSERT_TRUE(runtime().apply_limits(web.uuid, {{"memory.max", "134217728"}}));
  EXPECT_TRUE(std::any_of(places->begin(), places->end(), [](const CgroupPlace& place) {
    return read_number(place.folder() + "/memory.limit_in_bytes") == 134217728U ||
           read_number(place.folder() + "/memory.max") == 134217728U;
  }));
  EXPECT_THAT(run(web, {"cat", "/proc/1/limits"}).out, HasSubstr("100                  200                  files"));
  EXPECT_THAT(run(web, {"cat", "/proc/1/environ"}).out, HasSubstr("COLOUR=blue"));
}

}  // namespace
}  // namespace berth::testing
