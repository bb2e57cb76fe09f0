#pragma once

#include <string>

#include "rest-bridge/api/call.hpp"

namespace berth::rest {

/// The API that is served as a document of OpenAPI 3.0: made of the router's table, and for each of its routes of the row in
/// openapi/descriptions.cpp. A route without a row is left out (a test finds it); features that are not there are, too.
Json openapi_document();

}  // namespace berth::rest
