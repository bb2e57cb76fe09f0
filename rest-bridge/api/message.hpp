#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/unique_fd.hpp"
#include "rest-bridge/api/session.hpp"

namespace berth::rest {

/// Header fields in the order they came; names compare without case.
class Headers {
 public:
  void add(std::string name, std::string value) { fields_.emplace_back(std::move(name), std::move(value)); }
  /// The first field of that name, or empty.
  std::string_view get(std::string_view name) const noexcept;
  /// Every field of that name.
  std::vector<std::string_view> all(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& fields() const noexcept { return fields_; }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// A body that is too large for memory: a descriptor the daemon reads to its end (a pipe, a file, a memfd).
/// `rootfs` is the second part of a split image, and is -1 for everything else.
struct Upload {
  UniqueFd file;
  UniqueFd rootfs;
  /// Told once, when the answer waits for an operation's end: of the operation's URL. So what breaks off can be cancelled.
  std::function<void(std::string url)> began;
};

/// One request of the LXD API, however it arrived (HTTP, or the command line in its own process).
struct Request {
  std::string method;  ///< "GET", "PUT", ...
  std::string target;  ///< as on the request line: path and query, percent-encoded ("/1.0/instances?recursion=1")
  Headers headers;     ///< If-Match and X-LXD-* matter here; the transport's own headers do not
  std::variant<std::string, Upload> body;  ///< JSON text, or an upload (see body_kind())
  bool upgrade = false;                    ///< the peer asks for a websocket

  /// The JSON text, or empty for an upload.
  std::string_view text() const noexcept {
    const auto* text = std::get_if<std::string>(&body);
    return text ? std::string_view(*text) : std::string_view();
  }
};

/// A raw answer: bytes to be read from `fd` to its end. `size` is there when it is known (a memfd).
struct FileBody {
  UniqueFd fd;
  std::optional<std::uint64_t> size;  ///< of a pipe: what it is promised to bring
};

/// An answer made of several descriptors, with text before each and at the end.
struct PartsBody {
  struct Part {
    std::string before;
    FileBody file;  ///< its size is known
  };
  std::vector<Part> parts;
  std::string after;
};

/// What an answer with status 101 wants to be connected to. Exactly one of `session`, `events` and `raw` is set.
struct Stream {
  std::shared_ptr<ExecSession> session;  ///< with `name`: one stream of an exec or console
  std::string name;                      ///< "0", "1", "2" or "control"
  std::shared_ptr<EventStream> events;   ///< the event stream
  UniqueFd raw;                          ///< with `protocol`: a socket whose bytes are the client's as they are
  std::string protocol;                  ///< what the connection is upgraded to: "sftp"
};

/// One answer. Errors are answers too: status 4xx or 5xx with the error envelope as text.
struct Response {
  int status = 200;
  Headers headers;
  std::variant<std::string, FileBody, PartsBody, Stream> body;
  /// Of an exec or console that was just made: its streams, for a caller in the same process. Over HTTP they are
  /// reached by the secrets that the envelope shows.
  std::shared_ptr<ExecSession> session;

  /// The JSON text, or empty for the other kinds.
  std::string_view text() const noexcept {
    const auto* text = std::get_if<std::string>(&body);
    return text ? std::string_view(*text) : std::string_view();
  }
};

}  // namespace berth::rest
