#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/image.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/ports/credentials.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Which image, for whom, and with what secret.
struct ImageDownload {
  ProjectName project;
  std::string reference;  ///< a fingerprint or a unique prefix
  std::string secret;     ///< of create_secret(): stands for the right to see the image; empty: none
};

/// A file of an image that is on its way.
struct ImageFile {
  std::uint64_t size = 0;
  bool split = false;     ///< there is a second file, the root file system's
  std::string extension;  ///< by its content: ".tar.gz", ".squashfs"; empty when it is not known
};

/// Taking images out: their files by a descriptor, and secrets by which a stranger may take a private one. Any thread;
/// blocking: workers only.
class ImageDownloads {
 public:
  ImageDownloads(Context& context, ports::Credentials& credentials) : context_(context), credentials_(credentials) {}

  /// A token operation whose metadata has the `secret`. It opens that one image once: what is asked for within five seconds
  /// of its first use counts as one. An hour after it was made, or when the operation is cancelled, it opens nothing.
  /// Errors: NotFound, LimitsExceeded.
  Result<OperationId> create_secret(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint);

  /// The image's row, for who may see it or has its secret. NotFound `Image not found`, whichever of both it is.
  Result<Document> describe(const Principal& who, const ImageDownload& download);

  /// Writes the image's file (`rootfs`: the second file of a split image) to `target`: a pipe, a socket or a file. What
  /// comes is as long as `size` says, unless it breaks off; it goes on after this has returned. Errors: NotFound,
  /// InvalidArgument, LimitsExceeded.
  Result<ImageFile> send(const Principal& who, const ImageDownload& download, bool rootfs, UniqueFd target);

 private:
  struct Secret {
    std::string text;
    ProjectName project;
    Fingerprint fingerprint;
    Timestamp expires_at;
    bool used = false;
  };
  Result<Image> find(const Principal& who, const ImageDownload& download);
  bool opens(const ImageDownload& download, const Image& image);
  void drop_secret(const OperationId& id, const std::string& why);

  Context& context_;
  ports::Credentials& credentials_;
  std::mutex mutex_;
  std::map<OperationId, Secret> secrets_;
  /// Files on their way to those that nobody knows; the jobs that send them may outlive this.
  std::shared_ptr<std::atomic<int>> for_strangers_ = std::make_shared<std::atomic<int>>(0);
};

}  // namespace berth::services
