#include "daemon/adapters/image/file_image_store.hpp"
#include "tests/fakes/fake_image_store.hpp"
#include "tests/unit/image/image_store_contract.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::testing_support {
namespace {

class RealSubject : public ImageStoreSubject {
 public:
  RealSubject() : store_(*adapters::FileImageStore::open({home_.path() + "/images", BERTH_HELPER, {}})) {}
  ports::ImageStore& store() override { return *store_; }

 private:
  TemporaryFolder home_;
  std::unique_ptr<adapters::FileImageStore> store_;
};

class FakeSubject : public ImageStoreSubject {
 public:
  FakeSubject() {
    store_.describe_next({.architecture = "x86_64",
                          .created_at = Timestamp(std::chrono::seconds(1700000000)),
                          .properties = {{"os", "Test"}, {"release", "1"}}});
  }
  ports::ImageStore& store() override { return store_; }

 private:
  fakes::FakeImageStore store_;
};

std::unique_ptr<ImageStoreSubject> real() { return std::make_unique<RealSubject>(); }
std::unique_ptr<ImageStoreSubject> fake() { return std::make_unique<FakeSubject>(); }

INSTANTIATE_TEST_SUITE_P(File, AnImageStore, ::testing::Values(real));
INSTANTIATE_TEST_SUITE_P(Fake, AnImageStore, ::testing::Values(fake));

}  // namespace
}  // namespace berth::testing_support
