#pragma once

#include "daemon/ports/store.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <string>

namespace berth::contract {

inline Principal local_user(std::uint32_t uid) {
  Principal who;
  who.kind = PrincipalKind::Local;
  who.uid = uid;
  return who;
}
inline Timestamp at(std::int64_t microseconds) { return Timestamp{std::chrono::microseconds{microseconds}}; }
inline InstanceName instance_name(const std::string& text) { return *InstanceName::parse(text); }
inline ProfileName profile_name(const std::string& text) { return *ProfileName::parse(text); }
inline ProjectName project_name(const std::string& text) { return *ProjectName::parse(text); }
inline AliasName alias_name(const std::string& text) { return *AliasName::parse(text); }
inline PoolName pool_name(const std::string& text) { return *PoolName::parse(text); }
inline Fingerprint fingerprint(char fill, const std::string& start = {}) {
  return *Fingerprint::parse(start + std::string(64 - start.size(), fill));
}

inline StoragePool make_pool(const std::string& name = "default") {
  StoragePool pool{.uuid = new_uuid(), .name = pool_name(name)};
  pool.driver = "dir";
  pool.description = "a pool";
  pool.created_at = at(5);
  pool.config = {{"source", "/pools/" + name}};
  return pool;
}
inline Profile make_profile(const std::string& name, const ProjectName& project = default_project()) {
  Profile profile{.uuid = new_uuid(), .project = project, .name = profile_name(name)};
  profile.description = "profile " + name;
  profile.created_at = at(7);
  profile.config = {{"limits.cpu", "2"}};
  profile.devices = {{"root", {{"type", "disk"}, {"path", "/"}, {"pool", "default"}}}};
  return profile;
}
inline Instance make_instance(const std::string& name, const ProjectName& project = default_project()) {
  Instance instance{.uuid = new_uuid(), .project = project, .name = instance_name(name), .pool = pool_name("default")};
  instance.architecture = "x86_64";
  instance.created_at = at(1'700'000'000'123'456);
  instance.description = "says \"hello\"";
  instance.config = {{"user.a", "line one\nline two"}, {"volatile.uuid", instance.uuid.str()}};
  instance.devices = {{"none1", {{"type", "none"}}}};
  return instance;
}
inline Image make_image(const Fingerprint& print, const ProjectName& project = default_project()) {
  Image image{.uuid = new_uuid(), .project = project, .fingerprint = print};
  image.architecture = "x86_64";
  image.created_at = at(11);
  image.uploaded_at = at(12);
  image.filename = "image.tar.gz";
  image.size = 4'000'000'000;
  image.split = true;
  image.is_public = true;
  image.properties = {{"os", "debian"}};
  return image;
}

inline void expect_same(const Instance& a, const Instance& b) {
  EXPECT_EQ(a.uuid, b.uuid);
  EXPECT_EQ(a.project, b.project);
  EXPECT_EQ(a.name, b.name);
  EXPECT_EQ(a.type, b.type);
  EXPECT_EQ(a.location, b.location);
  EXPECT_EQ(a.owner_uid, b.owner_uid);
  EXPECT_EQ(a.architecture, b.architecture);
  EXPECT_EQ(a.revision, b.revision);
  EXPECT_EQ(a.created_at, b.created_at);
  EXPECT_EQ(a.last_used_at, b.last_used_at);
  EXPECT_EQ(a.ephemeral, b.ephemeral);
  EXPECT_EQ(a.description, b.description);
  EXPECT_EQ(a.profiles, b.profiles);
  EXPECT_EQ(a.config, b.config);
  EXPECT_EQ(a.devices, b.devices);
  EXPECT_EQ(a.pool, b.pool);
}

inline void expect_summary(const InstanceSummary& summary, const Instance& row) {
  EXPECT_EQ(summary.uuid, row.uuid);
  EXPECT_EQ(summary.project, row.project);
  EXPECT_EQ(summary.name, row.name);
  EXPECT_EQ(summary.type, row.type);
  EXPECT_EQ(summary.architecture, row.architecture);
  EXPECT_EQ(summary.revision, row.revision);
  EXPECT_EQ(summary.created_at, row.created_at);
  EXPECT_EQ(summary.last_used_at, row.last_used_at);
  EXPECT_EQ(summary.ephemeral, row.ephemeral);
}

}  // namespace berth::contract
