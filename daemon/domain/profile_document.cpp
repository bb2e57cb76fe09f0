#include "daemon/domain/profile_document.hpp"

namespace berth {

std::vector<Document> reference_documents(const std::vector<Reference>& references) {
  std::vector<Document> rows;
  rows.reserve(references.size());
  for (const auto& [kind, project, name] : references)
    rows.push_back(Document{{"kind", kind}, {"project", project.str()}, {"name", name}});
  return rows;
}

Document profile_document(const Profile& profile, const std::vector<Reference>& used_by) {
  return Document{
      {"name", profile.name.str()},
      {"project", profile.project.str()},
      {"description", profile.description},
      {"config", profile.config},
      {"devices", profile.devices},
      {"revision", profile.revision},
      {"created_at", to_microseconds(profile.created_at)},
      {"used_by", reference_documents(used_by)},
  };
}

}  // namespace berth
