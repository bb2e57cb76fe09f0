#include "daemon/domain/backup_document.hpp"

#include "daemon/domain/compression.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace berth {
namespace {

BackupSubject subject() {
  const auto profile = *ProfileName::parse("default");
  Instance instance{.uuid = new_uuid(),
                    .project = default_project(),
                    .name = *InstanceName::parse("web"),
                    .architecture = "x86_64",
                    .created_at = Timestamp(std::chrono::microseconds(1'700'000'000'123'456)),
                    .description = "a \"web\" server",
                    .profiles = {profile},
                    .config = {{"user.a", "true"}, {"volatile.idmap.next", "[]"}, {"volatile.base_image", "f"}},
                    .devices = {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "default"}}}},
                    .pool = *PoolName::parse("default")};
  const Snapshot snapshot{.uuid = new_uuid(),
                          .instance = instance.uuid,
                          .name = *SnapshotName::parse("s0"),
                          .created_at = Timestamp(std::chrono::seconds(1'700'000'001)),
                          .expires_at = Timestamp(std::chrono::seconds(1'800'000'000)),
                          .architecture = "x86_64",
                          .profiles = {profile},
                          .config = {{"user.then", "x"}},
                          .devices = {}};
  return {.instance = instance,
          .expanded = {instance.config, instance.devices},
          .snapshots = {{snapshot, {}}},
          .profiles = {Profile{.uuid = new_uuid(), .project = default_project(), .name = profile}}};
}

std::string as_found(const std::string& index_text) {
  auto index = nlohmann::json::parse(index_text);
  auto config = index["config"];
  index.erase("config");
  return nlohmann::json{{"index", index}, {"config", config}}.dump();
}

TEST(ABackupsDocuments, SayWhatTheInstanceWasAndAreReadBack) {
  const auto given = subject();
  const auto read = parse_backup(as_found(backup_index(given)));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->name, "web");
  EXPECT_EQ(read->pool, "default");
  EXPECT_EQ(read->description, given.instance.description);
  EXPECT_EQ(read->instance.created_at, given.instance.created_at);
  EXPECT_EQ(read->instance.devices, given.instance.devices);
  EXPECT_EQ(read->instance.config.at("user.a"), "true");
  ASSERT_EQ(read->snapshots.size(), 1U);
  EXPECT_EQ(read->snapshots[0].expires_at, given.snapshots[0].first.expires_at);
  EXPECT_EQ(read->snapshots[0].tree.config.at("user.then"), "x");
  EXPECT_EQ(nlohmann::json::parse(backup_config(given)), nlohmann::json::parse(backup_index(given))["config"]);
}

TEST(ABackupsDocuments, TellThatFilesAreNotShiftedAndNothingOfTheHostsIds) {
  const auto read = parse_backup(as_found(backup_index(subject())));
  EXPECT_EQ(read->instance.config.at("volatile.last_state.idmap"), "[]");
  EXPECT_FALSE(read->instance.config.contains("volatile.idmap.next"));
  EXPECT_TRUE(read->instance.shift.entries.empty());
}

TEST(ABackupsDocuments, OfLxdTellByWhichMapFilesAreShifted) {
  const std::string map = R"([{"Isuid":true,"Isgid":false,"Hostid":1000000,"Nsid":0,"Maprange":65536}])";
  const nlohmann::json all{
      {"index", {{"name", "c"}, {"snapshots", {"s0"}}}},
      {"config",
       {{"container", {{"architecture", "x86_64"}, {"created_at", "2026-11-26T16:01:50.5+01:00"}, {"config", {{"volatile.last_state.idmap", map}, {"security.nesting", true}}}}},
        {"snapshots", {{{"name", "c/s0"}, {"architecture", "x86_64"}, {"expires_at", "0001-01-01T00:00:00Z"}}}}}}};
  const auto read = parse_backup(all.dump());
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->instance.shift.entries.size(), 1U);
  EXPECT_EQ(read->instance.shift.entries[0].outside, 1000000U);
  EXPECT_EQ(read->instance.config.at("security.nesting"), "true");
  EXPECT_EQ(read->instance.created_at, Timestamp(std::chrono::microseconds(1'795'705'310'500'000)));
  EXPECT_EQ(read->snapshots.at(0).expires_at, kNever);
}

TEST(ACompression, IsANameAndALevel) {
  EXPECT_EQ(parse_compression("")->name, "gzip");
  EXPECT_EQ(parse_compression("pigz")->name, "gzip");
  EXPECT_EQ(parse_compression("zstd -19")->level, 19);
  EXPECT_EQ(parse_compression("none")->name, "none");
  for (const auto* const text : {"gzip -10", "gzip 9", "gzip --fast", "none -1", "/bin/sh", "xz;true", "squashfs", "gzip -", "gzip "})
    EXPECT_FALSE(parse_compression(text)) << text;
}

}  // namespace
}  // namespace berth
