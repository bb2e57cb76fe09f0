#pragma once

#include "cli/output/listing.hpp"

namespace berth::cli {

/// The images that pass every filter (a property `key=value`, part of a fingerprint, part of an alias), in columns.
/// Errors: InvalidArgument for an unknown column.
Result<Listing> image_listing(const Json& images, const std::vector<std::string>& filters, const std::string& columns);

/// What `image info` says.
std::string image_description(const Json& image);

}  // namespace berth::cli
