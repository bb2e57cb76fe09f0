#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/image.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/ports/image_servers.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

struct ImportImageRequest;

struct PullImageRequest {
  ProjectName project;
  ports::ServerImageQuery from;
  bool is_public = false;
  bool auto_update = false;  ///< counts for an image that was asked for by an alias
  std::string filename;
  ConfigMap properties;  ///< over those that the server tells
  std::map<AliasName, std::string> aliases;
  std::vector<ProfileName> profiles;
};

/// Whether such a server can be asked. Errors: InvalidArgument naming what is wrong.
Result<void> check_server_query(const ports::ServerImageQuery& query);

/// Images of other servers: fetched, kept up to date, and let go of. What comes is hashed while it is stored, and is not
/// kept when its hash is not the fingerprint (rule 16). Two who want the same image wait for one transfer. Blocking;
/// workers only.
class ImagePull {
 public:
  explicit ImagePull(Context& context) : context_(context) {}

  /// The operation's result: `fingerprint` s, `size` s; meanwhile `download_progress` s. An image that the project has
  /// already is not fetched again, and what the request says of it is changed.
  Result<OperationId> pull(const Principal& who, PullImageRequest request);
  /// An image of another project of this server, as one of this project.
  Result<OperationId> copy(const Principal& who, const ProjectName& from, const std::string& reference,
                           PullImageRequest request);
  /// The image that an instance is made from, as part of the operation that makes it. It becomes a cached one: the next
  /// who asks that server for the same alias gets it without asking, and it goes when it is not used for long.
  Result<Image> for_instance(const Principal& who, const ProjectName& project, const ports::ServerImageQuery& from,
                             OperationContext& operation);
  /// Fetches the image anew when its alias names another one by now; that one takes over its aliases, and it goes. The
  /// operation's result: `refreshed` b. FailedPrecondition in the operation when the image came from nowhere.
  Result<OperationId> refresh(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint);

 private:
  Result<Image> obtain(const Principal& who, const PullImageRequest& request, bool for_instance, OperationContext& operation);
  Result<Image> fetch(const Principal& who, const PullImageRequest& request, const ports::ServerImage& image,
                      bool for_instance, OperationContext& operation);
  Result<Image> apply(const Principal& who, const PullImageRequest& request, const ports::ServerImage& found);
  Result<bool> renew(const Principal& who, const Image& old, OperationContext& operation);
  Result<void> replace(const Image& old, const Image& by);

  Context& context_;
};

/// Updates and removes images by themselves, as the server's keys say: images.auto_update_interval,
/// images.remote_cache_expiry. Outlived by nothing: main makes it.
class ImageUpkeep {
 public:
  explicit ImageUpkeep(Context& context) : context_(context) {}
  /// Does what is due, and again each hour. A worker.
  void keep_going();
  /// Asks for the update of all images that are to be kept up to date. Returns how many.
  Result<std::size_t> update_all();
  /// Asks for the removal of cached images that nobody used for long. Returns how many.
  Result<std::size_t> expire();

 private:
  Context& context_;
  Timestamp updated_at_{};
};

/// A number of the server's configuration, or the key's own when it is not set.
Result<std::uint64_t> server_number(Context& context, std::string_view key);

}  // namespace berth::services
