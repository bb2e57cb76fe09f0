#include "daemon/domain/project_document.hpp"

#include "daemon/domain/profile_document.hpp"

namespace berth {

Document project_document(const Project& project, const std::vector<Reference>& used_by) {
  return Document{
      {"name", project.name.str()},
      {"description", project.description},
      {"config", project.config},
      {"revision", project.revision},
      {"created_at", to_microseconds(project.created_at)},
      {"used_by", reference_documents(used_by)},
  };
}

Document project_usage_document(const std::map<std::string, ProjectUsage>& usage) {
  Document resources;
  for (const auto& [name, row] : usage) resources[name] = Document{{"limit", row.limit}, {"usage", row.usage}};
  return Document{{"resources", std::move(resources)}};
}

}  // namespace berth
