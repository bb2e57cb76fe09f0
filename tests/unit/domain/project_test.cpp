#include "daemon/domain/project.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "daemon/domain/id_ranges.hpp"
#include "daemon/domain/project_keys.hpp"
#include "daemon/domain/project_policy.hpp"

namespace berth {
namespace {

using testing::HasSubstr;

const ProjectName kWeb = *ProjectName::parse("web");

Project project(ConfigMap config) {
  add_default_features(config);
  return Project{.uuid = new_uuid(), .name = kWeb, .config = std::move(config)};
}

ProjectMember member(const std::string& name, ConfigMap config = {}, DeviceMap devices = {}) {
  return {name, {std::move(config), std::move(devices)}};
}

Error verdict(const Project& project, const ProjectContents& contents) {
  const auto judged = judge_project(project, contents);
  return judged ? Error{Code::Internal, ""} : judged.error();
}

Error config_verdict(const ConfigMap& config) {
  auto whole = config;
  add_default_features(whole);
  const auto valid = validate_project_config(kWeb, whole);
  return valid ? Error{Code::Internal, ""} : valid.error();
}

TEST(ProjectFeatures, AreTheProjectsOwnOnlyWhereItSaysSo) {
  Project row{.uuid = new_uuid(), .name = kWeb};
  EXPECT_EQ(effective_project(row, ProjectFeature::Images), default_project());
  row.config = {{"features.images", "true"}, {"features.profiles", "false"}};
  EXPECT_EQ(effective_project(row, ProjectFeature::Images), kWeb);
  EXPECT_EQ(effective_project(row, ProjectFeature::Profiles), default_project());
  EXPECT_EQ(effective_project(project({}), ProjectFeature::StorageVolumes), kWeb);
}

TEST(ProjectFeatures, ChangeOnlyWhileTheProjectIsEmptyAndNeverInTheDefaultOne) {
  const ConfigMap own{{"features.images", "true"}};
  const ConfigMap shared{{"features.images", "false"}};
  EXPECT_TRUE(check_feature_change(kWeb, own, shared, false));
  EXPECT_EQ(check_feature_change(kWeb, own, shared, true).error().message,
            "Project feature \"features.images\" cannot be disabled on non-empty projects");
  EXPECT_EQ(check_feature_change(kWeb, shared, own, true).error().message,
            "Project feature \"features.images\" cannot be enabled on non-empty projects");
  EXPECT_TRUE(check_feature_change(kWeb, shared, {}, true));
  EXPECT_FALSE(check_feature_change(default_project(), own, {}, false));
}

TEST(ProjectKeys, AreCheckedByNameAndValue) {
  EXPECT_EQ(config_verdict({{"user.a", "b"}, {"limits.memory", "1GiB"}, {"restricted.devices.nic", "managed"}}).message, "");
  EXPECT_EQ(config_verdict({{"volatile.x", "1"}}).message, "Invalid project configuration key \"volatile.x\"");
  EXPECT_EQ(config_verdict({{"features.images", "maybe"}}).message,
            "Invalid project configuration key \"features.images\" value: Invalid value for a boolean \"maybe\"");
  for (const auto* key : {"limits.cpu", "limits.containers", "limits.memory", "restricted.snapshots", "restricted.idmap.uid"})
    EXPECT_EQ(config_verdict({{key, "what"}}).code, Code::InvalidArgument) << key;
  EXPECT_EQ(config_verdict({{"user.a", "line\nbreak\x01"}}).code, Code::InvalidArgument);
}

TEST(ProjectKeys, WhatNobodyCouldBeHeldToIsRefusedByName) {
  for (const auto* key : {"limits.disk", "restricted.devices.disk.paths", "restricted.networks.uplinks", "images.auto_update_interval"}) {
    const auto refused = config_verdict({{key, "1"}});
    EXPECT_EQ(refused.code, Code::NotSupported) << key;
    EXPECT_THAT(refused.message, HasSubstr(key));
  }
  EXPECT_EQ(config_verdict({{"features.networks", "true"}}).code, Code::NotSupported);
  EXPECT_EQ(config_verdict({{"features.networks", "false"}}).message, "");
  EXPECT_TRUE(validate_project_config(default_project(), {{"features.networks", "true"}}));
}

TEST(ProjectKeys, ARestrictedProjectHasProfilesOfItsOwn) {
  EXPECT_EQ(config_verdict({{"restricted", "true"}, {"features.profiles", "false"}}).message,
            "Projects without their own profiles cannot be restricted");
}

TEST(ProjectLimits, CountInstancesAndAddUpWhatTheyAreLimitedTo) {
  const ProjectContents two{{member("a", {{"limits.memory", "512MiB"}}), member("b", {{"limits.memory", "768MiB"}})}, {}};
  EXPECT_EQ(verdict(project({{"limits.containers", "2"}}), two).message, "");
  EXPECT_EQ(verdict(project({{"limits.containers", "1"}}), two).message,
            "Reached maximum number of instances of type \"container\" in project \"web\"");
  EXPECT_EQ(verdict(project({{"limits.instances", "1"}}), two).message, "Reached maximum number of instances in project \"web\"");
  EXPECT_EQ(verdict(project({{"limits.memory", "2GiB"}}), two).message, "");
  EXPECT_EQ(verdict(project({{"limits.memory", "1GiB"}}), two).message,
            "Reached maximum aggregate value \"1GiB\" for \"limits.memory\" in project \"web\"");
}

TEST(ProjectLimits, WhoHasNoLimitOfItsOwnOrOneThatIsNoAmountIsNamed) {
  EXPECT_THAT(verdict(project({{"limits.memory", "1GiB"}}), {{member("a")}, {}}).message,
              HasSubstr("instance \"a\" in project \"web\" has no \"limits.memory\" config"));
  EXPECT_THAT(verdict(project({{"limits.memory", "1GiB"}}), {{member("a", {{"limits.memory", "10%"}})}, {}}).message,
              HasSubstr("Failed parsing \"limits.memory\" for instance \"a\""));
  EXPECT_THAT(verdict(project({{"limits.cpu", "2"}}), {{member("a", {{"limits.cpu", "0-1"}})}, {}}).message,
              HasSubstr("Failed parsing \"limits.cpu\""));
  EXPECT_EQ(verdict(project({{"limits.memory", "1GiB"}}),
                    {{member("a", {{"limits.memory", "16EB"}}), member("b", {{"limits.memory", "16EB"}})}, {}})
                .code,
            Code::FailedPrecondition);
}

TEST(ProjectLimits, TellWhatIsUsed) {
  const auto usage = project_usage(project({{"limits.memory", "1GiB"}}), {{member("a", {{"limits.memory", "512MiB"}})}, {}});
  EXPECT_EQ(usage.size(), 8U);
  EXPECT_EQ(usage.at("memory").limit, 1073741824);
  EXPECT_EQ(usage.at("memory").usage, 536870912);
  EXPECT_EQ(usage.at("instances").usage, 1);
  EXPECT_EQ(usage.at("cpu").limit, -1);
}

// Rule 5 of the security rules: one function judges the final, expanded object.
TEST(SecurityRule5, ARestrictedProjectRefusesEverythingThatIsNotAllowed) {
  const std::map<std::string, std::pair<ProjectMember, std::string>> refused{
      {"restricted.containers.nesting", {member("c", {{"security.nesting", "true"}}), "Container nesting is forbidden"}},
      {"restricted.containers.privilege", {member("c", {{"security.privileged", "1"}}), "Privileged containers are forbidden"}},
      {"restricted.containers.lowlevel", {member("c", {{"raw.lxc", "lxc.x = 1"}}), "Use of low-level config \"raw.lxc\""}},
      {"restricted.devices.unix-char",
       {member("c", {}, {{"h", {{"type", "unix-char"}, {"path", "/dev/x"}}}}), "Unix character devices are forbidden"}},
      {"restricted.devices.proxy", {member("c", {}, {{"h", {{"type", "proxy"}}}}), "Proxy devices are forbidden"}},
      {"restricted.devices.nic",
       {member("c", {}, {{"h", {{"type", "nic"}, {"nictype", "p2p"}}}}), "Only managed network devices are allowed"}},
      {"restricted.devices.disk",
       {member("c", {}, {{"h", {{"type", "disk"}, {"path", "/mnt"}, {"source", "/usr"}}}}),
        "Attaching disks not backed by a pool is forbidden"}}};
  for (const auto& [key, object] : refused) {
    SCOPED_TRACE(key);
    const auto as_instance = verdict(project({{"restricted", "true"}}), {{object.first}, {}});
    EXPECT_EQ(as_instance.code, Code::AccessDenied);
    EXPECT_THAT(as_instance.message, HasSubstr(object.second));
    EXPECT_THAT(as_instance.message, HasSubstr("container \"c\" of project \"web\""));
    EXPECT_THAT(verdict(project({{"restricted", "true"}}), {{}, {object.first}}).message, HasSubstr("profile \"c\""));
    EXPECT_EQ(verdict(project({{"restricted", "true"}, {key, "allow"}}), {{object.first}, {}}).message, "");
    EXPECT_EQ(verdict(project({{"restricted", "false"}}), {{object.first}, {}}).message, "");
  }
}

TEST(SecurityRule5, AnOrdinaryContainerFitsIntoARestrictedProject) {
  const auto plain = member("c", {{"security.nesting", "false"}, {"limits.memory.swap", "false"}, {"volatile.idmap.next", "[]"}},
                            {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "default"}}}, {"off", {{"type", "none"}}}});
  EXPECT_EQ(verdict(project({{"restricted", "true"}}), {{plain}, {plain}}).message, "");
}

