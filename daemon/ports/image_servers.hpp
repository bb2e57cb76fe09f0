#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/image.hpp"

namespace berth::ports {

/// Which image of which server.
struct ServerImageQuery {
  ImageOrigin at;               ///< `alias` is an alias, a fingerprint or the beginning of one
  bool by_fingerprint = false;  ///< it is a whole fingerprint: another image that is called so is not meant
  std::string secret;   ///< by which a private image is seen, once
  std::string project;  ///< on that server; empty: its default
};

/// An image as its server describes it. Checked for its form, and not for its truth.
struct ServerImage {
  Fingerprint fingerprint;
  std::string architecture, filename;
  std::uint64_t size = 0;  ///< bytes of its files; 0: not said
  Timestamp created_at{}, expires_at{};
  ConfigMap properties;
  bool by_alias = false;  ///< what was asked for is an alias, which may name another image later
  struct File {
    std::string url;
    std::uint64_t size = 0;
  };
  std::vector<File> files;  ///< metadata, then root file system; or the one that brings all
};

/// An image on its way.
struct ServerDownload {
  UniqueFd file;                   ///< the unified file, or the metadata of a split image; ends before `rootfs` begins
  std::optional<UniqueFd> rootfs;  ///< a split image's
  /// Waits for the end of the transfer; asks `cancelled` five times a second. Unavailable when it broke off, or ended because
  /// nobody read any more.
  std::function<Result<void>(const std::function<bool()>& cancelled)> end;
};

/// Other servers' images, asked for by a helper that has the network and nothing else (rule 16). Nothing of what comes is
/// believed: whoever stores it hashes it and compares. Blocking: workers only; any thread.
class ImageServers {
 public:
  virtual ~ImageServers() = default;

  /// Errors: NotFound, Unavailable (the server cannot be reached, or refuses), FailedPrecondition (it shows another
  /// certificate, or none that can be trusted), InvalidArgument (no address; an answer that is not understood), Cancelled.
  virtual Result<ServerImage> find(const ServerImageQuery& query, const std::function<bool()>& cancelled) = 0;
  /// Begins to get an image that find() gave for the same query. Returns once its first bytes are under way. Errors: as find().
  virtual Result<ServerDownload> get(const ServerImageQuery& query, const ServerImage& image,
                                     const std::function<bool()>& cancelled) = 0;
};

}  // namespace berth::ports
