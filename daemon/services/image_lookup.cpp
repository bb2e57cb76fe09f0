#include "daemon/services/image_lookup.hpp"

#include <algorithm>

namespace berth::services {
namespace {

Error no_image() { return Error{Code::NotFound, "Image not found"}; }

bool has_all(const Image& image, const ConfigMap& properties) {
  return std::all_of(properties.begin(), properties.end(), [&image](const auto& wanted) {
    const auto found = image.properties.find(wanted.first);
    return found != image.properties.end() && found->second == wanted.second;
  });
}

bool is_hexadecimal(const std::string& text) { return text.find_first_not_of("0123456789abcdef") == std::string::npos; }

}  // namespace

bool image_visible(const Principal& who, const Image& image) {
  return image.is_public || who.kind == PrincipalKind::Local || who.kind == PrincipalKind::Certificate ||
         who.kind == PrincipalKind::Restricted;
}

Result<Image> image_by_prefix(Context& context, const Principal& who, const ProjectName& project,
                              const std::string& prefix) {
  if (prefix.empty() || prefix.size() > 64 || !is_hexadecimal(prefix)) return no_image();
  BERTH_TRY(auto found, context.store.images_by_prefix(who, project, prefix));
  std::erase_if(found, [&who](const Image& image) { return !image_visible(who, image); });
  if (found.empty()) return no_image();
  if (found.size() > 1)
    return Error{Code::InvalidArgument, "More than one image has a fingerprint that begins with \"" + prefix + "\""};
  return std::move(found.front());
}

Result<Image> image_by_alias(Context& context, const Principal& who, const ProjectName& project,
                             const std::string& alias) {
  const Error no_alias{Code::NotFound, "Image alias not found"};
  const auto name = AliasName::parse(alias);
  if (!name) return no_alias;
  const auto found = context.store.alias(project, *name);
  if (!found) return found.error().code == Code::NotFound ? no_alias : found.error();
  auto image = context.store.image(who, project, found->target);
  if (!image) return image.error().code == Code::NotFound ? no_alias : image.error();
  if (!image_visible(who, *image)) return no_alias;
  return image;
}

Result<Image> image_of_source(Context& context, const Principal& who, const ProjectName& project,
                              const InstanceSource& source) {
  if (source.alias) return image_by_alias(context, who, project, *source.alias);
  if (source.fingerprint) return image_by_prefix(context, who, project, *source.fingerprint);
  if (source.properties.empty())
    return Error{Code::InvalidArgument, "Must specify one of alias, fingerprint or properties for init from image"};
  BERTH_TRY(auto images, context.store.images(who, project));
  std::erase_if(images,
                [&](const Image& image) { return !image_visible(who, image) || !has_all(image, source.properties); });
  if (images.empty()) return Error{Code::NotFound, "No matching image could be found"};
  return *std::max_element(images.begin(), images.end(),
                           [](const Image& a, const Image& b) { return a.created_at < b.created_at; });
}

}  // namespace berth::services
