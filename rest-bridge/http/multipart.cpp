#include "rest-bridge/http/multipart.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace berth::rest {
namespace {

constexpr std::size_t kLongestHeader = 8192;

Error broken(std::string_view what) { return Error{Code::InvalidArgument, "the multipart body " + std::string(what)}; }

bool starts_with_word(std::string_view text, std::string_view word) {
  return same_word(text.substr(0, word.size()), word);
}

/// The value of a parameter like `name="x"` in a header's value; empty when there is none.
std::string parameter_of(std::string_view text, std::string_view name) {
  for (auto semicolon = text.find(';'); semicolon != std::string_view::npos; semicolon = text.find(';')) {
    text.remove_prefix(semicolon + 1);
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    if (!starts_with_word(text, name) || text.size() <= name.size() || text[name.size()] != '=') continue;
    auto value = text.substr(name.size() + 1);
    if (value.starts_with('"')) {
      value.remove_prefix(1);
      return std::string(value.substr(0, value.find('"')));
    }
    return std::string(value.substr(0, value.find_first_of("; \t")));
  }
  return {};
}

/// The form name in a part's header lines.
std::string name_of(std::string_view header) {
  while (!header.empty()) {
    const auto end = header.find("\r\n");
    const auto line = header.substr(0, end);
    if (starts_with_word(line, "content-disposition:")) return parameter_of(line, "name");
    header = end == std::string_view::npos ? std::string_view() : header.substr(end + 2);
  }
  return {};
}

}  // namespace

std::optional<std::string> Multipart::boundary_of(std::string_view content_type) {
  if (!starts_with_word(content_type, "multipart/form-data")) return std::nullopt;
  auto boundary = parameter_of(content_type, "boundary");
  if (boundary.empty() || boundary.size() > 70) return std::nullopt;
  return boundary;
}

Multipart::Multipart(const std::string& boundary, Sink& sink) : sink_(sink), delimiter_("\r\n--" + boundary), pending_("\r\n") {}

Result<void> Multipart::feed(std::string_view bytes) {
  pending_.append(bytes);
  for (;;) {
    BERTH_TRY(const bool more, step());
    if (!more) return {};
  }
}

/// Does what can be done with `pending_`; false when more bytes are needed.
Result<bool> Multipart::step() {
  switch (state_) {
    case State::Preamble: {
      const auto at = pending_.find(delimiter_);
      if (at == std::string::npos) {
        if (pending_.size() > delimiter_.size()) pending_.erase(0, pending_.size() - delimiter_.size());
        return false;
      }
      pending_.erase(0, at + delimiter_.size());
      state_ = State::AfterDelimiter;
      return true;
    }
    case State::AfterDelimiter: {
      if (pending_.size() < 2) return false;
      if (pending_.starts_with("--")) {
        state_ = State::Epilogue;
        return true;
      }
      const auto at = pending_.find("\r\n");
      if (at == std::string::npos) {
        if (pending_.size() > kLongestHeader) return broken("has no line end after a boundary");
        return false;
      }
      if (pending_.find_first_not_of(" \t") < at) return broken("has text after a boundary");
      pending_.erase(0, at);  // the line end stays: a part may have no header at all
      state_ = State::Header;
      return true;
    }
    case State::Header: {
      const auto at = pending_.find("\r\n\r\n");
      if (at == std::string::npos) {
        if (pending_.size() > kLongestHeader) return broken("has a part whose header is too long");
        return false;
      }
      const auto header = pending_.substr(0, at).substr(std::min<std::size_t>(2, at));
      pending_.erase(0, at + 4);
      BERTH_CHECK(sink_.begin(name_of(header)));
      state_ = State::Body;
      return true;
    }
    case State::Body: {
      const auto at = pending_.find(delimiter_);
      if (at != std::string::npos) {
        if (at > 0) sink_.data(std::string_view(pending_).substr(0, at));
        sink_.end();
        pending_.erase(0, at + delimiter_.size());
        state_ = State::AfterDelimiter;
        return true;
      }
      // What may be the beginning of a delimiter waits for its end.
      if (pending_.size() >= delimiter_.size()) {
        const auto safe = pending_.size() - delimiter_.size() + 1;
        sink_.data(std::string_view(pending_).substr(0, safe));
        pending_.erase(0, safe);
      }
      return false;
    }
    case State::Epilogue: pending_.clear(); return false;
  }
  return false;
}

Result<void> Multipart::finish() const {
  if (state_ != State::Epilogue) return broken("ends before its last boundary");
  return {};
}

}  // namespace berth::rest
