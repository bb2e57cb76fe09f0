#include "rest-bridge/http/upload.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rest-bridge/http/splice.hpp"

namespace berth::rest {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

/// The pipes, and what the multipart reader found for each since the last write.
class UploadPipes::Parts final : public Multipart::Sink {
 public:
  struct Piece {
    std::size_t pipe;
    std::string bytes;
    bool last;
  };

  std::array<std::optional<Descriptor>, 2> pipes;
  std::optional<Multipart> multipart;
  std::vector<Piece> pieces;

  Result<void> begin(const std::string& name) override {
    const std::size_t wanted = name == "metadata" ? 0 : 1;
    if (wanted == 1 && name != "rootfs" && name != "rootfs.img")
      return Error{Code::InvalidArgument, "the upload has a part \"" + name + "\"; a split image has \"metadata\" and \"rootfs\""};
    if (wanted != begun_) return Error{Code::InvalidArgument, "a split image is a part \"metadata\" and then a part \"rootfs\""};
    ++begun_;
    return {};
  }
  void data(std::string_view bytes) override { pieces.push_back({.pipe = begun_ - 1, .bytes = std::string(bytes), .last = false}); }
  void end() override { pieces.push_back({.pipe = begun_ - 1, .bytes = {}, .last = true}); }
  bool both() const { return begun_ == 2; }

 private:
  std::size_t begun_ = 0;
};

UploadPipes::UploadPipes() : parts_(std::make_unique<Parts>()) {}
UploadPipes::~UploadPipes() = default;

Result<Upload> UploadPipes::open(std::string_view content_type, const asio::any_io_executor& executor) {
  Upload upload;
  const auto boundary = Multipart::boundary_of(content_type);
  if (content_type.starts_with("multipart/") && !boundary)
    return Error{Code::InvalidArgument, "the Content-Type of the upload has no usable boundary"};
  for (std::size_t i = 0; i < (boundary ? 2U : 1U); ++i) {
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
    (i == 0 ? upload.file : upload.rootfs).reset(ends[0]);
    parts_->pipes.at(i).emplace(executor, ends[1]);
    ::fcntl(ends[1], F_SETPIPE_SZ, 1024 * 1024);
  }
  if (boundary) parts_->multipart.emplace(*boundary, *parts_);
  return upload;
}

asio::awaitable<Result<void>> UploadPipes::write(std::string_view bytes) {
  if (!parts_->multipart) {
    auto& pipe = parts_->pipes.front();
    boost::system::error_code error;
    if (pipe && pipe->is_open()) co_await asio::async_write(*pipe, asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, error));
    if (error) pipe->close(error);
    co_return Result<void>();
  }
  if (auto fed = parts_->multipart->feed(bytes); !fed) co_return fed;
  for (const auto& piece : std::exchange(parts_->pieces, {})) {
    auto& pipe = parts_->pipes.at(piece.pipe);
    if (!pipe || !pipe->is_open()) continue;
    boost::system::error_code error;
    co_await asio::async_write(*pipe, asio::buffer(piece.bytes), asio::redirect_error(asio::use_awaitable, error));
    // The end of the first part is shown at once: the daemon may wait for it before it reads the second.
    if (error || piece.last) pipe->close(error);
  }
  co_return Result<void>();
}

bool UploadPipes::whole() const { return !parts_->multipart; }

asio::awaitable<Result<void>> UploadPipes::take(Socket& client, std::uint64_t left, std::function<bool(bool)> more) {
  boost::system::error_code error;
  auto& pipe = parts_->pipes.front();
  if (pipe && pipe->is_open()) {
    left -= co_await splice_bytes(client, *pipe, left, more, error);
    // Whoever reads has gone: the operation tells why. The rest is read, so that the client gets to hear it.
    if (error == asio::error::broken_pipe) pipe->close(error);
  }
  std::array<char, 65536> nothing;  // NOLINT: never looked at
  while (!error && left > 0 && !pipe->is_open() && more(true))
    left -= co_await client.async_read_some(asio::buffer(nothing.data(), std::min<std::uint64_t>(left, nothing.size())),
                                            asio::redirect_error(asio::use_awaitable, error));
  if (error) co_return Error{Code::InvalidArgument, "the upload ended in the middle: " + error.message()};
  co_return Result<void>();
}

Result<void> UploadPipes::finish() {
  if (!parts_->multipart) return {};
  BERTH_CHECK(parts_->multipart->finish());
  if (!parts_->both()) return Error{Code::InvalidArgument, "the upload has no part \"rootfs\""};
  return {};
}

void UploadPipes::close() {
  boost::system::error_code error;
  for (auto& pipe : parts_->pipes)
    if (pipe && pipe->is_open()) pipe->close(error);
}

}  // namespace berth::rest
