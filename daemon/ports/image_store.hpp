#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/template_name.hpp"
#include "daemon/domain/types.hpp"

namespace berth::ports {

/// One entry of `templates:` in metadata.yaml.
struct ImageTemplate {
  std::string target;             ///< path in the guest
  std::vector<std::string> when;  ///< create, copy, start
  bool create_only = false;
  std::string source;  ///< file name in templates/
  ConfigMap properties;
};

/// What metadata.yaml says, validated: architecture known, creation date set, no control characters.
struct ImageMetadata {
  std::string architecture;
  Timestamp created_at{};
  Timestamp expires_at{};
  ConfigMap properties;
  std::vector<ImageTemplate> templates;
};

/// What to import. The descriptors are read once, from their current position to the end; pipes are fine.
struct ImageSource {
  UniqueFd file;                            ///< unified tarball, or the metadata tarball of a split image
  std::optional<UniqueFd> rootfs;           ///< split: squashfs or tarball
  std::optional<Fingerprint> expected;      ///< refuse anything else
};

/// An image that was read, hashed, unpacked and checked, and is not yet visible under its fingerprint.
struct StagedImage {
  Uuid staging;
  Fingerprint fingerprint;
  std::uint64_t size = 0;  ///< bytes read
  bool split = false;
  bool needs_plain_root = false;  ///< carries overlay attributes or whiteouts: may not be a lower layer
  ImageMetadata metadata;
};

/// How far an import is: a stage ("unpack") and bytes so far. Called from the importing worker, at most 5 times a second.
using ImageProgress = std::function<void(std::string_view stage, std::uint64_t bytes)>;

/// Image files and their unpacked trees under the state folder. Unpacking and parsing happen in berth-helper, with no
/// privilege over the host. Blocking: workers only; any thread.
class ImageStore {
 public:
  virtual ~ImageStore() = default;

  /// Reads, hashes, unpacks and checks. On error nothing is left. Errors: InvalidArgument (what is wrong with the archive,
  /// with the member's name), LimitsExceeded (a bomb), FailedPrecondition (fingerprint differs), Unavailable (disk full), Cancelled.
  /// `cancelled` is asked now and then.
  virtual Result<StagedImage> stage(ImageSource source, const ImageProgress& progress,
                                    const std::function<bool()>& cancelled) = 0;
  /// Makes it permanent under its fingerprint; idempotent when the same image is there already.
  virtual Result<void> commit(const StagedImage& staged) = 0;
  /// Drops what stage() made.
  virtual void discard(const Uuid& staging) = 0;

  /// The unpacked root file system of a committed image (ids unshifted, read-only by convention).
  virtual Result<std::string> tree(const Fingerprint& fingerprint) = 0;
  virtual Result<bool> needs_plain_root(const Fingerprint& fingerprint) = 0;
  virtual Result<ImageMetadata> metadata(const Fingerprint& fingerprint) = 0;
  /// A template of the image, open for reading. NotFound when it has none of that name.
  virtual Result<UniqueFd> open_template(const Fingerprint& fingerprint, const TemplateName& name) = 0;
  /// The file or files as imported, open for reading: unified gives one, split gives metadata then root file system.
  virtual Result<std::vector<UniqueFd>> files(const Fingerprint& fingerprint) = 0;
  /// One rename into the trash; absent is success.
  virtual Result<void> remove(const Fingerprint& fingerprint) = 0;
  virtual Result<void> empty_trash() = 0;
  /// Committed images, and staging folders left by a crash are dropped; for reconcile.
  virtual Result<std::vector<Fingerprint>> reconcile() = 0;
};

}  // namespace berth::ports
