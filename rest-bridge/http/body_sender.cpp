#include "rest-bridge/http/body_sender.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/chunk_encode.hpp>
#include <limits>
#include <utility>

#include "rest-bridge/http/splice.hpp"

namespace berth::rest {
namespace {

namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kPipeChunk = 256 * 1024;

auto token(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

}  // namespace

asio::awaitable<bool> BodySender::write(std::string text) {
  ErrorCode error;
  expect_(true);
  co_await asio::async_write(socket_, asio::buffer(text), token(error));
  co_return !error;
}

asio::awaitable<bool> BodySender::send(std::string head, FileBody& file) {
  struct stat status {};
  if (::fstat(file.fd.get(), &status) == 0 && S_ISREG(status.st_mode)) {
    head += "Content-Length: " + std::to_string(status.st_size) + "\r\n\r\n";
    bool sent = co_await write(std::move(head));
    std::string chunk(kChunk, '\0');
    off_t at = 0;
    while (sent && at < status.st_size) {
      const auto size = ::pread(file.fd.get(), chunk.data(), chunk.size(), at);
      if (size <= 0) co_return false;
      at += size;
      ErrorCode error;
      expect_(true);
      co_await asio::async_write(socket_, asio::buffer(chunk.data(), static_cast<std::size_t>(size)), token(error));
      sent = !error;
    }
    co_return sent;
  }
  head += file.size ? "Content-Length: " + std::to_string(*file.size) : "Transfer-Encoding: chunked";
  head += "\r\n\r\n";
  const bool begun = co_await write(std::move(head));
  if (!begun) co_return false;
  co_return co_await copy(file);
}

asio::awaitable<bool> BodySender::send(std::string head, PartsBody& body) {
  std::uint64_t size = body.after.size();
  for (const auto& part : body.parts) size += part.before.size() + part.file.size.value_or(0);
  head += "Content-Length: " + std::to_string(size) + "\r\n\r\n";
  bool sent = co_await write(std::move(head));
  for (auto& part : body.parts) {
    if (!sent) co_return false;
    sent = co_await write(std::move(part.before));
    if (!sent) co_return false;
    sent = co_await copy(part.file);
  }
  if (!sent) co_return false;
  co_return co_await write(std::move(body.after));
}

/// A pipe's bytes: no more than were promised, and no end of the answer when there are fewer.
asio::awaitable<bool> BodySender::copy(FileBody& file) {
  ErrorCode error;
  asio::posix::stream_descriptor from(socket_.get_executor(), file.fd.release());
  auto left = file.size.value_or(std::numeric_limits<std::uint64_t>::max());
  if (file.size) {
    std::function<bool(bool)> more = [this](bool writer) {
      expect_(!writer);
      return true;
    };
    left -= co_await splice_bytes(from, socket_, left, std::move(more), error);
    if (left == 0) co_return true;
    if (error.value() != EINVAL) co_return false;
    error = {};  // no pipe: by way of a buffer
  }
  std::string chunk(kPipeChunk, '\0');
  while (!error && left > 0) {
    ErrorCode end;
    expect_(false);
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(left, chunk.size()));
    const auto size = co_await from.async_read_some(asio::buffer(chunk.data(), wanted), token(end));
    if (end && (file.size || end != asio::error::eof)) co_return false;
    if (end) break;
    left -= size;
    expect_(true);
    const asio::const_buffer bytes(chunk.data(), size);
    if (file.size) {
      co_await asio::async_write(socket_, bytes, token(error));
    } else {
      co_await asio::async_write(socket_, http::make_chunk(bytes), token(error));
    }
  }
  if (!error && !file.size) co_await asio::async_write(socket_, http::make_chunk_last(), token(error));
  co_return !error;
}

}  // namespace berth::rest
