#pragma once

#include <optional>
#include <string>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/domain/types.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Where the new root comes from.
struct InstanceSource {
  std::string type = "image";  ///< image, copy, none
  std::optional<std::string> alias;
  std::optional<std::string> fingerprint;  ///< or a unique prefix
  ConfigMap properties;                    ///< newest image that has them all
  std::optional<ports::ServerImageQuery> server;  ///< an image of another server, in place of the three above
  std::optional<InstanceName> instance;    ///< copy: of what
  std::optional<ProjectName> project;      ///< copy: where that is, if not in the project of the new one
  std::optional<SnapshotName> snapshot;    ///< copy: of this snapshot of it, and without others
  bool instance_only = false;              ///< copy: without snapshots
  bool refresh = false;                    ///< copy: bring the instance that is there up to date
};

struct CreateInstanceRequest {
  ProjectName project;
  std::optional<InstanceName> name;  ///< none: the server picks one
  InstanceSource source;
  std::string type = "container";
  std::string architecture;                            ///< empty: the image's, else the host's
  std::optional<std::vector<ProfileName>> profiles;    ///< none: the image's, else `default`
  ConfigMap config;
  DeviceMap devices;
  bool ephemeral = false;
  std::string description;
  bool start = false;
};

/// Makes containers.
class InstanceCreate {
 public:
  explicit InstanceCreate(Context& context) : context_(context) {}
  /// Checks everything that can be refused at once (name taken, image absent, unknown keys, no root disk, host access),
  /// then an operation does the work: intent, root, row, manifest. A failure leaves nothing behind.
  Result<OperationId> create(const Principal& who, CreateInstanceRequest request);

 private:
  /// Everything that was checked before the work begins.
  struct Draft;
  /// A draft whose image and instance are locked for the work.
  struct Prepared;

  Result<Draft> draft(const Principal& who, const CreateInstanceRequest& request, std::optional<Image> image);
  Result<void> judge(const Principal& who, const CreateInstanceRequest& request, const Draft& plan);
  Result<Prepared> prepare(const Principal& who, const CreateInstanceRequest& request, std::optional<Image> image);
  Result<void> finish(const Principal& who, Prepared ready, bool start);
  Result<OperationId> create_from_server(const Principal& who, CreateInstanceRequest request, EntityLocks::Guard name_lock);
  /// Gives the request a name of its own, and locks it.
  Result<EntityLocks::Guard> pick_name(CreateInstanceRequest& request);
  /// The lock of the name that was asked for.
  Result<EntityLocks::Guard> lock_name(const CreateInstanceRequest& request);
  Result<void> make(const Draft& draft);

  Context& context_;
};

}  // namespace berth::services
