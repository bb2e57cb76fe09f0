#include "rest-bridge/http/browser_rules.hpp"

#include "base/text.hpp"

namespace berth::rest {
namespace {

/// A name, an address or the path of a socket in percent code, and a port.
bool is_host(std::string_view host) {
  if (host.size() > 512) return false;
  for (const char c : host)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
          std::string_view("-._~%:[]").find(c) != std::string_view::npos))
      return false;
  return true;
}

std::string_view authority_of(std::string_view origin) {
  const auto scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

/// `ws+unix://...`, as pylxd has it: no page of any site has such an origin, and no page can say what its browser sends.
bool is_of_a_socket(std::string_view origin) { return origin.substr(0, origin.find("://")).ends_with("+unix"); }

}  // namespace

std::vector<std::pair<std::string, std::string>> cors_headers(const BrowserSettings& settings, std::string_view origin) {
  std::vector<std::pair<std::string, std::string>> headers;
  const auto add = [&headers](const char* name, const std::string& value) {
    if (!value.empty()) headers.emplace_back(name, value);
  };
  if (!origin.empty()) {
    add("Access-Control-Allow-Origin", settings.allowed_origin);
    add("Access-Control-Allow-Methods", settings.allowed_methods);
    add("Access-Control-Allow-Headers", settings.allowed_headers);
  }
  if (settings.allowed_credentials) add("Access-Control-Allow-Credentials", "true");
  return headers;
}

std::optional<std::string> refusal_of(const Origin& request, const BrowserSettings& settings) {
  if (!is_host(request.host)) return "the Host header is not a host";
  const bool changes = request.method != "GET" && request.method != "HEAD" && request.method != "OPTIONS";
  if (!changes && !request.upgrade) return std::nullopt;
  const auto& allowed = settings.allowed_origin;
  if (!request.origin.empty() && !allowed.empty() && (allowed == "*" || same_word(request.origin, allowed))) return std::nullopt;
  if (!request.sec_fetch_site.empty() && !same_word(request.sec_fetch_site, "same-origin") &&
      !same_word(request.sec_fetch_site, "none"))
    return "requests of other sites are refused";
  if (!request.origin.empty() && !is_of_a_socket(request.origin) && !same_word(authority_of(request.origin), request.host))
    return "requests of other sites are refused";
  return std::nullopt;
}

}  // namespace berth::rest
