#pragma once

#include <sys/types.h>

#include <string>

#include "base/result.hpp"

namespace berth::tls {

/// The first megabyte of a file; empty when there is none. Errors: Internal and the like, with the path.
Result<std::string> read_pem_file(const std::string& path);

/// On the disk, whole, or not at all.
Result<void> write_pem_file(const std::string& path, const std::string& text, mode_t mode);

}  // namespace berth::tls
