#pragma once

#include <string>

#include "daemon/adapters/image/file_image_store.hpp"
#include "daemon/ports/archives.hpp"

namespace berth::adapters {

/// Archives by berth-helper. Holds no state: any thread.
class HelperArchives final : public ports::Archives {
 public:
  /// `helper` is its absolute path; `limits` bound what a backup may bring.
  HelperArchives(std::string helper, ImageLimits limits) : helper_(std::move(helper)), limits_(limits) {}

  Result<ports::Packing> pack(const ports::PackRequest& request, int target) override;
  Result<std::string> read_backup(int file) override;
  Result<ports::UnpackedBackup> unpack_backup(int file, const ports::BackupPlaces& places,
                                              const std::function<void(std::uint64_t)>& progress,
                                              const std::function<bool()>& cancelled) override;

 private:
  std::string helper_;
  ImageLimits limits_;
};

}  // namespace berth::adapters
