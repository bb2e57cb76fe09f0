#pragma once

#include "cli/remotes.hpp"
#include "cli/transport.hpp"

namespace berth::cli {

/// The remote of an image server that is files on a web server (simplestreams), asked in the words of the API: its images,
/// their aliases and files can be read, and nothing else. Its lists are fetched once, at the first request. Errors: NotFound
/// for an unknown remote, InvalidArgument for an address that is none.
Result<std::unique_ptr<Transport>> image_server(const Configuration& configuration, const std::string& remote);

}  // namespace berth::cli
