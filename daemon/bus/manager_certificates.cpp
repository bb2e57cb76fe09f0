#include <cstdint>

#include "daemon/bus/answers.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/object_names.hpp"

namespace berth::bus {
namespace {

/// What AddCertificate and CreateCertificateToken have in common.
void read_client(OptionReader& reader, services::NewClient& client) {
  std::optional<std::vector<ProjectName>> projects;
  reader.read("type", client.type);
  reader.read("restricted", client.restricted);
  reader.read("projects", projects);
  if (projects) client.projects = *std::move(projects);
}

}  // namespace

void ManagerAdaptor::AddCertificate(sdbus::Result<Path>&& reply, std::string name, std::vector<std::uint8_t> certificate,
                                    Options options) {
  guard_.run(call_about({}, name), std::move(reply),
             [this, name, certificate = std::move(certificate), options = std::move(options)](const Principal& who) -> Result<Path> {
               services::NewClient client{.type = {}, .name = name};
               std::string password;
               OptionReader reader{options};
               read_client(reader, client);
               reader.read("password", password);
               reader.read("address", client.address);
               BERTH_CHECK(reader.finish());
               const std::string der(certificate.begin(), certificate.end());
               BERTH_TRY(const auto fingerprint, use_cases_.trust.add(who, der, std::move(client), password));
               return Path(certificate_path(fingerprint));
             });
}

void ManagerAdaptor::CreateCertificateToken(sdbus::Result<Path>&& reply, std::string name, Options options) {
  guard_.run(call_about({}, name), std::move(reply),
             [this, name, options = std::move(options)](const Principal& who) -> Result<Path> {
               services::NewClient client{.type = {}, .name = name};
               OptionReader reader{options};
               read_client(reader, client);
               BERTH_CHECK(reader.finish());
               return operation_answer(use_cases_.trust.create_token(who, std::move(client)));
             });
}

void ManagerAdaptor::GetCertificate(sdbus::Result<Path>&& reply, std::string reference) {
  guard_.run(call_about({}, reference), std::move(reply), [this, reference](const Principal& who) -> Result<Path> {
    BERTH_TRY(const auto row, use_cases_.trust.find(who, reference));
    return Path(certificate_path(row.fingerprint));
  });
}

void ManagerAdaptor::ListCertificates(sdbus::Result<Rows<Path, std::string, std::string, std::string>>&& reply,
                                      Options options) {
  using Answer = Rows<Path, std::string, std::string, std::string>;
  guard_.run(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<Answer> {
               BERTH_CHECK(no_options(options));
               BERTH_TRY(const auto certificates, use_cases_.trust.list(who));
               Answer rows;
               for (const auto& row : certificates)
                 rows.emplace_back(certificate_path(row.fingerprint), row.fingerprint.str(), row.type, row.name);
               return rows;
             });
}

void ManagerAdaptor::DescribeCertificates(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  guard_.run(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               std::optional<std::vector<std::string>> references;
               OptionReader reader{options};
               reader.read("references", references);
               BERTH_CHECK(reader.finish());
               std::vector<Document> rows;
               if (references) {
                 for (const auto& reference : *references) {
                   BERTH_TRY(const auto row, use_cases_.trust.find(who, reference));
                   rows.push_back(certificate_document(row));
                 }
               } else {
                 BERTH_TRY(const auto certificates, use_cases_.trust.list(who));
                 for (const auto& row : certificates) rows.push_back(certificate_document(row));
               }
               return rows_answer(std::move(rows));
             });
}

}  // namespace berth::bus
