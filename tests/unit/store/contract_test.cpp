#include "daemon/adapters/sqlite/sqlite_store.hpp"
#include "tests/fakes/fake_store.hpp"
#include "tests/unit/store/project_contract.hpp"
#include "tests/unit/store/snapshot_contract.hpp"
#include "tests/unit/store/store_contract.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::contract {
namespace {

class SqliteMaker final : public StoreMaker {
 public:
  SqliteMaker() {
    auto opened = sqlite::SqliteStore::open(folder_.path());
    if (!opened) ADD_FAILURE() << opened.error().message;
    store_ = *std::move(opened);
  }
  ports::Store& store() override { return *store_; }

 private:
  testing_support::TemporaryFolder folder_;
  std::unique_ptr<sqlite::SqliteStore> store_;
};

class FakeMaker final : public StoreMaker {
 public:
  ports::Store& store() override { return store_; }

 private:
  fakes::FakeStore store_;
};

using Makers = testing::Types<SqliteMaker, FakeMaker>;
INSTANTIATE_TYPED_TEST_SUITE_P(Every, AStore, Makers);
INSTANTIATE_TYPED_TEST_SUITE_P(Every, AStoreOfSnapshots, Makers);
INSTANTIATE_TYPED_TEST_SUITE_P(Every, AStoreOfProjects, Makers);

}  // namespace
}  // namespace berth::contract
