#include "cli/image_names.hpp"

#include "cli/names.hpp"

namespace berth::cli {

Result<std::string> resolve_image(Server& server, const std::string& argument) {
  BERTH_TRY(const auto name, required_name(argument, "image"));
  const auto alias = server.get(api_path("images/aliases", name));
  if (alias) return text_of(*alias, "target");
  if (alias.error().code != Code::NotFound) return alias.error();
  const auto image = server.get(api_path("images", name));
  if (image) return text_of(*image, "fingerprint");
  if (image.error().code != Code::NotFound) return image.error();
  return Error{Code::NotFound, "Image \"" + name + "\" not found (neither an alias nor a fingerprint)"};
}

}  // namespace berth::cli
