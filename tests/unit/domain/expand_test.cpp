#include "daemon/domain/expand.hpp"

#include "daemon/domain/device_keys.hpp"
#include "daemon/domain/policy.hpp"

#include <gtest/gtest.h>

namespace berth {
namespace {

Profile profile(const std::string& name, ConfigMap config, DeviceMap devices = {}) {
  Profile out{.uuid = new_uuid(), .project = default_project(), .name = *ProfileName::parse(name)};
  out.config = std::move(config);
  out.devices = std::move(devices);
  return out;
}

const ConfigMap kRoot{{"type", "disk"}, {"path", "/"}, {"pool", "default"}};

TEST(Expanding, LetsTheLastValueWinAndReplacesWholeDevices) {
  const auto out =
      expand({profile("one", {{"a", "1"}, {"b", "1"}}, {{"root", kRoot}, {"eth0", {{"type", "nic"}, {"mtu", "9000"}}}}),
              profile("two", {{"b", "2"}, {"c", "2"}}, {{"eth0", {{"type", "nic"}}}})},
             {{"c", "3"}}, {});
  EXPECT_EQ(out.config, (ConfigMap{{"a", "1"}, {"b", "2"}, {"c", "3"}}));
  EXPECT_EQ(out.devices, (DeviceMap{{"root", kRoot}, {"eth0", {{"type", "nic"}}}}));
}

TEST(Expanding, ShowsThatADeviceOfTypeNoneHidesAnInheritedOne) {
  const auto out = expand({profile("one", {}, {{"eth0", {{"type", "nic"}}}})}, {}, {{"eth0", {{"type", "none"}}}});
  EXPECT_EQ(out.devices, (DeviceMap{{"eth0", {{"type", "none"}}}}));
}

TEST(Expanding, TakesAnInstancesProfilesInItsOwnOrderAndMissesNone) {
  Instance instance{.uuid = new_uuid(),
                    .project = default_project(),
                    .name = *InstanceName::parse("c1"),
                    .pool = *PoolName::parse("p")};
  instance.profiles = {*ProfileName::parse("two"), *ProfileName::parse("one")};
  const std::vector known{profile("one", {{"a", "1"}}), profile("two", {{"a", "2"}})};
  EXPECT_EQ(expand(instance, known)->config.at("a"), "1");
  instance.profiles.push_back(*ProfileName::parse("three"));
  const auto missing = expand(instance, known);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, Code::NotFound);
  EXPECT_NE(missing.error().message.find("three"), std::string::npos);
}

TEST(TheRootDisk, IsTheOnlyDiskAtSlashAndHasAPool) {
  const auto root = find_root_disk({{"root", kRoot}, {"other", {{"type", "disk"}, {"path", "/x"}}}});
  ASSERT_TRUE(root);
  EXPECT_EQ(root->device, "root");
  EXPECT_EQ(root->pool.str(), "default");
  EXPECT_FALSE(root->readonly);
  EXPECT_EQ(find_root_disk({}).error().message, "Failed getting root disk: No root device could be found");
  EXPECT_EQ(find_root_disk({{"a", kRoot}, {"b", kRoot}}).error().message,
            "Failed getting root disk: More than one root device found");
  EXPECT_FALSE(find_root_disk({{"a", {{"type", "disk"}, {"path", "/"}}}}));
  EXPECT_FALSE(find_root_disk({{"a", {{"type", "disk"}, {"path", "/"}, {"pool", "../../etc"}}}}));
  EXPECT_FALSE(find_root_disk({{"a", {{"type", "nic"}, {"path", "/"}, {"pool", "p"}}}}));
}

std::string refusal(const DeviceMap& devices, Code code = Code::InvalidArgument) {
  const auto valid = validate_devices(devices);
  if (valid) return "accepted";
  EXPECT_EQ(valid.error().code, code) << valid.error().message;
  return valid.error().message;
}

TEST(Devices, AreAcceptedWhenTheyAreRootDisksOrNone) {
  EXPECT_TRUE(validate_devices({{"root", kRoot}, {"eth0", {{"type", "none"}}}}));
  EXPECT_TRUE(validate_devices({{"root", {{"type", "disk"}, {"path", "/"}, {"size", "10GiB"}, {"readonly", "true"}}}}));
  EXPECT_TRUE(validate_devices_together({{"root", kRoot}}));
  EXPECT_FALSE(validate_devices_together({}));
}

TEST(Devices, AreRefusedInTheWordsOfTheApi) {
  EXPECT_EQ(refusal({{"d", {{"path", "/"}}}}), "Missing device type for device 'd'");
  EXPECT_EQ(refusal({{"d", {{"type", "what"}}}}), "Invalid device type what");
  EXPECT_EQ(refusal({{"d", {{"type", "disk"}, {"path", "/"}, {"colour", "red"}}}}),
            "Invalid device configuration key for disk: colour");
  EXPECT_EQ(refusal({{"d", {{"type", "none"}, {"a", "b"}}}}), "Invalid device configuration key for none: a");
  EXPECT_NE(refusal({{"d", {{"type", "disk"}, {"path", "/"}, {"size", "big"}}}}), "accepted");
  EXPECT_NE(refusal({{"d", {{"type", "disk"}, {"path", "/"}, {"source", "/etc"}}}}), "accepted");
  EXPECT_NE(refusal({{"d", {{"type", "disk"}, {"path", "/"}, {"pool", "a\nb"}}}}), "accepted");
  for (const auto* name : {"", "a/b", "a\nb"}) EXPECT_NE(refusal({{name, kRoot}}), "accepted") << name;
  EXPECT_NE(refusal({{std::string(65, 'd'), kRoot}}), "accepted");
}

TEST(Devices, ThatAreNotThereYetSayTheirTypeAndName) {
  for (const auto* type :
       {"nic", "unix-char", "unix-block", "usb", "gpu", "infiniband", "proxy", "unix-hotplug", "tpm", "pci"}) {
    const auto text = refusal({{"dev7", {{"type", type}}}}, Code::NotSupported);
    EXPECT_NE(text.find(type), std::string::npos) << text;
    EXPECT_NE(text.find("dev7"), std::string::npos) << text;
  }
  EXPECT_NE(refusal({{"d", {{"type", "disk"}, {"path", "/mnt"}, {"source", "/srv"}}}}, Code::NotSupported).find("'d'"),
            std::string::npos);
  EXPECT_NE(
      refusal({{"d", {{"type", "disk"}, {"path", "/"}, {"limits.max", "1MB"}}}}, Code::NotSupported).find("limits.max"),
      std::string::npos);
}

TEST(Rule21Policy, FindsWhatReachesTheHostInTheExpandedObject) {
  const Expanded plain{{{"limits.cpu", "1"},
                        {"security.privileged", "false"},
                        {"raw.lxc", ""},
                        {"security.syscalls.deny_default", "true"}},
                       {{"root", kRoot}, {"x", {{"type", "none"}}}}};
  EXPECT_TRUE(host_access(plain).empty());
  const Expanded far{{{"raw.lxc", "lxc.include = /x"},
                      {"raw.idmap", "both 0 0"},
                      {"raw.seccomp", "2"},
                      {"security.privileged", "yes"},
                      {"security.nesting", "1"},
                      {"security.idmap.base", "100000"},
                      {"security.syscalls.deny_default", "false"},
                      {"security.syscalls.whitelist", "mount"},
                      {"volatile.idmap.next", "[]"},
                      {"unheard.of", "1"}},
                     {{"d", {{"type", "disk"}, {"path", "/mnt"}, {"source", "/etc"}}},
                      {"r", {{"type", "disk"}, {"path", "/"}, {"source", "/etc"}}},
                      {"p", {{"type", "proxy"}}}}};
  EXPECT_EQ(host_access(far).size(), far.config.size() + far.devices.size());
  EXPECT_TRUE(host_access(far).contains("device d"));
}

TEST(Rule5Policy, AsksAnewWhenAValueChangesAndNotForWhatWasCommitted) {
  const Expanded before{{{"raw.lxc", "lxc.tty.max = 1"}, {"security.nesting", "true"}}, {}};
  EXPECT_TRUE(new_host_access(before, before).empty());
  Expanded after = before;
  after.config["user.a"] = "b";
  EXPECT_TRUE(new_host_access(before, after).empty());
  after.config["raw.lxc"] = "lxc.hook.pre-start = /bin/x";
  after.config["security.privileged"] = "true";
  EXPECT_EQ(new_host_access(before, after), (std::vector<std::string>{"raw.lxc", "security.privileged"}));
  after = before;
  after.config.erase("security.nesting");
  EXPECT_TRUE(new_host_access(before, after).empty());
}

TEST(Rule5Policy, SeesAPrivilegeThatAppearsWhenAnOverrideIsRemoved) {
  const auto risky = profile("risky", {{"security.privileged", "true"}});
  const auto committed = expand({risky}, {{"security.privileged", "false"}}, {});
  const auto wanted = expand({risky}, {}, {});
  EXPECT_EQ(new_host_access(committed, wanted), (std::vector<std::string>{"security.privileged"}));
}

}  // namespace
}  // namespace berth
