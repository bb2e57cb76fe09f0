#pragma once

#include "rest-bridge/api/common.hpp"

namespace berth::rest {

/// The daemon's row of the route's image, which the request's `secret` may show. Errors: NotFound.
Task<Result<Json>> describe_image(Context& context);
/// A call on the image of `row`.
Result<Call> image_call(const Context& context, const Json& row, std::string member);
/// POST /1.0/images with an instance or a snapshot as its source.
Answer publish_image(Context& context, Json body);
/// POST /1.0/images with an image of another server, or of another project, as its source.
Answer fetch_image(Context& context, Json body);
/// Where another server is, of a `source`: what is said of it.
Result<Options> server_source(const Json& source);

}  // namespace berth::rest
