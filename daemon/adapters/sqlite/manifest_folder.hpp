#pragma once

#include "base/unique_fd.hpp"
#include "daemon/ports/manifests.hpp"

#include <string>

namespace berth::sqlite {

/// Manifests as `FOLDER/<uuid>/manifest.json`, files 0600 in folders 0700. The only names in a path are uuids.
class ManifestFolder final : public ports::Manifests {
 public:
  /// Opens the folder of the instances' own folders, making it (0700) when it is not there.
  static Result<ManifestFolder> open(const std::string& folder);

  Result<void> write(const Instance& instance) override;
  Result<Instance> read(const Uuid& uuid) override;
  Result<void> remove(const Uuid& uuid) override;
  Result<std::vector<Uuid>> list() override;

 private:
  explicit ManifestFolder(UniqueFd folder) : folder_(std::move(folder)) {}
  Result<UniqueFd> instance_folder(const Uuid& uuid) const;

  UniqueFd folder_;
};

}  // namespace berth::sqlite
