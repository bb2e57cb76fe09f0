#include "rest-bridge/http/upload.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

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
  if (parts_->multipart) {
    if (auto fed = parts_->multipart->feed(bytes); !fed) co_return fed;
  } else {
    parts_->data(bytes);
    parts_->pieces.back().pipe = 0;
  }
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
