#include "base/simplestreams.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <numeric>
#include <optional>

#include "base/architecture.hpp"

namespace berth::simplestreams {
namespace {

using nlohmann::json;

constexpr std::size_t kMostLists = 16;

std::string text_of(const json& object, const char* name) {
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json& map_of(const json& object, const char* name) {
  static const json nothing = json::object();
  const auto found = object.is_object() ? object.find(name) : object.end();
  return found != object.end() && found->is_object() ? *found : nothing;
}

std::uint64_t size_of(const json& item) {
  const auto found = item.find("size");
  return found != item.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts;
  while (!list.empty()) {
    const auto end = std::min(list.find(','), list.size());
    if (end > 0) parts.emplace_back(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return parts;
}

/// The beginning of a day that a text (`20260131...` or `2026-01-31`) begins with, in seconds; 0 for another text.
std::int64_t day_of(const std::string& text) {
  int year = 0, month = 0, day = 0;
  const bool dashes = text.size() > 4 && text[4] == '-';
  if (std::sscanf(text.c_str(), dashes ? "%4d-%2d-%2d" : "%4d%2d%2d", &year, &month, &day) != 3) return 0;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1970 || year > 9999) return 0;
  return sys_days(date).time_since_epoch() / seconds(1);
}

/// A form that the files of a version may have: the type of its root file system, and where the metadata file has the hash
/// of both. The order is that of LXD's preference.
struct Form {
  const char *root, *hash, *other_hash;
};
constexpr std::array kForms{Form{"squashfs", "combined_squashfs_sha256", "combined_squashfs_sha256"},
                            Form{"root.tar.xz", "combined_rootxz_sha256", "combined_sha256"}};

struct Version {
  const json& product;
  const json& version;
  std::string serial, architecture;

  const json* item(const char* type) const {
    for (const auto& one : map_of(version, "items"))
      if (text_of(one, "ftype") == type && !text_of(one, "path").empty()) return &one;
    return nullptr;
  }

  Image image(std::string fingerprint, const json& first, const json* second, const char* type) const {
    Image out{.fingerprint = std::move(fingerprint), .architecture = architecture, .serial = serial};
    for (const json* const file : {&first, second})
      if (file != nullptr) out.files.push_back({.path = text_of(*file, "path"), .size = size_of(*file)});
    const auto& path = out.files.front().path;
    out.filename = path.substr(path.rfind('/') + 1);
    out.names = parts_of(text_of(product, "aliases"));
    out.created_at = day_of(serial);
    out.expires_at = day_of(text_of(product, "support_eol"));
    const auto label = text_of(version, "label");
    auto description = text_of(product, "os") + ' ' + text_of(product, "release_title") + ' ' + text_of(product, "arch");
    if (!label.empty()) description += " (" + label + ')';
    out.properties = {{"architecture", text_of(product, "arch")},
                      {"description", description + " (" + serial + ')'},
                      {"label", label},
                      {"os", text_of(product, "os")},
                      {"release", text_of(product, "release")},
                      {"serial", serial},
                      {"type", type},
                      {"variant", text_of(product, "variant")},
                      {"version", text_of(product, "version")}};
    for (const auto& [name, value] : map_of(product, "lxd_requirements").items())
      if (value.is_string()) out.properties["requirements." + name] = value.get<std::string>();
    std::erase_if(out.properties, [](const auto& entry) { return entry.second.empty(); });
    return out;
  }

  void add_images(std::vector<Image>& to) const {
    if (const json* const meta = item("lxd.tar.xz")) {
      for (const auto& form : kForms) {
        const json* const root = item(form.root);
        auto fingerprint = text_of(*meta, form.hash);
        if (fingerprint.empty()) fingerprint = text_of(*meta, form.other_hash);
        if (root != nullptr && !fingerprint.empty()) to.push_back(image(std::move(fingerprint), *meta, root, form.root));
      }
    }
    if (const json* const whole = item("lxd_combined.tar.gz"))
      if (auto fingerprint = text_of(*whole, "sha256"); !fingerprint.empty())
        to.push_back(image(std::move(fingerprint), *whole, nullptr, "tar.gz"));
  }
};

/// What the order of images goes by; the newest version first.
bool comes_before(const Image& a, const Image& b) {
  for (const char* const name : {"os", "release", "variant", "serial", "architecture"}) {
    const auto left = a.property(name), right = b.property(name);
    if (left != right) return (left < right) != (std::string_view(name) == "serial");
  }
  return false;
}

}  // namespace

std::uint64_t Image::size() const {
  return std::accumulate(files.begin(), files.end(), std::uint64_t{0}, [](auto sum, const File& file) { return sum + file.size; });
}

std::string_view Image::property(const std::string& name) const {
  const auto found = properties.find(name);
  return found == properties.end() ? std::string_view() : std::string_view(found->second);
}

Result<std::vector<std::string>> product_lists(std::string_view index) {
  const json document = json::parse(index, nullptr, false);
  if (!document.is_object() || !document.contains("index")) return Error{Code::InvalidArgument, "the index is not understood"};
  std::vector<std::string> paths;
  for (const auto& list : map_of(document, "index")) {
    auto path = text_of(list, "path");
    if (text_of(list, "datatype") == "image-downloads" && !path.empty() && paths.size() < kMostLists)
      paths.push_back(std::move(path));
  }
  return paths;
}

Result<std::vector<Image>> images(std::string_view products) {
  const json document = json::parse(products, nullptr, false);
  if (!document.is_object() || !document.contains("products"))
    return Error{Code::InvalidArgument, "the list of images is not understood"};
  std::vector<Image> out;
  for (const auto& product : map_of(document, "products")) {
    const auto architecture = find_architecture(text_of(product, "arch"));
    if (!architecture) continue;
    for (const auto& [serial, version] : map_of(product, "versions").items())
      Version{.product = product, .version = version, .serial = serial, .architecture = std::string(architecture->name)}.add_images(out);
  }
  return out;
}

void sort_images(std::vector<Image>& images) { std::stable_sort(images.begin(), images.end(), comes_before); }

bool is_named_with_architecture(const Image& image, std::string_view reference) {
  const auto slash = reference.rfind('/');
  if (slash == std::string_view::npos) return false;
  const auto architecture = reference.substr(slash + 1);
  if (architecture.empty() || (architecture != image.architecture && architecture != image.property("architecture"))) return false;
  return std::find(image.names.begin(), image.names.end(), reference.substr(0, slash)) != image.names.end();
}

bool is_named(const Image& image, std::string_view reference) {
  return std::find(image.names.begin(), image.names.end(), reference) != image.names.end() ||
         is_named_with_architecture(image, reference);
}

}  // namespace berth::simplestreams
