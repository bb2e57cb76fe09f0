#include "rest-bridge/api/openapi/document.hpp"
#include "rest-bridge/api/common.hpp"

namespace berth::rest {
namespace {

/// The document itself, in no envelope: what reads such documents knows of none. It is the same for everybody, so nobody is
/// asked for rights, as for `/`.
Answer get_document(Context&) {
  static const std::string text = dump(openapi_document());
  Response response;
  response.headers.add("Content-Type", "application/json");
  response.body = text;
  co_return with_etag(std::move(response), etag_of_text(text));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/openapi.json", "none", "", get_document},
};

}  // namespace

std::span<const Route> openapi_routes() { return kRoutes; }

}  // namespace berth::rest
