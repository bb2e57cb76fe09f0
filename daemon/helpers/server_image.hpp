#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "daemon/helpers/https_client.hpp"

namespace berth::helpers {

/// Which image of which server.
struct ServerQuery {
  std::string server;  ///< https://host:port, without a slash at its end
  std::string protocol;
  std::string certificate, secret, project;
  std::string reference;                   ///< an alias, a fingerprint or the beginning of one; for `direct` nothing
  std::vector<std::string> architectures;  ///< that this host runs, the best first
};

/// One file of an image on a server.
struct ServerFile {
  std::string url;
  std::uint64_t size = 0;
};

/// An image as its server describes it.
struct ServerImage {
  std::string fingerprint, architecture, filename;
  std::uint64_t size = 0;
  std::int64_t created_at = 0, expires_at = 0;  ///< seconds; 0: not said
  std::map<std::string, std::string> properties;
  bool by_alias = false;          ///< the reference was an alias, so that it may name another image later
  std::vector<ServerFile> files;  ///< metadata, then root file system; or the one file
};

/// How a protocol finds an image. Errors: NotFound, Unavailable, FailedPrecondition (the server is not trusted),
/// InvalidArgument (an answer that is not understood).
Result<ServerImage> find_lxd_image(HttpsClient& client, const ServerQuery& query);
Result<ServerImage> find_simplestreams_image(HttpsClient& client, const ServerQuery& query);
Result<ServerImage> find_direct_image(HttpsClient& client, const ServerQuery& query);

/// The image of a products file (`products:1.0`), which the query names; its newest version that this host can run.
/// `url` is what the paths in the file are below. Errors: NotFound, InvalidArgument.
Result<ServerImage> pick_simplestreams_image(std::string_view products, const ServerQuery& query);

/// Seconds of `2026-01-31T10:20:30...Z`; 0 for anything else.
std::int64_t seconds_of_time(std::string_view text);

}  // namespace berth::helpers