TEST(SecurityRule5, IsolatedMeansEveryContainerWhateverItLeavesOut) {
  const auto rules = project({{"restricted", "true"}, {"restricted.containers.privilege", "isolated"}});
  EXPECT_EQ(verdict(rules, {{member("c", {{"security.idmap.isolated", "true"}})}, {member("p")}}).message, "");
  EXPECT_THAT(verdict(rules, {{member("c")}, {}}).message, HasSubstr("Non-isolated containers are forbidden"));
  EXPECT_THAT(verdict(rules, {{}, {member("p", {{"security.idmap.isolated", "false"}})}}).message, HasSubstr("profile \"p\""));
}

TEST(SecurityRule5, HostIdsAreThoseOfTheProjectsRanges) {
  const auto rules = project({{"restricted", "true"}, {"restricted.idmap.uid", "1000-2000,3000"}});
  EXPECT_EQ(verdict(rules, {{member("c", {{"raw.idmap", "uid 1500 1500\nuid 3000 0"}})}, {}}).message, "");
  for (const auto* map : {"uid 999-1500 0-501", "uid 2999 0", "gid 1500 1500", "both 1500 1500", "uid 1500 1500\nuid 5 5"})
    EXPECT_EQ(verdict(rules, {{member("c", {{"raw.idmap", map}})}, {}}).code, Code::AccessDenied) << map;
}

