#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace berth::rest {

/// The headers that say where a request comes from.
struct Origin {
  std::string_view method;
  bool upgrade = false;
  std::string_view host;
  std::string_view origin;          ///< the Origin header
  std::string_view sec_fetch_site;  ///< what a browser says of itself
};

/// What pages of other sites may do: the server's keys `core.https_allowed_*`.
struct BrowserSettings {
  std::string allowed_origin, allowed_methods, allowed_headers;
  bool allowed_credentials = false;
};

/// The headers that tell a browser so, for an answer to a request with that Origin (empty: without one).
std::vector<std::pair<std::string, std::string>> cors_headers(const BrowserSettings& settings, std::string_view origin);

/// Why a request is refused before anybody looks at it, or nothing: a request without a usable Host, and one that changes
/// something or opens a websocket and was sent by a page of another site. A page can make a browser send such requests to
/// a server that the browser's user may use. The one site that the settings allow (`*`: every site) is no stranger.
std::optional<std::string> refusal_of(const Origin& request, const BrowserSettings& settings = {});

}  // namespace berth::rest
