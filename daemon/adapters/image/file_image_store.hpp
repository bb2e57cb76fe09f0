#pragma once

#include <memory>
#include <string>

#include "daemon/ports/image_store.hpp"

namespace berth::adapters {

/// Bounds of an import (rule 20). Members count as the archive lists them; bytes as unpacked, holes not counted.
struct ImageLimits {
  std::uint64_t max_bytes = 64ULL << 30;
  std::uint64_t max_members = 5'000'000;
  std::uint64_t max_file = 64ULL << 30;  ///< bytes of the file as it comes
};

/// The image store on a file system. Its folder holds, all of it root's with mode 0700:
///
///     <fingerprint>/meta.json      what is known of the image: the daemon's own file
///     <fingerprint>/image          the file as imported (split: the metadata tarball)
///     <fingerprint>/image.rootfs   split: the root file system's file
///     <fingerprint>/rootfs/        the unpacked tree, ids unshifted: image data, which the daemon opens nothing in
///     (rule 1) <fingerprint>/templates/     plain files, for the renderer staging/<uuid>/              the same, being
///     made trash/<uuid>                 put aside by remove()
///
/// berth-helper unpacks and parses; this class only hashes and spools. Holds no state besides the folder: any thread.
class FileImageStore : public ports::ImageStore {
 public:
  struct Options {
    std::string folder;  ///< absolute; its parent exists
    std::string helper;  ///< absolute path of berth-helper
    ImageLimits limits;
  };

  /// Makes the folders if they are not there. Errors: Internal.
  static Result<std::unique_ptr<FileImageStore>> open(Options options);

  Result<ports::StagedImage> stage(ports::ImageSource source, const ports::ImageProgress& progress,
                                   const std::function<bool()>& cancelled) override;
  Result<void> commit(const ports::StagedImage& staged) override;
  void discard(const Uuid& staging) override;
  Result<std::string> tree(const Fingerprint& fingerprint) override;
  Result<bool> needs_plain_root(const Fingerprint& fingerprint) override;
  Result<ports::ImageMetadata> metadata(const Fingerprint& fingerprint) override;
  Result<UniqueFd> open_template(const Fingerprint& fingerprint, const TemplateName& name) override;
  Result<std::vector<UniqueFd>> files(const Fingerprint& fingerprint) override;
  Result<void> remove(const Fingerprint& fingerprint) override;
  Result<void> empty_trash() override;
  Result<std::vector<Fingerprint>> reconcile() override;

 private:
  FileImageStore(Options options, UniqueFd folder, UniqueFd staging, UniqueFd trash)
      : options_(std::move(options)),
        folder_(std::move(folder)),
        staging_(std::move(staging)),
        trash_(std::move(trash)) {}
  Result<UniqueFd> open_image(const Fingerprint& fingerprint);

  Options options_;
  UniqueFd folder_, staging_, trash_;
};

}  // namespace berth::adapters
