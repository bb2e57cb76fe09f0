#pragma once

#include <span>
#include <string_view>

#include "rest-bridge/api/call.hpp"

namespace berth::rest {

/// One extension of the API and what makes it true: a route that must be served, and where it is about a field of the
/// server's environment, that field. What is not served is not advertised.
struct Extension {
  std::string_view name;
  std::string_view method;
  std::string_view pattern;
  std::string_view environment_field = {};
};

std::span<const Extension> extension_table();

/// The extensions to advertise for a server with this environment.
Json served_extensions(const Json& environment);

}  // namespace berth::rest
