#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/start_plan.hpp"

namespace berth::ports {

/// What a driver can do; services fall back where it cannot.
struct StorageCapabilities {
  bool layered = false;        ///< an instance is a layer over the image's tree, which must outlive it
  bool plain_roots = true;     ///< can make a root that is one plain tree (nesting needs it on an overlay pool)
  bool reflink = false;        ///< copies share blocks
};

using berth::RootSpec;

/// One tree of a pool: an instance's root, or what one of its snapshots keeps of it.
struct TreeId {
  Uuid instance;
  std::optional<Uuid> snapshot;
};

/// One pool's folder on disk. Blocking: workers only; any thread, but one call at a time per instance (the caller holds
/// the instance's lock). Everything on disk holds unshifted ids: no call ever chowns a tree.
/// A call that fails leaves nothing behind. Errors: NotFound, AlreadyExists, FailedPrecondition, Internal (text of the step).
class StorageDriver {
 public:
  virtual ~StorageDriver() = default;

  virtual std::string_view name() const = 0;  ///< `overlay`, `dir`
  virtual StorageCapabilities capabilities() const = 0;

  /// Makes the image usable in this pool from its unpacked tree at `tree` (image store's); idempotent.
  virtual Result<void> ensure_image(const Fingerprint& fingerprint, const std::string& tree) = 0;
  /// Forgets the image; FailedPrecondition while an instance's layer needs it.
  virtual Result<void> remove_image(const Fingerprint& fingerprint) = 0;

  /// An instance's root from an image. `plain` asks for one plain tree on a driver that would layer.
  virtual Result<void> create_root(const Uuid& instance, const Fingerprint& image, const std::string& tree, bool plain) = 0;
  /// An empty root (source `none`).
  virtual Result<void> create_empty_root(const Uuid& instance) = 0;
  /// Turns a layered root of a stopped instance into a plain one (security.nesting set later); idempotent.
  virtual Result<void> convert_to_plain(const Uuid& instance) = 0;
  virtual Result<RootSpec> root(const Uuid& instance) = 0;
  /// Where a tree is, to be read: an instance's root, or what a snapshot keeps.
  virtual Result<RootSpec> tree(const TreeId& tree) = 0;
  /// Makes `to` as a plain tree of what `fill` puts into the empty folder it is given, open for reading.
  virtual Result<void> fill_tree(const TreeId& to, const std::function<Result<void>(int folder)>& fill) = 0;
  /// One rename into the trash; the space comes back in `empty_trash()`. Idempotent: an absent root is success.
  virtual Result<void> delete_root(const Uuid& instance) = 0;

  /// Makes `to` as a copy of `from`: a snapshot (both of one instance), a new instance, or a snapshot of it. A copy of
  /// a layer is a layer over the same image, so its cost is what was changed. The tree must stand still meanwhile.
  virtual Result<void> copy_tree(const TreeId& from, const TreeId& to) = 0;
  /// The same in the place of a tree that is there, in one step: the root of a stopped instance goes back to a snapshot,
  /// or is brought up to date with another instance.
  virtual Result<void> replace_tree(const TreeId& from, const TreeId& to) = 0;
  /// As delete_root(). Those of an instance are deleted one by one, before or after its root.
  virtual Result<void> delete_snapshot(const TreeId& snapshot) = 0;

  /// Bytes the instance's root occupies beyond its image; may walk the tree.
  virtual Result<std::uint64_t> usage(const Uuid& instance) = 0;
  /// Removes what delete_root() put aside. Long; called from a background worker.
  virtual Result<void> empty_trash() = 0;
  /// Instances that have a root here, for reconcile.
  virtual Result<std::vector<Uuid>> roots() = 0;
};

}  // namespace berth::ports
