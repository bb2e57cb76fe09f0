#include <optional>
#include <utility>

#include "base/base64.hpp"
#include "base/object_path.hpp"
#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Json shown_certificate(const Json& row) {
  Json certificate;
  for (const auto* field : {"certificate", "fingerprint", "name", "type", "restricted", "projects"})
    certificate[field] = row.value(field, Json());
  return certificate;
}

std::string certificate_etag(const Json& row) {
  auto parts = Json::array();
  for (const auto* field : {"certificate", "name", "type", "restricted", "projects"}) parts.push_back(row.value(field, Json()));
  return etag_of(parts);
}

Task<Result<Json>> describe(Context& context, Options options) {
  Call call = manager_call("DescribeCertificates", {});
  call.arguments.emplace_back(std::move(options));
  co_return co_await context.bus.describe(std::move(call));
}

/// The certificate that the route's fingerprint, or the beginning of one, names.
Task<Result<Json>> describe_one(Context& context) {
  Options options;
  options["references"] = Strings(1, context.parameter("fingerprint"));
  BERTH_CO_TRY(Json rows, co_await describe(context, std::move(options)));
  if (rows.empty()) co_return Error{Code::NotFound, "Certificate not found"};
  co_return std::move(rows.front());
}

Task<Result<Call>> certificate_call(Context& context, std::string member) {
  BERTH_CO_TRY(Json row, co_await describe_one(context));
  const auto fingerprint = Fingerprint::parse(row.value("fingerprint", ""));
  if (!fingerprint) co_return Error{Code::NotFound, "Certificate not found"};
  co_return Call{.path = certificate_path(*fingerprint), .interface = "Certificate", .member = std::move(member), .arguments = {}};
}

Bytes bytes_of(const std::string& text) { return Bytes(text.begin(), text.end()); }

/// PEM is what the API shows of a certificate, and what it takes to replace one.
Result<std::string> der_of_pem(const std::string& pem) {
  static constexpr std::string_view kBegin = "-----BEGIN CERTIFICATE-----";
  const auto begin = pem.find(kBegin);
  const auto end = begin == std::string::npos ? begin : pem.find("-----END", begin);
  if (end == std::string::npos) return Error{Code::InvalidArgument, "Invalid PEM encoded certificate"};
  const auto inside = begin + kBegin.size();
  return base64_decode(std::string_view(pem).substr(inside, end - inside));
}

/// What a new client and a token have in common.
Result<Options> client_options(const Json& body) {
  Options options;
  BERTH_TRY(auto type, text_field(body, "type"));
  BERTH_TRY(const bool restricted, bool_field(body, "restricted"));
  BERTH_TRY(auto projects, strings_field(body, "projects"));
  if (!type.empty()) options["type"] = std::move(type);
  if (restricted) options["restricted"] = true;
  if (!projects.empty()) options["projects"] = std::move(projects);
  return options;
}

Answer list_certificates(Context& context) {
  BERTH_CO_TRY(Json rows, co_await describe(context, Options()));
  auto list = Json::array();
  for (const auto& row : rows)
    list.push_back(context.recursion() >= 1 ? shown_certificate(row) : Json(url_of("certificate", row.value("fingerprint", ""))));
  co_return sync_answer(list);
}

Answer create_token(Context& context, const Json& body) {
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(Options options, client_options(body));
  Call call = manager_call("CreateCertificateToken", {});
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_operation(context, std::move(call));
}

Answer create_certificate(Context& context) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(const bool token, bool_field(body, "token"));
  if (token) co_return co_await create_token(context, body);
  BERTH_CO_TRY(std::string name, text_field(body, "name"));
  BERTH_CO_TRY(std::string given, text_field(body, "certificate"));
  BERTH_CO_TRY(std::string password, text_field(body, "password"));
  BERTH_CO_TRY(Options options, client_options(body));
  std::string der = context.client.certificate;
  if (!given.empty()) {
    BERTH_CO_TRY(std::string decoded, base64_decode(given));
    der = std::move(decoded);
  } else if (der.empty()) {
    co_return Error{Code::InvalidArgument, "No client certificate provided"};
  }
  if (!password.empty()) options["password"] = std::move(password);
  if (!context.client.address.empty()) options["address"] = context.client.address;
  Call call = manager_call("AddCertificate", {});
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(bytes_of(der));
  call.arguments.emplace_back(std::move(options));
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  const auto& path = reply.text(0);
  BERTH_CO_TRY(std::string fingerprint, decode_path_element(std::string_view(path).substr(path.rfind('/') + 1)));
  co_return created_answer(url_of("certificate", fingerprint));
}

Answer get_certificate(Context& context) {
  BERTH_CO_TRY(Json row, co_await describe_one(context));
  co_return with_etag(sync_answer(shown_certificate(row)), certificate_etag(row));
}

Answer change_certificate(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Json row, co_await describe_one(context));
  Options changes;
  for (const auto* field : {"name", "type"}) {
    if (!whole && !has_field(body, field)) continue;
    BERTH_CO_TRY(std::string text, text_field(body, field));
    changes[field] = std::move(text);
  }
  if (has_field(body, "restricted")) {
    BERTH_CO_TRY(const bool restricted, bool_field(body, "restricted"));
    changes["restricted"] = restricted;
  }
  if (has_field(body, "projects")) {
    BERTH_CO_TRY(Strings projects, strings_field(body, "projects"));
    changes["projects"] = std::move(projects);
  }
  BERTH_CO_TRY(std::string pem, text_field(body, "certificate"));
  if (!pem.empty() && pem != row.value("certificate", "")) {
    BERTH_CO_TRY(std::string der, der_of_pem(pem));
    changes["certificate"] = bytes_of(der);
  }
  Options options;
  BERTH_CO_TRY(const auto revision, checked_revision(context, certificate_etag(row), row));
  if (revision) options["if-revision"] = *revision;
  BERTH_CO_TRY(Call call, co_await certificate_call(context, "Update"));
  call.arguments.emplace_back(std::move(changes));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_sync(context, std::move(call));
}

Answer put_certificate(Context& context) { co_return co_await change_certificate(context, true); }
Answer patch_certificate(Context& context) { co_return co_await change_certificate(context, false); }

Answer delete_certificate(Context& context) {
  BERTH_CO_TRY(Call call, co_await certificate_call(context, "Delete"));
  co_return co_await run_sync(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/certificates", "Manager.DescribeCertificates", "view", list_certificates},
    {"POST", "/1.0/certificates", "Manager.AddCertificate", "manage-trust", create_certificate},
    {"GET", "/1.0/certificates/{fingerprint}", "Manager.DescribeCertificates", "view", get_certificate},
    {"PUT", "/1.0/certificates/{fingerprint}", "Certificate.Update", "manage-trust", put_certificate},
    {"PATCH", "/1.0/certificates/{fingerprint}", "Certificate.Update", "manage-trust", patch_certificate},
    {"DELETE", "/1.0/certificates/{fingerprint}", "Certificate.Delete", "manage-trust", delete_certificate},
};

}  // namespace

std::span<const Route> certificate_routes() { return kRoutes; }

}  // namespace berth::rest
