#include "base/simplestreams.hpp"

#include <algorithm>
#include <optional>

#include "daemon/helpers/report.hpp"
#include "daemon/helpers/server_image.hpp"

namespace berth::helpers {
namespace {

namespace streams = simplestreams;

ServerImage server_image(const streams::Image& image, const ServerQuery& query, bool by_alias) {
  ServerImage out{.fingerprint = image.fingerprint,
                  .architecture = image.architecture,
                  .filename = image.filename,
                  .size = image.size(),
                  .created_at = image.created_at,
                  .expires_at = image.expires_at,
                  .properties = image.properties,
                  .by_alias = by_alias,
                  .files = {}};
  for (const auto& file : image.files) out.files.push_back({.url = query.server + '/' + file.path, .size = file.size});
  return out;
}

}  // namespace

Result<ServerImage> pick_simplestreams_image(std::string_view products, const ServerQuery& query) {
  auto images = streams::images(products);
  if (!images) return std::move(images).error().within("image server " + shown(query.server));
  struct Candidate {
    std::size_t rank = 0;  ///< of its architecture: 0 is this host's own
    const streams::Image* image = nullptr;
    bool by_alias = false;
  };
  std::optional<Candidate> best;
  for (const auto& image : *images) {
    const auto place = std::find(query.architectures.begin(), query.architectures.end(), image.architecture);
    const bool runs_here = place != query.architectures.end();
    // Without its architecture a name counts only when this host runs the image.
    const bool named = runs_here ? streams::is_named(image, query.reference) : streams::is_named_with_architecture(image, query.reference);
    if (!named && (query.reference.empty() || !image.fingerprint.starts_with(query.reference))) continue;
    const auto rank = static_cast<std::size_t>(place - query.architectures.begin());
    // The best architecture first, then the newest.
    if (best && (rank > best->rank || (rank == best->rank && image.serial <= best->image->serial))) continue;
    best = Candidate{.rank = rank, .image = &image, .by_alias = named};
  }
  if (!best) return Error{Code::NotFound, "Failed getting remote image info: Image not found"};
  return server_image(*best->image, query, best->by_alias);
}

Result<ServerImage> find_simplestreams_image(HttpsClient& client, const ServerQuery& query) {
  BERTH_TRY(const std::string index, client.read({.url = query.server + '/' + streams::kIndexPath, .follow = true}, streams::kLargestIndex));
  auto lists = streams::product_lists(index);
  if (!lists) return std::move(lists).error().within("image server " + shown(query.server));
  for (const auto& path : *lists) {
    BERTH_TRY(const std::string products, client.read({.url = query.server + '/' + path, .follow = true}, streams::kLargestProducts));
    auto found = pick_simplestreams_image(products, query);
    if (found || found.error().code != Code::NotFound) return found;
  }
  return Error{Code::NotFound, "Failed getting remote image info: Image not found"};
}

}  // namespace berth::helpers
