#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace berth::rest {

/// The headers that say where a request comes from.
struct Origin {
  std::string_view method;
  bool upgrade = false;
  std::string_view host;
  std::string_view origin;          ///< the Origin header
  std::string_view sec_fetch_site;  ///< what a browser says of itself
};

/// Why a request is refused before anybody looks at it, or nothing: a request without a usable Host, and one that changes
/// something or opens a websocket and was sent by a page of another site. A page can make a browser send such requests to
/// a server that the browser's user may use.
std::optional<std::string> refusal_of(const Origin& request);

}  // namespace berth::rest
