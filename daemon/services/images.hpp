#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/image.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// An image whose file is written while it is read.
struct ImageFeed {
  UniqueFd file;
  std::optional<UniqueFd> rootfs = {};
  /// Waits for the writer. Unavailable when it ended because nobody read any more.
  std::function<Result<void>()> end;
};

struct ImportImageRequest {
  ProjectName project;
  UniqueFd file;
  std::function<Result<ImageFeed>(OperationContext&)> feed = {};  ///< in place of `file`: begins to write it
  /// Told of bytes taken; empty: the operation's usual progress.
  std::function<void(OperationContext&, std::uint64_t bytes)> progress = {};
  std::optional<UniqueFd> rootfs;
  std::optional<Fingerprint> fingerprint;
  std::string filename;
  bool is_public = false;
  bool auto_update = false;
  ConfigMap properties;
  std::map<AliasName, std::string> aliases;  ///< name to description
  std::vector<ProfileName> profiles = {};    ///< for instances made from it; empty: theirs to choose
  std::optional<Timestamp> created_at = {};  ///< in place of the archive's own
  bool cached = false;                       ///< fetched for an instance: goes when it is not used for long
  bool tell_result = true;                   ///< fingerprint and size become metadata of the operation
  bool replace_properties = false;           ///< `properties` are all there are, not over those of metadata.yaml
  std::optional<ImageOrigin> origin = {};
};

struct ImageChanges {
  std::optional<ConfigMap> properties;
  std::optional<bool> is_public, auto_update;
  std::optional<Timestamp> expires_at;
  std::optional<std::vector<ProfileName>> profiles;
  bool replace = false;
  std::optional<std::uint64_t> if_revision;
};

/// Import and removal of images. Blocking; workers only.
class ImageImport {
 public:
  explicit ImageImport(Context& context) : context_(context) {}
  /// The operation's result: `fingerprint` s, `size` s. AlreadyExists in the operation when the project has it.
  Result<OperationId> import(const Principal& who, ImportImageRequest request);
  Result<OperationId> remove(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint);
  /// The work of import(), for an operation that does more: reads, checks and keeps the image, and tells of it.
  Result<Image> take(const Principal& who, ImportImageRequest& request, OperationContext& operation);
  /// What remove() does, for whoever has the image's lock.
  Result<void> drop(const ProjectName& project, const Fingerprint& fingerprint);

 private:
  /// Makes what was staged an image of the project. On error nothing is left but the staging.
  Result<Image> keep(const Principal& who, const ImportImageRequest& request, const ports::StagedImage& staged);

  Context& context_;
};

/// Rule 7 for what a client or an archive says of an image.
Result<void> check_image_texts(const std::string& filename, const ConfigMap& properties);

/// Finding images, their aliases and properties. Blocking; workers only.
class Images {
 public:
  explicit Images(Context& context) : context_(context) {}
  Result<std::vector<Image>> list(const Principal& who, const ProjectName& project);
  /// `references` are fingerprints or unique prefixes.
  Result<std::vector<Document>> describe(const Principal& who, const ProjectName& project, const std::optional<std::vector<std::string>>& references);
  /// A fingerprint, a unique prefix, or an alias.
  Result<Image> resolve(const Principal& who, const ProjectName& project, const std::string& reference);
  Result<void> update(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint, ImageChanges changes);

  Result<std::vector<ImageAlias>> aliases(const Principal& who, const ProjectName& project);
  /// `target`: a fingerprint or the beginning of one.
  Result<void> create_alias(const Principal& who, const ProjectName& project, const AliasName& name, const std::string& target,
                            const std::string& description);
  Result<void> update_alias(const Principal& who, const ProjectName& project, const AliasName& name,
                            std::optional<std::string> target, std::optional<std::string> description);
  Result<void> rename_alias(const Principal& who, const ProjectName& project, const AliasName& name, const AliasName& to);
  Result<void> delete_alias(const Principal& who, const ProjectName& project, const AliasName& name);

 private:
  Result<ImageAlias> visible_alias(const Principal& who, const ProjectName& project, const AliasName& name);

  Context& context_;
};

}  // namespace berth::services
