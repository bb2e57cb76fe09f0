#pragma once

#include <span>
#include <string_view>

#include "rest-bridge/api/call.hpp"

namespace berth::rest::openapi {

/// What the document says of one route beside what the router knows. A test demands a row for every route that is served.
struct Description {
  std::string_view method;
  std::string_view pattern;     ///< as in the router's table
  std::string_view parameters;  ///< of query and headers: names of parameter_table(), apart by blanks
  std::string_view request;     ///< types of JSON bodies, `octets` or `multipart`, apart by "; "; empty: no body
  /// Apart by "; ": `sync TYPE` (200, the type is the metadata's), `tagged TYPE` (the same with an ETag), `empty` (200),
  /// `created` (201), `async` (202), `octets` (200, raw), `json` (200, raw), `head` (200, headers alone), `websocket TYPE` (101,
  /// the type is that of a text frame's JSON; without one frames are bytes), `sftp` (101).
  std::string_view answer;
  std::string_view summary;
};
std::span<const Description> description_table();

/// A parameter of query or header.
struct Parameter {
  std::string_view name;
  std::string_view in;    ///< "query" or "header"
  std::string_view type;  ///< in the notation of notation.hpp
  std::string_view meaning;
};
std::span<const Parameter> parameter_table();

/// What `Resources` consists of, in the notation of notation.hpp.
extern const std::string_view kHardwareObjects;

/// The objects of requests and answers, by name.
Json object_schemas();

}  // namespace berth::rest::openapi
