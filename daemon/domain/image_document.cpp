#include "daemon/domain/image_document.hpp"

namespace berth {

Document image_alias_document(const ImageAlias& alias) {
  return Document{
      {"name", alias.name.str()}, {"description", alias.description}, {"target", alias.target.str()},
      {"type", "container"},      {"project", alias.project.str()},
  };
}

Document image_document(const Image& image, const std::vector<ImageAlias>& aliases) {
  std::vector<std::string> profiles;
  profiles.reserve(image.profiles.size());
  for (const auto& profile : image.profiles) profiles.push_back(profile.str());
  std::vector<Document> own;
  for (const auto& alias : aliases)
    if (alias.target == image.fingerprint && alias.project == image.project)
      own.push_back(Document{{"name", alias.name.str()}, {"description", alias.description}});
  Document row{
      {"fingerprint", image.fingerprint.str()},
      {"project", image.project.str()},
      {"type", image.type},
      {"location", image.location},
      {"architecture", image.architecture},
      {"filename", image.filename},
      {"size", image.size},
      {"split", image.split},
      {"public", image.is_public},
      {"cached", image.cached},
      {"auto_update", image.auto_update},
      {"revision", image.revision},
      {"created_at", to_microseconds(image.created_at)},
      {"expires_at", to_microseconds(image.expires_at)},
      {"uploaded_at", to_microseconds(image.uploaded_at)},
      {"last_used_at", to_microseconds(image.last_used_at)},
      {"properties", image.properties},
      {"profiles", std::move(profiles)},
      {"aliases", std::move(own)},
  };
  if (image.origin)
    row["update_source"] = Document{{"server", image.origin->server},
                                    {"protocol", image.origin->protocol},
                                    {"certificate", image.origin->certificate},
                                    {"alias", image.origin->alias},
                                    {"image_type", image.type}};
  return row;
}

}  // namespace berth
