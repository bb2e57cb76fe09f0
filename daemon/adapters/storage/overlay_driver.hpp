#pragma once

#include <memory>
#include <string>

#include "daemon/adapters/storage/pool_folder.hpp"
#include "daemon/ports/storage_driver.hpp"

namespace berth::adapters {

/// A root is an empty layer over the image's tree, which is used where the image store has it: nothing is copied,
/// whatever file system each of the two lies on. The mount itself is the supervisor's work. Roots that were asked for
/// as plain ones, and converted ones, are trees of their own. Who removes an image asks remove_image() first, under the
/// image's lock, and leaves its tree alone when that refuses.
class OverlayDriver : public ports::StorageDriver {
 public:
  /// `folder` is the pool's; `helper` the path of berth-helper. Errors: Internal.
  static Result<std::unique_ptr<ports::StorageDriver>> open(const std::string& folder, const std::string& helper);

  std::string_view name() const override { return "overlay"; }
  ports::StorageCapabilities capabilities() const override { return {true, true, reflink_}; }
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
  OverlayDriver(PoolFolder pool, std::string helper, bool reflink)
      : pool_(std::move(pool)), helper_(std::move(helper)), reflink_(reflink) {}

  Result<void> fill_copy(const ports::TreeId& from, int folder);

  PoolFolder pool_;
  std::string helper_;
  bool reflink_;
};

/// Whether the file system of `folder` carries overlay roots, as a real mount says, and if not, why.
struct OverlayProbe {
  bool works = false;
  std::string reason;
};
/// Tries it in a scratch folder below `folder` (made if absent), inside a user namespace with idmapped layers, as a
/// container's root is mounted. Errors: Internal when the try itself could not be made.
Result<OverlayProbe> probe_overlay(const std::string& folder, const std::string& helper);

}  // namespace berth::adapters
