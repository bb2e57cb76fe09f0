#include <gtest/gtest.h>

#include <memory>

#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "tests/fakes/fake_certificate_store.hpp"
#include "tests/fakes/fake_store.hpp"
#include "tests/unit/store/store_fixtures.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::contract {
namespace {

class SqliteCertificates {
 public:
  SqliteCertificates() { store_ = *sqlite::SqliteStore::open(folder_.path()); }
  ports::CertificateStore& store() { return *store_; }
  ports::Store& projects() { return *store_; }

 private:
  testing_support::TemporaryFolder folder_;
  std::unique_ptr<sqlite::SqliteStore> store_;
};

class FakeCertificates {
 public:
  ports::CertificateStore& store() { return store_; }
  ports::Store& projects() { return projects_; }

 private:
  fakes::FakeStore projects_;
  fakes::FakeCertificateStore store_{projects_};
};

Certificate make_certificate(char fill) {
  return {.uuid = new_uuid(),
          .fingerprint = fingerprint(fill),
          .name = "a \"client\"",
          .pem = "-----BEGIN CERTIFICATE-----\nAAAA\n",
          .valid_from = at(5),
          .valid_until = at(4'000'000'000'000'000),
          .restricted = true,
          .projects = {project_name("one"), project_name("two")},
          .owner_uid = 4294967294U,
          .created_at = at(9)};
}

template <typename Maker>
class ACertificateStore : public testing::Test {
 protected:
  ACertificateStore() {
    for (const auto* name : {"one", "two"})
      EXPECT_TRUE(projects().insert_project({.uuid = new_uuid(), .name = project_name(name)}, std::nullopt));
  }
  ports::CertificateStore& store() { return maker_.store(); }
  ports::Store& projects() { return maker_.projects(); }
  Maker maker_;
};
using Makers = testing::Types<SqliteCertificates, FakeCertificates>;
TYPED_TEST_SUITE(ACertificateStore, Makers);

TYPED_TEST(ACertificateStore, GivesBackWhatWasPutInSortedByFingerprint) {
  const auto second = make_certificate('b');
  ASSERT_TRUE(this->store().insert_certificate(second));
  ASSERT_TRUE(this->store().insert_certificate(make_certificate('a')));
  const auto rows = this->store().certificates();
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 2U);
  const auto& row = rows->at(1);
  EXPECT_EQ(row.uuid, second.uuid);
  EXPECT_EQ(row.fingerprint, second.fingerprint);
  EXPECT_EQ(row.type, "client");
  EXPECT_EQ(row.name, second.name);
  EXPECT_EQ(row.pem, second.pem);
  EXPECT_EQ(row.valid_from, second.valid_from);
  EXPECT_EQ(row.valid_until, second.valid_until);
  EXPECT_TRUE(row.restricted);
  EXPECT_EQ(row.projects, second.projects);
  EXPECT_EQ(row.owner_uid, second.owner_uid);
  EXPECT_EQ(row.created_at, second.created_at);
}

TYPED_TEST(ACertificateStore, TakesNoFingerprintTwice) {
  auto first = make_certificate('a');
  ASSERT_TRUE(this->store().insert_certificate(first));
  const auto again = this->store().insert_certificate(make_certificate('a'));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::AlreadyExists);
  EXPECT_EQ(again.error().message, "Certificate already in trust store");
  auto other = make_certificate('b');
  ASSERT_TRUE(this->store().insert_certificate(other));
  other.fingerprint = first.fingerprint;
  EXPECT_EQ(this->store().update_certificate(other, std::nullopt).error().code, Code::AlreadyExists);
}

TYPED_TEST(ACertificateStore, UpdatesTheRevisionThatWasExpectedAndNoOther) {
  auto row = make_certificate('a');
  ASSERT_TRUE(this->store().insert_certificate(row));
  row.name = "new";
  EXPECT_EQ(this->store().update_certificate(row, 7).error().code, Code::RevisionMismatch);
  const auto revision = this->store().update_certificate(row, 1);
  ASSERT_TRUE(revision);
  EXPECT_EQ(*revision, 2U);
  EXPECT_EQ(this->store().certificates()->front().name, "new");
}

// Security rule 8: a new project of an old name is another one.
TYPED_TEST(ACertificateStore, FollowsItsProjectsWhenTheyAreRenamedAndWhenTheyGo) {
  auto row = make_certificate('a');
  ASSERT_TRUE(this->store().insert_certificate(row));
  ASSERT_TRUE(this->projects().rename_project(project_name("one"), project_name("three")));
  EXPECT_EQ(this->store().certificates()->front().projects, (std::vector{project_name("three"), project_name("two")}));
  ASSERT_TRUE(this->projects().delete_project(project_name("three")));
  ASSERT_TRUE(this->projects().insert_project({.uuid = new_uuid(), .name = project_name("three")}, std::nullopt));
  EXPECT_EQ(this->store().certificates()->front().projects, std::vector{project_name("two")});
  row.projects = {project_name("two"), project_name("three")};
  ASSERT_TRUE(this->store().update_certificate(row, std::nullopt));
  EXPECT_EQ(this->store().certificates()->front().projects, row.projects);
}

TYPED_TEST(ACertificateStore, TakesNoProjectThatIsNotThere) {
  auto row = make_certificate('a');
  row.projects = {project_name("none")};
  EXPECT_EQ(this->store().insert_certificate(row).error().code, Code::NotFound);
  EXPECT_TRUE(this->store().certificates()->empty());
}

TYPED_TEST(ACertificateStore, ForgetsWhatWasDeleted) {
  const auto row = make_certificate('a');
  ASSERT_TRUE(this->store().insert_certificate(row));
  ASSERT_TRUE(this->store().delete_certificate(row.uuid));
  EXPECT_EQ(this->store().delete_certificate(row.uuid).error().code, Code::NotFound);
  EXPECT_EQ(this->store().update_certificate(row, std::nullopt).error().code, Code::NotFound);
  EXPECT_TRUE(this->store().certificates()->empty());
}

}  // namespace
}  // namespace berth::contract
