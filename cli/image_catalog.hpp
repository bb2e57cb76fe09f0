#pragma once

#include "base/simplestreams.hpp"
#include "cli/output/shape.hpp"

#include <map>

namespace berth::cli {

/// The images of a server that is files on a web server (simplestreams), as the API shows images and aliases.
class ImageCatalog {
 public:
  /// `architectures`: those that this machine runs, its own first. A name is an alias of the newest image of each
  /// architecture, with the architecture behind it (`debian/12/arm64`) and, of this machine's own, without.
  ImageCatalog(std::vector<simplestreams::Image> images, const std::vector<std::string>& architectures);

  /// Image objects in LXD's order.
  const Json& images() const noexcept { return images_; }
  /// By a fingerprint or the beginning of one. Errors: NotFound, InvalidArgument when several begin so.
  Result<Json> image(std::string_view prefix) const;
  /// Alias objects by name.
  Json aliases() const;
  /// Errors: NotFound.
  Result<Json> alias(const std::string& name) const;
  /// The files of an image: metadata, then root file system. Errors: NotFound.
  Result<std::vector<simplestreams::File>> files(std::string_view fingerprint) const;

 private:
  struct Target {
    std::string fingerprint;
    std::size_t rank;  ///< of its architecture among those that this machine runs
  };
  bool take_name(const std::string& name, const std::string& architecture, const std::string& fingerprint, std::size_t rank);

  Json images_ = Json::array();
  std::map<std::string, std::map<std::string, Target>> names_;  ///< name, architecture, target
  std::map<std::string, std::vector<simplestreams::File>, std::less<>> files_;
};

}  // namespace berth::cli
