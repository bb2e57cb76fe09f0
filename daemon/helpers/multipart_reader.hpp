#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth::helpers {

/// Takes a body of several parts (RFC 7578) as it arrives, and hands on each part's bytes. What is between is bounded.
class MultipartReader {
 public:
  /// Told of each part's name at its beginning; an error refuses the body.
  using OnPart = std::function<Result<void>(const std::string& name)>;
  using OnBytes = std::function<Result<void>(std::string_view)>;

  /// `content_type` is the header's: `multipart/form-data; boundary=...`. Errors: InvalidArgument without a boundary.
  static Result<MultipartReader> open(std::string_view content_type, OnPart part, OnBytes bytes);

  /// Errors: InvalidArgument for a body that has another form, and those of the callbacks.
  Result<void> take(std::string_view bytes);
  /// InvalidArgument when the body broke off.
  Result<void> finish() const;

 private:
  enum class At { Preamble, Head, Content, End };
  MultipartReader(std::string delimiter, OnPart part, OnBytes bytes)
      : delimiter_(std::move(delimiter)), part_(std::move(part)), bytes_(std::move(bytes)) {}
  Result<bool> step();
  Result<bool> read_head();
  Result<bool> read_content();

  std::string delimiter_;  ///< with the line's end before it
  OnPart part_;
  OnBytes bytes_;
  At at_ = At::Preamble;
  std::string buffer_ = "\r\n";  ///< as if a line had ended, since the first delimiter may come at once
};

/// Whether a content type is that of such a body.
bool is_multipart(std::string_view content_type);

}  // namespace berth::helpers
