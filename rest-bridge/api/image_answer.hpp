#pragma once

#include <string>

#include "base/result.hpp"
#include "rest-bridge/api/message.hpp"

namespace berth::rest {

/// An image's download, of one file. `name`: what the client is to call it.
Response image_answer(const std::string& name, FileBody file);
/// Of a split image's two files, as forms send them. Errors: Internal without random bytes.
Result<Response> split_image_answer(const std::string& metadata_name, FileBody metadata, const std::string& rootfs_name, FileBody rootfs);

}  // namespace berth::rest
