// The small languages of requests and configuration. The first byte chooses one, the rest is its text.
#include <array>
#include <string>
#include <string_view>

#include "base/base64.hpp"
#include "base/names.hpp"
#include "base/object_path.hpp"
#include "daemon/domain/schedule.hpp"
#include "daemon/domain/size.hpp"
#include "daemon/domain/x509.hpp"
#include "rest-bridge/api/filter.hpp"
#include "rest-bridge/api/router.hpp"
#include "rest-bridge/api/times.hpp"
#include "rest-bridge/api/url.hpp"
#include "rest-bridge/http/browser_rules.hpp"
#include "tests/fuzz/demand.hpp"

namespace berth::fuzz {
namespace {

void object_path(std::string_view text) {
  const auto decoded = decode_path_element(text);
  if (decoded) demand(encode_path_element(*decoded) == text, "a path element has one spelling");
  const auto again = decode_path_element(encode_path_element(text));
  demand(again && *again == text, "every text can stand in a path");
}

void filter(std::string_view text) {
  static const auto instance = rest::Json::parse(
      R"({"name":"web","status":"Running","config":{"user.x":"1"},"devices":{"root":{"type":"disk"}},"profiles":["a"],"size":5,"stateful":false})");
  if (const auto parsed = rest::Filter::parse(text)) (void)parsed->matches(instance);
}

void target(std::string_view text) {
  const auto parsed = rest::Target::parse(text);
  if (!parsed) return;
  for (const auto& segment : parsed->segments) {
    const auto again = rest::percent_decode(rest::percent_encode(segment));
    demand(again && *again == segment, "encoding a segment loses nothing");
  }
  for (const auto* method : {"GET", "PUT", "POST", "PATCH", "DELETE", "HEAD"}) {
    const auto match = rest::find_route(method, parsed->segments);
    demand(!match.route || match.known_path, "a route stands at a known path");
  }
  (void)rest::body_kind("POST", text);
}

void schedule(std::string_view text) {
  const auto parsed = Schedule::parse(text, 7);
  demand(parsed || !validate_schedule(text), "what is valid can be parsed");
  if (!parsed) return;
  const Timestamp now{std::chrono::microseconds(1'700'000'000'000'000)};
  const auto next = parsed->next(now);
  if (next) demand(*next > now && parsed->due(*next), "the next moment comes later, and is one");
}

void time(std::string_view text) {
  const auto parsed = rest::parse_rfc3339(text);
  if (!parsed || *parsed == 0) return;
  const auto again = rest::parse_rfc3339(rest::rfc3339(*parsed));
  demand(again && *again == *parsed, "a time is written as it is read");
}

void size(std::string_view text) {
  if (const auto bytes = parse_size(text)) (void)format_size(*bytes);
  (void)parse_bits(text);
  (void)validate_expiry(text);
}

void names(std::string_view text) {
  if (const auto name = InstanceName::parse(std::string(text))) demand(name->str() == text, "a name is what was parsed");
  (void)ProjectName::parse(std::string(text));
  (void)ProfileName::parse(std::string(text));
  (void)SnapshotName::parse(std::string(text));
  (void)Fingerprint::parse(std::string(text));
  (void)OperationId::parse(std::string(text));
}

void browser(std::string_view text) {
  const auto line = text.find('\n');
  const auto host = text.substr(0, line);
  const auto rest_of_it = line == std::string_view::npos ? std::string_view() : text.substr(line + 1);
  const rest::BrowserSettings settings{.allowed_origin = "https://a.example", .allowed_methods = "GET", .allowed_headers = "X"};
  (void)rest::refusal_of({.method = "POST", .upgrade = false, .host = host, .origin = rest_of_it, .sec_fetch_site = rest_of_it}, settings);
  (void)rest::cors_headers(settings, rest_of_it);
}

void base64(std::string_view text) {
  const auto again = base64_decode(base64_encode(text));
  demand(again && *again == text, "base64 loses nothing");
  (void)base64_decode(text);
}

void certificate(std::string_view text) {
  (void)read_certificate_dates(text);
  if (const auto der = certificate_der(text)) (void)certificate_pem(*der);
}

constexpr std::array kLanguages{object_path, filter, target, schedule, time, size, names, browser, base64, certificate};

}  // namespace
}  // namespace berth::fuzz

/// `a` is the first language.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& languages = berth::fuzz::kLanguages;
  languages[(data[0] - 'a' + languages.size() * 26) % languages.size()]({reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
