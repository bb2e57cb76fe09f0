#pragma once

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "base/result.hpp"
#include "rest-bridge/api/message.hpp"
#include "rest-bridge/http/multipart.hpp"
#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// Streams an image upload into the pipes that the daemon reads from. Memory stays at one chunk.
class UploadPipes {
 public:
  UploadPipes();
  ~UploadPipes();

  /// Makes the pipes that `content_type` asks for: one, or two for a split image (multipart). Gives the reading ends.
  Result<Upload> open(std::string_view content_type, const boost::asio::any_io_executor& executor);
  /// Writes more of the body. A reader that has gone is no error: the rest is dropped, and the operation tells why.
  boost::asio::awaitable<Result<void>> write(std::string_view bytes);
  /// Whether the body is one stream whose next `left` bytes take() can bring.
  bool whole() const;
  /// Writes the next `left` bytes of the body as they come from the client, without looking at them. `more(waits_for_client)`
  /// is asked before each wait and stops it with false. Errors: InvalidArgument when the client ends before.
  boost::asio::awaitable<Result<void>> take(Socket& client, std::uint64_t left, std::function<bool(bool)> more);
  /// The body is over. Errors: InvalidArgument when it was not whole.
  Result<void> finish();
  /// Closes the writing ends: now the daemon sees the end.
  void close();

 private:
  class Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace berth::rest
