#include "daemon/domain/config_keys.hpp"

#include "daemon/domain/server_keys.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace berth {
namespace {

Error refusal(const ConfigMap& config, ConfigOwner owner = ConfigOwner::Instance) {
  const auto valid = validate_config(config, owner);
  EXPECT_FALSE(valid) << config.begin()->first;
  return valid ? Error{} : valid.error();
}

std::string together(const ConfigMap& config) {
  const auto valid = validate_config_together(config);
  return valid ? "accepted" : valid.error().message;
}

TEST(TheTableOfConfigKeys, NamesEachKeyOnceDescribesItAndHasValidDefaults) {
  std::set<std::string_view> names;
  for (const auto& row : config_keys()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_FALSE(row.description.empty()) << row.name;
    EXPECT_TRUE(validate_value(row.type, row.fallback, row.choices)) << row.name;
    EXPECT_EQ(row.type == ValueType::OneOf, !row.choices.empty()) << row.name;
  }
  EXPECT_GT(names.size(), 60U);
}

TEST(AConfigKey, IsFoundByItsNameOrItsFamily) {
  EXPECT_EQ(find_config_key("limits.cpu")->type, ValueType::CpuSet);
  EXPECT_EQ(find_config_key("user.anything.at-all")->name, "user.*");
  EXPECT_EQ(find_config_key("volatile.eth0.hwaddr")->name, "volatile.*.hwaddr");
  EXPECT_EQ(find_config_key("volatile.last_state.idmap")->type, ValueType::IdMapJson);
  EXPECT_EQ(find_config_key("limits.kernel.nofile")->name, "limits.kernel.*");
  for (const auto* unknown :
       {"", "user.", "limits", "limits.cpu.", "volatile.x", "volatile..hwaddr", "limits.kernel.nonsense",
        "limits.kernel.a.nofile", "environment.A=B", "no.such.key", "*", "LIMITS.CPU"})
    EXPECT_EQ(find_config_key(unknown), nullptr) << unknown;
}

TEST(AConfiguration, IsAcceptedWithEveryKindOfKey) {
  EXPECT_TRUE(validate_config({{"limits.cpu", "1"},
                               {"limits.memory", "64MiB"},
                               {"user.user-data", "#cloud-config\nx: 1\n"},
                               {"environment.LANG", "C"},
                               {"image.os", "debian"},
                               {"volatile.eth0.hwaddr", "00:16:3e:00:00:01"},
                               {"boot.autostart", "true"},
                               {"raw.lxc", "lxc.mount.auto = cgroup"},
                               {"security.nesting", ""}},
                              ConfigOwner::Instance));
}

TEST(AConfiguration, IsRefusedInTheWordsOfTheApi) {
  EXPECT_EQ(refusal({{"no.such.key", "1"}}).message, "Unknown configuration key: no.such.key");
  EXPECT_EQ(refusal({{"volatile.x", "1"}}).message, "Unknown configuration key: volatile.x");
  EXPECT_EQ(refusal({{"limits.memory", "lots"}}).message, "Invalid value: lots");
  EXPECT_EQ(refusal({{"security.nesting", "maybe"}}).message, "Invalid value for a boolean \"maybe\"");
  EXPECT_EQ(refusal({{"volatile.uuid", "x"}}, ConfigOwner::Profile).message,
            "Volatile keys can only be set on containers");
  EXPECT_EQ(refusal({{"image.os", "x"}}, ConfigOwner::Profile).message, "Image keys can only be set on containers");
}

TEST(AKeyThatNothingActsOn, IsNotSupportedUnlessItIsOff) {
  for (const auto& [key, value] : ConfigMap{{"nvidia.runtime", "true"},
                                            {"migration.stateful", "1"},
                                            {"raw.apparmor", "deny /x,"},
                                            {"linux.kernel_modules", "tun"},
                                            {"linux.sysctl.net.ipv4.ip_forward", "1"}}) {
    const auto error = refusal({{key, value}});
    EXPECT_EQ(error.code, Code::NotSupported) << key;
    EXPECT_NE(error.message.find(key), std::string::npos);
  }
  EXPECT_TRUE(
      validate_config({{"nvidia.runtime", "false"}, {"raw.apparmor", ""}, {"migration.incremental.memory.goal", "70"}},
                      ConfigOwner::Instance));
}

TEST(Rule7ControlCharacters, AreRefusedInEveryKey) {
  const auto error = refusal({{"user.a\nb\x1b", "x"}});
  EXPECT_EQ(error.message, "Unknown configuration key: user.a?b?");
  EXPECT_EQ(refusal({{"environment.A", "x\ny"}}).code, Code::InvalidArgument);
  EXPECT_EQ(refusal({{"limits.kernel.nofile", "5\n6"}}).code, Code::InvalidArgument);
}

TEST(SystemCallKeys, ExcludeEachOther) {
  EXPECT_EQ(together({{"raw.seccomp", "2\n"}, {"security.syscalls.deny", "mount"}}),
            "raw.seccomp is mutually exclusive with security.syscalls*");
  EXPECT_EQ(together({{"raw.seccomp", "2\n"}, {"security.syscalls.blacklist_default", "true"}}),
            "raw.seccomp is mutually exclusive with security.syscalls*");
  EXPECT_EQ(together({{"security.syscalls.whitelist", "open"}, {"security.syscalls.deny_default", "true"}}),
            "security.syscalls.allow is mutually exclusive with security.syscalls.deny*");
  EXPECT_NE(together({{"security.syscalls.allow", "a"}, {"security.syscalls.whitelist", "a"}}), "accepted");
  EXPECT_EQ(together({{"raw.seccomp", "2\n"}, {"security.syscalls.deny_default", "false"}}), "accepted");
  EXPECT_EQ(together({{"security.syscalls.deny", "mount"}, {"security.syscalls.deny_default", "false"}}), "accepted");
}

TEST(AConfigValue, IsTheDefaultWhenUnsetOrEmpty) {
  EXPECT_EQ(config_value({}, "boot.host_shutdown_timeout"), "30");
  EXPECT_EQ(config_value({{"boot.host_shutdown_timeout", ""}}, "boot.host_shutdown_timeout"), "30");
  EXPECT_EQ(config_value({{"boot.host_shutdown_timeout", "5"}}, "boot.host_shutdown_timeout"), "5");
  EXPECT_TRUE(config_flag({}, "security.devlxd"));
  EXPECT_FALSE(config_flag({}, "security.nesting"));
  EXPECT_TRUE(config_flag({{"security.nesting", "YES"}}, "security.nesting"));
}

TEST(AServerConfiguration, IsRefusedInTheWordsOfTheApi) {
  EXPECT_TRUE(
      validate_server_config({{"user.a", "b"}, {"core.trust_ca_certificates", "false"}, {"core.https_address", ""}}));
  EXPECT_EQ(validate_server_config({{"no.such", "1"}}).error().message, "cannot set 'no.such' to '1': unknown key");
  EXPECT_EQ(validate_server_config({{"no.one", "1"}, {"no.two", "2"}, {"user.", "3"}}).error().message,
            "cannot set 'no.one' to '1': unknown key (and 2 more errors)");
  const auto later = validate_server_config({{"core.bgp_address", "[::]"}});
  ASSERT_FALSE(later);
  EXPECT_EQ(later.error().code, Code::NotSupported);
  EXPECT_FALSE(validate_server_config({{"user.a", "\x1b"}}));
}

}  // namespace
}  // namespace berth
