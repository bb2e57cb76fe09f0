#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "daemon/domain/architecture.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/server_image.hpp"

// Image servers that are files on a web server: an index names lists of products, a product has versions, and a version
// has files.

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestIndex = 4 << 20;
constexpr std::size_t kLargestProducts = 64 << 20;
constexpr std::size_t kMostCatalogs = 16;

std::string text_of(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string() ? object[name].get<std::string>()
                                                                                 : std::string();
}

const json& map_of(const json& object, const char* name) {
  static const json nothing = json::object();
  return object.is_object() && object.contains(name) && object[name].is_object() ? object[name] : nothing;
}

std::uint64_t size_of(const json& item) {
  return item.contains("size") && item["size"].is_number_unsigned() ? item["size"].get<std::uint64_t>() : 0;
}

/// The name of the architecture of a product, as the API knows it; empty for one that is not known.
std::string architecture_of(const json& product) {
  const auto found = find_architecture(text_of(product, "arch"));
  return found ? std::string(found->name) : std::string();
}

/// Whether one of the product's aliases is the reference. One that ends in an architecture is of that alone, so that
/// `debian/12/arm64` is told from `debian/12`; without it a product counts only when this host runs it.
bool has_alias(const json& product, const ServerQuery& query, bool runs_here) {
  std::string_view left;
  const std::string all = text_of(product, "aliases");
  for (left = all; !left.empty();) {
    const auto end = left.find(',');
    const auto alias = left.substr(0, end);
    left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
    if (alias == query.reference && runs_here) return true;
    if (query.reference.starts_with(alias) && query.reference.size() > alias.size() && query.reference[alias.size()] == '/') {
      const auto rest = query.reference.substr(alias.size() + 1);
      if (!rest.empty() && (rest == text_of(product, "arch") || rest == architecture_of(product))) return true;
    }
  }
  return false;
}

/// The files of a version that make a container's image, the best of its forms.
std::optional<ServerImage> image_of_version(const json& version, const ServerQuery& query) {
  const json& items = map_of(version, "items");
  const auto of_type = [&](std::initializer_list<const char*> types) -> const json* {
    for (const char* const type : types)
      for (const auto& item : items)
        if (text_of(item, "ftype") == type && !text_of(item, "path").empty()) return &item;
    return nullptr;
  };
  ServerImage out;
  const auto add = [&](const json& item) {
    out.files.push_back({query.server + '/' + text_of(item, "path"), size_of(item)});
    out.size += size_of(item);
  };
  if (const json* const meta = of_type({"lxd.tar.xz"})) {
    const auto path = text_of(*meta, "path");
    out.filename = path.substr(path.rfind('/') + 1);
    struct Form {
      const char *type, *hash, *other_hash;
    };
    for (const auto& form : {Form{"squashfs", "combined_squashfs_sha256", "combined_squashfs_sha256"},
                             Form{"root.tar.xz", "combined_rootxz_sha256", "combined_sha256"}}) {
      const json* const root = of_type({form.type});
      if (root == nullptr) continue;
      out.fingerprint = text_of(*meta, form.hash);
      if (out.fingerprint.empty()) out.fingerprint = text_of(*meta, form.other_hash);
      if (out.fingerprint.empty()) continue;
      add(*meta);
      add(*root);
      return out;
    }
  }
  if (const json* const whole = of_type({"lxd_combined.tar.gz"})) {
    out.fingerprint = text_of(*whole, "sha256");
    const auto path = text_of(*whole, "path");
    out.filename = path.substr(path.rfind('/') + 1);
    add(*whole);
    if (!out.fingerprint.empty()) return out;
  }
  return std::nullopt;
}

/// What the API tells of such an image.
void describe(ServerImage& image, const json& product, const json& version, const std::string& serial) {
  image.architecture = architecture_of(product);
  image.created_at = seconds_of_time(serial);
  image.expires_at = seconds_of_time(text_of(product, "support_eol"));
  const auto label = text_of(version, "label");
  auto description = text_of(product, "os") + ' ' + text_of(product, "release_title") + ' ' + text_of(product, "arch");
  if (!label.empty()) description += " (" + label + ')';
  image.properties = {{"architecture", text_of(product, "arch")},
                      {"description", description + " (" + serial + ')'},
                      {"label", label},
                      {"os", text_of(product, "os")},
                      {"release", text_of(product, "release")},
                      {"serial", serial},
                      {"type", image.files.size() > 1 && image.files[1].url.ends_with(".squashfs") ? "squashfs" : ""},
                      {"variant", text_of(product, "variant")},
                      {"version", text_of(product, "version")}};
  for (const auto& [name, value] : map_of(product, "lxd_requirements").items())
    if (value.is_string()) image.properties["requirements." + name] = value.get<std::string>();
  std::erase_if(image.properties, [](const auto& entry) { return entry.second.empty(); });
}

struct Candidate {
  std::size_t rank = 0;  ///< of its architecture: 0 is this host's own
  std::string serial;
  ServerImage image;
};

}  // namespace

Result<ServerImage> pick_simplestreams_image(std::string_view products, const ServerQuery& query) {
  const json document = json::parse(products, nullptr, false);
  if (!document.is_object() || !document.contains("products"))
    return Error{Code::InvalidArgument, "the list of images of " + shown(query.server) + " is not understood"};
  std::optional<Candidate> best;
  for (const auto& [name, product] : map_of(document, "products").items()) {
    const auto architecture = architecture_of(product);
    const auto place = std::find(query.architectures.begin(), query.architectures.end(), architecture);
    const bool runs_here = place != query.architectures.end();
    const bool named = has_alias(product, query, runs_here);
    for (const auto& [serial, version] : map_of(product, "versions").items()) {
      auto image = image_of_version(version, query);
      if (!image) continue;
      const bool by_fingerprint = !query.reference.empty() && image->fingerprint.starts_with(query.reference);
      if (!named && !by_fingerprint) continue;
      Candidate one{.rank = static_cast<std::size_t>(place - query.architectures.begin()), .serial = serial, .image = std::move(*image)};
      // The best architecture first, then the newest.
      if (best && (one.rank > best->rank || (one.rank == best->rank && one.serial <= best->serial))) continue;
      one.image.by_alias = named;
      describe(one.image, product, version, serial);
      best = std::move(one);
    }
  }
  if (!best) return Error{Code::NotFound, "Failed getting remote image info: Image not found"};
  return std::move(best->image);
}

Result<ServerImage> find_simplestreams_image(HttpsClient& client, const ServerQuery& query) {
  BERTH_TRY(const std::string text,
            client.read({.url = query.server + "/streams/v1/index.json", .follow = true}, kLargestIndex));
  const json index = json::parse(text, nullptr, false);
  if (!index.is_object() || !index.contains("index"))
    return Error{Code::InvalidArgument, "the index of " + shown(query.server) + " is not understood"};
  std::size_t count = 0;
  for (const auto& [name, catalog] : map_of(index, "index").items()) {
    const auto path = text_of(catalog, "path");
    if (text_of(catalog, "datatype") != "image-downloads" || path.empty()) continue;
    if (++count > kMostCatalogs) break;
    BERTH_TRY(const std::string products, client.read({.url = query.server + '/' + path, .follow = true}, kLargestProducts));
    auto found = pick_simplestreams_image(products, query);
    if (found || found.error().code != Code::NotFound) return found;
  }
  return Error{Code::NotFound, "Failed getting remote image info: Image not found"};
}

}  // namespace berth::helpers
