#pragma once

#include "daemon/ports/instance_metadata.hpp"

namespace berth::adapters {

/// `FOLDER/<uuid>/metadata.json` and `FOLDER/<uuid>/templates/NAME`, files 0600 in folders 0700, beside the manifest.
/// Nothing of a guest's is in these folders. Holds no state besides the folder.
class InstanceMetadataFolder : public ports::InstanceMetadata {
 public:
  /// `folder` is that of the instances' own folders; it is made if absent. Errors: Internal.
  static Result<InstanceMetadataFolder> open(const std::string& folder);

  Result<ports::ImageMetadata> read(const Uuid& instance) override;
  Result<void> write(const Uuid& instance, const ports::ImageMetadata& metadata) override;
  Result<std::vector<std::string>> templates(const Uuid& instance) override;
  Result<UniqueFd> open_template(const Uuid& instance, const TemplateName& name) override;
  Result<void> write_template(const Uuid& instance, const TemplateName& name, int text) override;
  Result<void> remove_template(const Uuid& instance, const TemplateName& name) override;
  Result<void> remove(const Uuid& instance) override;

 private:
  explicit InstanceMetadataFolder(UniqueFd folder) : folder_(std::move(folder)) {}
  UniqueFd folder_;
};

}  // namespace berth::adapters
