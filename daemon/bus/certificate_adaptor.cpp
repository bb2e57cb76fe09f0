#include "daemon/bus/certificate_adaptor.hpp"

#include <cstdint>
#include <vector>

#include "daemon/bus/answers.hpp"

namespace berth::bus {
namespace {

Result<berth::Fingerprint> fingerprint_of(std::string_view path) { return parse_last<berth::Fingerprint>(path, kCertificatesPath); }

Result<services::CertificateChanges> read_changes(VariantMap changes, VariantMap options) {
  services::CertificateChanges wanted;
  std::optional<std::vector<std::uint8_t>> der;
  OptionReader reader{std::move(changes)};
  reader.read("name", wanted.name);
  reader.read("type", wanted.type);
  reader.read("certificate", der);
  reader.read("restricted", wanted.restricted);
  reader.read("projects", wanted.projects);
  BERTH_CHECK(reader.finish());
  if (der) wanted.der.emplace(der->begin(), der->end());
  OptionReader how{std::move(options)};
  how.read("if-revision", wanted.if_revision);
  BERTH_CHECK(how.finish());
  return wanted;
}

}  // namespace

CertificateAdaptor::CertificateAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases)
    : CertificateAdaptor(std::make_unique<ServedObject>(connection, kCertificatesPath,
                                                        [&trust = use_cases.trust](std::string_view path) {
                                                          const auto fingerprint = fingerprint_of(path);
                                                          return fingerprint && trust.knows(fingerprint->str());
                                                        }),
                         guard, use_cases) {}

CertificateAdaptor::CertificateAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases)
    : Certificate_adaptor(*object), object_(std::move(object)), guard_(guard), use_cases_(use_cases) {
  object_->finishRegistration();
}

template <typename... Out, typename Handler>
void CertificateAdaptor::run(sdbus::Result<Out...>&& reply, Handler handler) {
  run_on_object(*object_, guard_, fingerprint_of, std::move(reply), std::move(handler));
}

void CertificateAdaptor::GetConfig(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const berth::Fingerprint& it) -> Result<Options> {
    BERTH_TRY(const auto row, use_cases_.trust.find(who, it.str()));
    return to_variants(certificate_document(row));
  });
}

void CertificateAdaptor::Update(sdbus::Result<>&& reply, Options changes, Options options) {
  run(std::move(reply), [this, changes = std::move(changes), options = std::move(options)](
                            const Principal& who, const berth::Fingerprint& it) -> Result<void> {
    BERTH_TRY(auto wanted, read_changes(changes, options));
    return use_cases_.trust.update(who, it, std::move(wanted));
  });
}

void CertificateAdaptor::Delete(sdbus::Result<>&& reply) {
  run(std::move(reply), [this](const Principal& who, const berth::Fingerprint& it) -> Result<void> {
    return use_cases_.trust.remove(who, it);
  });
}

std::string CertificateAdaptor::Fingerprint() { return value_or_throw(fingerprint_of(object_->current_path())).str(); }

}  // namespace berth::bus
