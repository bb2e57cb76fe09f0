#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/snapshot.hpp"
#include "daemon/ports/archives.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/creation_undo.hpp"
#include "daemon/services/entity_locks.hpp"

/// What publishing and backups have in common. Blocking; workers only.
namespace berth::services {

/// An instance's root that stands still for as long as this lives: of a stopped instance the root itself, of a running one
/// what was set aside of it as for a snapshot (reflinked where that is possible; the container stands still only for the
/// copy's time). The caller holds the instance's lock.
class StillRoot {
 public:
  static Result<StillRoot> of(Context& context, const Instance& instance);
  const RootSpec& root() const noexcept { return root_; }

 private:
  explicit StillRoot(RootSpec root) : root_(std::move(root)) {}
  RootSpec root_;
  std::shared_ptr<CreationUndo> aside_;  ///< removes what was set aside; null when nothing was
};

/// metadata.yaml (in JSON, which is YAML) and templates/ as files below `at`. `change` may change the metadata first; an
/// instance that was made from nothing has some made for it.
Result<std::vector<ports::PackedFile>> metadata_files(Context& context, const Instance& instance, const std::string& at,
                                                      const std::function<void(ports::ImageMetadata&)>& change);

/// The compression that was asked for, else that of the server's key.
Result<Compression> chosen_compression(Context& context, const std::string& asked, std::string_view key);

}  // namespace berth::services
