#include "daemon/domain/certificate.hpp"

namespace berth {

Document certificate_document(const Certificate& certificate) {
  std::vector<std::string> projects;
  for (const auto& project : certificate.projects) projects.push_back(project.str());
  return Document{
      {"fingerprint", certificate.fingerprint.str()},
      {"type", certificate.type},
      {"name", certificate.name},
      {"certificate", certificate.pem},
      {"restricted", certificate.restricted},
      {"projects", std::move(projects)},
      {"revision", certificate.revision},
      {"created_at", to_microseconds(certificate.created_at)},
      {"valid_from_at", to_microseconds(certificate.valid_from)},
      {"valid_until_at", to_microseconds(certificate.valid_until)},
  };
}

}  // namespace berth
