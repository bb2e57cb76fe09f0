#include <filesystem>
#include <fstream>

#include "daemon/adapters/storage/dir_driver.hpp"
#include "daemon/adapters/storage/overlay_driver.hpp"
#include "tests/fakes/fake_storage_driver.hpp"
#include "tests/unit/storage/storage_driver_contract.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::testing_support {
namespace {

using Open = Result<std::unique_ptr<ports::StorageDriver>> (*)(const std::string&, const std::string&);

class RealSubject : public StorageSubject {
 public:
  explicit RealSubject(Open open) : open_(open) {
    std::filesystem::create_directories(tree() + "/etc");
    std::ofstream(tree() + "/etc/hostname") << "guest\n";
    reopen();
  }
  ports::StorageDriver& driver() override { return *driver_; }
  std::string tree() override { return home_.path() + "/image"; }
  void reopen() override { driver_ = *open_(home_.path() + "/pool", BERTH_HELPER); }

 private:
  TemporaryFolder home_;
  Open open_;
  std::unique_ptr<ports::StorageDriver> driver_;
};

class FakeSubject : public StorageSubject {
 public:
  explicit FakeSubject(bool layered) : driver_(layered) {}
  ports::StorageDriver& driver() override { return driver_; }
  std::string tree() override { return "/images/one/rootfs"; }
  void reopen() override {}

 private:
  FakeStorageDriver driver_;
};

std::unique_ptr<StorageSubject> overlay() { return std::make_unique<RealSubject>(adapters::OverlayDriver::open); }
std::unique_ptr<StorageSubject> dir() { return std::make_unique<RealSubject>(adapters::DirDriver::open); }
std::unique_ptr<StorageSubject> layered_fake() { return std::make_unique<FakeSubject>(true); }
std::unique_ptr<StorageSubject> plain_fake() { return std::make_unique<FakeSubject>(false); }

INSTANTIATE_TEST_SUITE_P(Overlay, AStorageDriver, ::testing::Values(overlay));
INSTANTIATE_TEST_SUITE_P(Dir, AStorageDriver, ::testing::Values(dir));
INSTANTIATE_TEST_SUITE_P(LayeredFake, AStorageDriver, ::testing::Values(layered_fake));
INSTANTIATE_TEST_SUITE_P(PlainFake, AStorageDriver, ::testing::Values(plain_fake));

}  // namespace
}  // namespace berth::testing_support
