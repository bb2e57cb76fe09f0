#pragma once

#include "base/result.hpp"
#include "cli/transport.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace berth::cli {

/// Takes the bytes of one part. Errors end the reading.
using TakeBytes = std::function<Result<void>(std::string_view)>;
/// Called at the beginning of each part with its name ("metadata", "rootfs") and the file name that the server
/// suggests; gives who takes its bytes.
using BeginPart = std::function<Result<TakeBytes>(const std::string& name, const std::string& file_name)>;

/// Reads an answer that is a download: one file, or several in a multipart body (RFC 7578). A single file is a part
/// without a name. Errors: Internal for an answer that is no download or breaks off, and those of the callbacks.
Result<void> read_parts(const rest::Response& answer, const BeginPart& begin);

/// A parameter of a header: `name` in `form-data; name="x"; filename=y`.
std::string header_parameter(std::string_view header, std::string_view name);

}  // namespace berth::cli
