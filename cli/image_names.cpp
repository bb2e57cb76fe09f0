#include "cli/image_names.hpp"

#include "cli/names.hpp"

namespace berth::cli {

Result<std::string> resolve_image(Server& server, const std::string& name) {
  const auto alias = server.get(api_path("images/aliases", name));
  if (alias) return text_of(*alias, "target");
  if (alias.error().code != Code::NotFound) return alias.error();
  const auto image = server.get(api_path("images", name));
  if (image) return text_of(*image, "fingerprint");
  if (image.error().code != Code::NotFound) return image.error();
  return Error{Code::NotFound, "Image \"" + name + "\" not found (neither an alias nor a fingerprint)"};
}

Result<Place> find_image(Context& context, const std::string& argument) {
  BERTH_TRY(auto place, context.named(argument, "image"));
  BERTH_TRY(place.name, resolve_image(*place.server, place.name));
  return place;
}

Result<void> add_aliases(Server& server, const Strings& aliases, const std::string& fingerprint) {
  for (const auto& alias : aliases) {
    const Json body{{"name", alias}, {"target", fingerprint}, {"description", ""}};
    if (auto done = server.send("POST", "/1.0/images/aliases", body); !done)
      return std::move(done).error().within("alias " + alias);
  }
  return {};
}

}  // namespace berth::cli
