#pragma once

#include <optional>
#include <string>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/images.hpp"
#include "daemon/services/snapshots.hpp"

namespace berth::services {

struct PublishRequest {
  InstanceRef of;
  std::optional<SnapshotName> snapshot;  ///< none: the instance as it is
  std::string compression;               ///< as LXD's `compression_algorithm`; empty: the server's key
  std::optional<ConfigMap> properties;   ///< none: those of the image it was made from
  std::optional<Timestamp> expires_at;
  std::string filename;
  bool is_public = false;
  std::vector<ProfileName> profiles;
  std::map<AliasName, std::string> aliases;  ///< name to description
};

/// Images from instances and snapshots. Blocking; workers only.
class ImagePublish {
 public:
  explicit ImagePublish(Context& context) : context_(context) {}
  /// As ImageImport::import(), of an archive that is made meanwhile: no file of it lies anywhere but in the image store.
  Result<OperationId> publish(const Principal& who, PublishRequest request);

 private:
  Context& context_;
};

}  // namespace berth::services
