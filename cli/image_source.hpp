#pragma once

#include "cli/context.hpp"

namespace berth::cli {

/// How another server gets an image by itself: the `source` of a request to it. An alias of a public image stays an alias,
/// so that it can be followed; a private image comes with a secret that opens it once. Nobody is asked for an image of
/// simplestreams: the other server finds it. Errors: NotFound, FailedPrecondition when the image's server cannot be reached
/// by others.
Result<Json> source_for_others(Context& context, const RemoteName& image);

/// The same for an image that is known by its object.
Result<Json> source_of_image(Context& context, const Place& place, const Json& image);

/// Takes an image from one server and brings it to another, by way of this machine.
Result<void> relay_image(const Place& from, const Json& image, Server& to, bool is_public, const Strings& profiles);

}  // namespace berth::cli
