#pragma once

#include "base/result.hpp"
#include "cli/output/shape.hpp"

#include <string>

namespace berth::cli {

/// The object in a YAML document that a user wrote: the members of `shape`, each of its kind (`limits.cpu: 2` in a map
/// of texts is the text 2). Members that the shape does not have are left out, so that what `show` printed can be
/// given back. Errors: InvalidArgument, with the line where the document is broken.
Result<Json> read_document(const std::string& text, Shape shape);

}  // namespace berth::cli
