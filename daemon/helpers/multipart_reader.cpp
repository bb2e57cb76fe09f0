#include "daemon/helpers/multipart_reader.hpp"

#include <algorithm>

namespace berth::helpers {
namespace {

constexpr std::size_t kLongestHead = 16 << 10;
constexpr std::size_t kLongestBoundary = 200;

Error malformed() { return Error{Code::InvalidArgument, "the server's answer is no body of several parts"}; }

/// The value of `name=value` or `name="value"` after a `;`; empty when there is none.
std::string parameter(std::string_view text, std::string_view name) {
  for (auto at = text.find(';'); at != std::string_view::npos; at = text.find(';', at + 1)) {
    auto rest = text.substr(at + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (!rest.starts_with(name) || rest.size() <= name.size() || rest[name.size()] != '=') continue;
    rest.remove_prefix(name.size() + 1);
    if (rest.starts_with('"')) return std::string(rest.substr(1, rest.find('"', 1) - 1));
    return std::string(rest.substr(0, rest.find_first_of("; \t\r\n")));
  }
  return {};
}

}  // namespace

bool is_multipart(std::string_view content_type) { return content_type.starts_with("multipart/form-data"); }

Result<MultipartReader> MultipartReader::open(std::string_view content_type, OnPart part, OnBytes bytes) {
  const auto boundary = parameter(content_type, "boundary");
  if (boundary.empty() || boundary.size() > kLongestBoundary) return malformed();
  return MultipartReader("\r\n--" + boundary, std::move(part), std::move(bytes));
}

Result<bool> MultipartReader::read_head() {
  if (buffer_.starts_with("--")) {
    at_ = At::End;
    return true;
  }
  const auto end = buffer_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (buffer_.size() > kLongestHead) return malformed();
    return false;
  }
  const std::string head = buffer_.substr(0, end);
  buffer_.erase(0, end + 4);
  const auto disposition = head.find("form-data");
  if (!head.starts_with("\r\n") || disposition == std::string::npos) return malformed();
  at_ = At::Content;
  BERTH_CHECK(part_(parameter(std::string_view(head).substr(disposition), "name")));
  return true;
}

Result<bool> MultipartReader::read_content() {
  const auto end = buffer_.find(delimiter_);
  if (end != std::string::npos) {
    if (at_ == At::Content) BERTH_CHECK(bytes_(std::string_view(buffer_).substr(0, end)));
    buffer_.erase(0, end + delimiter_.size());
    at_ = At::Head;
    return true;
  }
  // The end of what is here may be the beginning of a delimiter.
  if (buffer_.size() < delimiter_.size()) return false;
  const auto sure = buffer_.size() - delimiter_.size() + 1;
  if (at_ == At::Content) BERTH_CHECK(bytes_(std::string_view(buffer_).substr(0, sure)));
  buffer_.erase(0, sure);
  return false;
}

Result<bool> MultipartReader::step() {
  if (at_ == At::End) return false;
  if (at_ != At::Head) return read_content();
  if (buffer_.size() < 2) return false;
  return read_head();
}

Result<void> MultipartReader::take(std::string_view bytes) {
  if (at_ == At::End) return {};
  buffer_.append(bytes);
  for (;;) {
    BERTH_TRY(const bool more, step());
    if (!more) return {};
  }
}

Result<void> MultipartReader::finish() const {
  if (at_ != At::End) return Error{Code::Unavailable, "the server's answer broke off"};
  return {};
}

}  // namespace berth::helpers
