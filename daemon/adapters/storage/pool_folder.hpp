#pragma once

#include <functional>
#include <string>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"

namespace berth::adapters {

/// The folder of a pool that keeps trees on an ordinary file system:
///
///     instances/<uuid>/rootfs/          a plain root, ids unshifted: guest data
///     instances/<uuid>/layer/{upper,work}   or a layer over an image's tree
///     instances/<uuid>/image            of a layer: which image, and where its tree is; the daemon's own file
///     snapshots/<uuid>/                 the same for what a snapshot keeps, by the snapshot's uuid
///     staging/<uuid>/                   the same, being made
///     trash/<uuid>                      put aside, to be removed in the background
///
/// All folders but the guest's own are root's with mode 0700 (rule 17). Any thread.
class PoolFolder {
 public:
  /// Makes the folders that are not there, and puts what a crash left in staging/ into the trash. Errors: Internal.
  static Result<PoolFolder> open(const std::string& path);

  /// Where a folder stands.
  enum class Shelf { Instances, Snapshots };

  /// Makes an instance's folder: `fill` is given a new folder in staging, which appears under the instance's name when
  /// it is ready. Nothing is left when `fill` fails. Errors: AlreadyExists, and those of `fill`.
  Result<void> create(const Uuid& uuid, const std::function<Result<void>(int folder)>& fill,
                      Shelf shelf = Shelf::Instances);
  /// The same for an instance that is there: the new folder takes the old one's place in one step, the old one is
  /// trash.
  Result<void> replace(const Uuid& uuid, const std::function<Result<void>(int folder)>& fill,
                       Shelf shelf = Shelf::Instances);
  /// One rename; absent is success.
  Result<void> remove(const Uuid& uuid, Shelf shelf = Shelf::Instances);
  Result<void> empty_trash();

  /// Errors: NotFound.
  Result<UniqueFd> instance(const Uuid& uuid, Shelf shelf = Shelf::Instances) const;
  Result<std::vector<Uuid>> instances(Shelf shelf = Shelf::Instances) const;
  std::string instance_path(const Uuid& instance, Shelf shelf = Shelf::Instances) const {
    return path_ + (shelf == Shelf::Instances ? "/instances/" : "/snapshots/") + instance.str();
  }
  int fd() const noexcept { return folder_.get(); }

 private:
  PoolFolder() = default;
  Result<void> make(const std::string& name, const std::function<Result<void>(int folder)>& fill);

  int shelf_fd(Shelf shelf) const noexcept { return (shelf == Shelf::Instances ? instances_ : snapshots_).get(); }

  std::string path_;
  UniqueFd folder_, instances_, snapshots_, staging_, trash_;
};

}  // namespace berth::adapters