TEST(SecurityRule5, NetworksAreThoseTheProjectMayUse) {
  const auto rules = project({{"restricted", "true"}, {"restricted.networks.access", "br0,br1"}});
  const auto on = [](const std::string& network) {
    return ProjectContents{{member("c", {}, {{"eth0", {{"type", "nic"}, {"network", network}}}})}, {}};
  };
  EXPECT_EQ(verdict(rules, on("br1")).message, "");
  EXPECT_THAT(verdict(rules, on("br")).message, HasSubstr("Network not allowed in project"));
}

TEST(SecurityRule5, SnapshotsAndBackupsOfARestrictedProjectNeedToBeAllowed) {
  EXPECT_TRUE(judge_snapshots(project({{"restricted.snapshots", "block"}})));
  EXPECT_EQ(judge_snapshots(project({{"restricted", "true"}})).error().message,
            "Project \"web\" doesn't allow for snapshot creation");
  EXPECT_EQ(judge_backups(project({{"restricted", "true"}})).error().code, Code::AccessDenied);
  EXPECT_TRUE(judge_snapshots(project({{"restricted", "true"}, {"restricted.snapshots", "allow"}})));
}

TEST(IdRanges, AreNumbersAndSpansThatDoNotGoBackwards) {
  const auto ranges = parse_id_ranges("1000, 5-7");
  ASSERT_TRUE(ranges);
  EXPECT_EQ(ranges->size(), 2U);
  EXPECT_TRUE(within_ranges({5, 7}, *ranges));
  EXPECT_FALSE(within_ranges({5, 8}, *ranges));
  for (const auto* text : {"x", "7-5", "1,,2", "1--2", "4294967296", "-1"}) EXPECT_FALSE(parse_id_ranges(text)) << text;
}

}  // namespace
}  // namespace berth
