#pragma once

#include <memory>
#include <string>

#include "daemon/adapters/storage/pool_folder.hpp"
#include "daemon/ports/storage_driver.hpp"

namespace berth::adapters {

/// Every root is a plain tree of its own, copied from the image's by berth-helper (blocks shared where the file system
/// can).
class DirDriver : public ports::StorageDriver {
 public:
  /// `folder` is the pool's; `helper` the path of berth-helper. Errors: Internal.
  static Result<std::unique_ptr<ports::StorageDriver>> open(const std::string& folder, const std::string& helper);

  std::string_view name() const override { return "dir"; }
  ports::StorageCapabilities capabilities() const override { return {false, true, reflink_}; }
  Result<void> ensure_image(const Fingerprint& fingerprint, const std::string& tree) override;
  Result<void> remove_image(const Fingerprint& fingerprint) override;
  Result<void> create_root(const Uuid& instance, const Fingerprint& image, const std::string& tree,
                           bool plain) override;
  Result<void> create_empty_root(const Uuid& instance) override;
  Result<void> convert_to_plain(const Uuid& instance) override;
  Result<ports::RootSpec> root(const Uuid& instance) override;
  Result<ports::RootSpec> tree(const ports::TreeId& tree) override;
  Result<void> fill_tree(const ports::TreeId& to, const std::function<Result<void>(int folder)>& fill) override;
  Result<void> delete_root(const Uuid& instance) override;
  Result<void> copy_tree(const ports::TreeId& from, const ports::TreeId& to) override;
  Result<void> replace_tree(const ports::TreeId& from, const ports::TreeId& to) override;
  Result<void> delete_snapshot(const ports::TreeId& snapshot) override;
  Result<std::uint64_t> usage(const Uuid& instance) override;
  Result<void> empty_trash() override;
  Result<std::vector<Uuid>> roots() override;

 private:
  DirDriver(PoolFolder pool, std::string helper, bool reflink)
      : pool_(std::move(pool)), helper_(std::move(helper)), reflink_(reflink) {}

  Result<void> fill_copy(const ports::TreeId& from, int folder);

  PoolFolder pool_;
  std::string helper_;
  bool reflink_;
};

}  // namespace berth::adapters
