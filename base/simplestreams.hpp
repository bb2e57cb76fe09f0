#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

/// Image servers that are files on a web server (simplestreams): an index names lists of products, a product has versions, and
/// a version has files. All of it is a stranger's text. Pure; any thread.
namespace berth::simplestreams {

constexpr const char* kIndexPath = "streams/v1/index.json";
constexpr std::size_t kLargestIndex = 4 << 20;      ///< bytes
constexpr std::size_t kLargestProducts = 64 << 20;  ///< bytes

struct File {
  std::string path;  ///< below the server's address
  std::uint64_t size = 0;
};

/// An image of containers: one form (squashfs, root.tar.xz, one tarball) of one version of a product.
struct Image {
  std::string fingerprint;
  std::string architecture;  ///< as the API calls it
  std::string filename;
  std::string serial;                             ///< the version's name
  std::vector<std::string> names;                 ///< what the product's images are called; older versions are, too
  std::map<std::string, std::string> properties;  ///< as LXD gives them
  std::int64_t created_at = 0;                    ///< the day of the serial, as LXD has it; seconds, 0: not said
  std::int64_t expires_at = 0;
  std::vector<File> files;  ///< metadata, then root file system; or the one file

  std::uint64_t size() const;
  /// Empty where it has none.
  std::string_view property(const std::string& name) const;
};

/// Where an index has its lists of products: paths below the server's address, 16 at most. Errors: InvalidArgument.
Result<std::vector<std::string>> product_lists(std::string_view index);

/// The images of a list of products; of one version the form first that LXD prefers. Images of other architectures are
/// there, of virtual machines not. Errors: InvalidArgument.
Result<std::vector<Image>> images(std::string_view products);
/// LXD's order: by system, release and variant, and then the newest first.
void sort_images(std::vector<Image>& images);

/// Whether a reference is one of the image's names. A name may be followed by its architecture: `debian/12/arm64` is told
/// from `debian/12`.
bool is_named(const Image& image, std::string_view reference);
/// The same where the architecture must be said.
bool is_named_with_architecture(const Image& image, std::string_view reference);

}  // namespace berth::simplestreams
