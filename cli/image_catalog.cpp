#include "cli/image_catalog.hpp"

#include "rest-bridge/api/times.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

constexpr std::int64_t kMicroseconds = 1'000'000;

std::string time_text(std::int64_t seconds, rest::Unset unset) {
  return rest::rfc3339(static_cast<std::uint64_t>(seconds * kMicroseconds), unset);
}

Json image_object(const simplestreams::Image& image, Json aliases) {
  const auto made = time_text(image.created_at, rest::Unset::YearOne);
  return {{"aliases", aliases.empty() ? Json() : std::move(aliases)},
          {"architecture", image.architecture},
          {"auto_update", false},
          {"cached", false},
          {"created_at", made},
          {"expires_at", time_text(image.expires_at, rest::Unset::UnixZero)},
          {"filename", image.filename},
          {"fingerprint", image.fingerprint},
          {"last_used_at", time_text(0, rest::Unset::YearOne)},
          {"profiles", nullptr},
          {"properties", image.properties},
          {"public", true},
          {"size", image.size()},
          {"type", "container"},
          {"uploaded_at", made}};
}

}  // namespace

ImageCatalog::ImageCatalog(std::vector<simplestreams::Image> images, const std::vector<std::string>& architectures) {
  simplestreams::sort_images(images);
  for (const auto& image : images) {
    const auto place = std::find(architectures.begin(), architectures.end(), image.architecture);
    const auto rank = static_cast<std::size_t>(place - architectures.begin());
    auto aliases = Json::array();
    for (const auto& name : image.names) {
      // Without the architecture it is shown where this machine is of that one, and names what runs here best.
      if (take_name(name, image.architecture, image.fingerprint, rank) && rank == 0)
        aliases.push_back({{"name", name}, {"description", ""}});
      if (const auto whole = name + '/' + std::string(image.property("architecture")); take_name(whole, image.architecture, image.fingerprint, rank))
        aliases.push_back({{"name", whole}, {"description", ""}});
    }
    images_.push_back(image_object(image, std::move(aliases)));
    files_.emplace(image.fingerprint, image.files);
  }
}

/// False when a newer image has the name.
bool ImageCatalog::take_name(const std::string& name, const std::string& architecture, const std::string& fingerprint, std::size_t rank) {
  return names_[name].emplace(architecture, Target{.fingerprint = fingerprint, .rank = rank}).second;
}

Result<Json> ImageCatalog::image(std::string_view prefix) const {
  const Json* found = nullptr;
  for (const auto& image : images_) {
    const auto& fingerprint = image["fingerprint"].get_ref<const std::string&>();
    if (!fingerprint.starts_with(prefix)) continue;
    if (found != nullptr && fingerprint != (*found)["fingerprint"])
      return Error{Code::InvalidArgument, "More than one match for the provided partial fingerprint"};
    found = &image;
  }
  if (found == nullptr || prefix.empty()) return Error{Code::NotFound, "The requested image couldn't be found"};
  return *found;
}

Json ImageCatalog::aliases() const {
  auto all = Json::array();
  for (const auto& [name, targets] : names_)
    if (auto one = alias(name)) all.push_back(*std::move(one));
  return all;
}

Result<Json> ImageCatalog::alias(const std::string& name) const {
  const auto found = names_.find(name);
  if (found == names_.end()) return Error{Code::NotFound, "Alias '" + name + "' doesn't exist"};
  const auto& targets = found->second;
  const auto best =
      std::min_element(targets.begin(), targets.end(), [](const auto& a, const auto& b) { return a.second.rank < b.second.rank; });
  return Json{{"name", name}, {"description", ""}, {"target", best->second.fingerprint}, {"type", "container"}};
}

Result<std::vector<simplestreams::File>> ImageCatalog::files(std::string_view fingerprint) const {
  const auto found = files_.find(fingerprint);
  if (found == files_.end()) return Error{Code::NotFound, "The requested image couldn't be found"};
  return found->second;
}

}  // namespace berth::cli
