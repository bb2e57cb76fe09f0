#include "cli/parts.hpp"

#include "cli/output/text.hpp"

#include <array>
#include <cerrno>
#include <unistd.h>
#include <utility>
#include <vector>

namespace berth::cli {
namespace {

constexpr std::size_t kMostOfAHeader = 16 * 1024;

/// The bytes of a body, as far as they were read.
class Source {
 public:
  explicit Source(const rest::Response& answer) {
    if (const auto* body = std::get_if<rest::FileBody>(&answer.body)) {
      pieces_.push_back({.text = {}, .file = body});
    } else if (const auto* parts = std::get_if<rest::PartsBody>(&answer.body)) {
      for (const auto& part : parts->parts) pieces_.push_back({.text = part.before, .file = &part.file});
      pieces_.push_back({.text = parts->after, .file = nullptr});
    } else {
      pieces_.push_back({.text = std::string(answer.text()), .file = nullptr});
    }
  }
  /// More bytes in `seen`; false at the end.
  Result<bool> more() {
    while (at_ < pieces_.size()) {
      auto& piece = pieces_[at_];
      if (!piece.text.empty()) {
        seen += std::exchange(piece.text, {});
        return true;
      }
      if (piece.file != nullptr) {
        BERTH_TRY(const bool some, read_some(*piece.file));
        if (some) return true;
      }
      ++at_;
      total_ = 0;
    }
    return false;
  }
  std::string seen;

 private:
  struct Piece {
    std::string text;
    const rest::FileBody* file;
  };
  Result<bool> read_some(const rest::FileBody& file) {
    auto size = ::read(file.fd.get(), buffer_.data(), buffer_.size());
    while (size < 0 && errno == EINTR) size = ::read(file.fd.get(), buffer_.data(), buffer_.size());
    if (size < 0) return system_error("cannot read the answer", errno);
    if (size == 0 && file.size && total_ < *file.size)
      return Error{Code::Internal, "the transfer broke off after " + std::to_string(total_) + " of " +
                                       std::to_string(*file.size) + " bytes"};
    total_ += static_cast<std::uint64_t>(size);
    seen.append(buffer_.data(), static_cast<std::size_t>(size));
    return size > 0;
  }

  std::vector<Piece> pieces_;
  std::size_t at_ = 0;
  std::uint64_t total_ = 0;
  std::array<char, 256 * 1024> buffer_{};
};

Error broken() { return {Code::Internal, "the answer broke off in the middle of a part"}; }

/// The value of a header in the lines of a part.
std::string header_of(const std::string& lines, std::string_view name) {
  for (auto line : split(lines, '\n')) {
    const auto colon = line.find(':');
    if (colon == std::string::npos || upper(line.substr(0, colon)) != upper(name)) continue;
    line.erase(0, line.find_first_not_of(" \t", colon + 1));
    while (!line.empty() && line.back() == '\r') line.pop_back();
    return line;
  }
  return {};
}

/// Reads until `seen` has `mark`; its place.
Result<std::size_t> find(Source& source, std::string_view mark, std::size_t most) {
  for (;;) {
    const auto at = source.seen.find(mark);
    if (at != std::string::npos) return at;
    if (source.seen.size() > most) return Error{Code::Internal, "the parts of the answer cannot be told apart"};
    BERTH_TRY(const bool more, source.more());
    if (!more) return broken();
  }
}

Result<void> read_part(Source& source, const std::string& delimiter, const TakeBytes& take) {
  for (;;) {
    const auto at = source.seen.find(delimiter);
    if (at != std::string::npos) {
      BERTH_CHECK(take(std::string_view(source.seen).substr(0, at)));
      source.seen.erase(0, at + delimiter.size());
      return {};
    }
    // What could be the beginning of a delimiter stays.
    if (source.seen.size() > delimiter.size()) {
      const auto sure = source.seen.size() - delimiter.size();
      BERTH_CHECK(take(std::string_view(source.seen).substr(0, sure)));
      source.seen.erase(0, sure);
    }
    BERTH_TRY(const bool more, source.more());
    if (!more) return broken();
  }
}

}  // namespace

std::string header_parameter(std::string_view header, std::string_view name) {
  for (auto part : split(header, ';')) {
    part.erase(0, part.find_first_not_of(" \t"));
    const auto equals = part.find('=');
    if (equals == std::string::npos || upper(part.substr(0, equals)) != upper(name)) continue;
    auto value = part.substr(equals + 1);
    if (value.size() > 1 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

Result<void> read_parts(const rest::Response& answer, const BeginPart& begin) {
  Source source(answer);
  const auto type = answer.headers.get("Content-Type");
  if (!type.starts_with("multipart/")) {
    if (type.starts_with("application/json")) return Error{Code::Internal, "the answer is no download"};
    BERTH_TRY(const auto take, begin("", header_parameter(answer.headers.get("Content-Disposition"), "filename")));
    for (bool more = true; more;) {
      BERTH_CHECK(take(source.seen));
      source.seen.clear();
      BERTH_TRY(more, source.more());
    }
    return {};
  }
  const auto delimiter = "--" + header_parameter(type, "boundary");
  BERTH_TRY(const auto first, find(source, delimiter, kMostOfAHeader));
  source.seen.erase(0, first + delimiter.size());
  for (;;) {
    BERTH_TRY(const auto line_end, find(source, "\r\n", kMostOfAHeader));
    if (source.seen.starts_with("--")) return {};
    source.seen.erase(0, line_end);
    BERTH_TRY(const auto headers_end, find(source, "\r\n\r\n", kMostOfAHeader));
    const auto disposition = header_of(source.seen.substr(0, headers_end), "Content-Disposition");
    source.seen.erase(0, headers_end + 4);
    BERTH_TRY(const auto take, begin(header_parameter(disposition, "name"), header_parameter(disposition, "filename")));
    BERTH_CHECK(read_part(source, "\r\n" + delimiter, take));
  }
}

}  // namespace berth::cli
