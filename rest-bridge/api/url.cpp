#include "rest-bridge/api/url.hpp"

#include <algorithm>

#include "base/text.hpp"

namespace berth::rest {
namespace {

int digit_of(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) noexcept {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, bool form) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = digit_of(text[i + 1]);
      const int low = digit_of(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += form && text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

bool is_true(std::string_view text) noexcept {
  for (const std::string_view word : {"1", "true", "yes", "on"})
    if (same_word(text, word)) return true;
  return false;
}

Query Query::parse(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("") : percent_decode(pair.substr(equals + 1), true);
    if (name && value) query.pairs_.emplace_back(*std::move(name), *std::move(value));
  }
  return query;
}

std::string_view Query::get(std::string_view name) const noexcept {
  for (const auto& [key, value] : pairs_)
    if (key == name) return value;
  return {};
}

bool Query::has(std::string_view name) const noexcept {
  return std::any_of(pairs_.begin(), pairs_.end(), [&](const auto& pair) { return pair.first == name; });
}

bool Query::flag(std::string_view name) const noexcept { return is_true(get(name)); }

Result<Target> Target::parse(std::string_view target) {
  // The absolute form ("http://host/path") is legal, too.
  if (!target.starts_with('/')) {
    const auto scheme = target.find("://");
    const auto slash = scheme == std::string_view::npos ? scheme : target.find('/', scheme + 3);
    if (slash == std::string_view::npos) return Error{Code::InvalidArgument, "the request target is not a path"};
    target.remove_prefix(slash);
  }
  // D-Bus texts end at a NUL: what stands behind it would be lost unseen.
  if (target.find("%00") != std::string_view::npos) return Error{Code::InvalidArgument, "the request target has a NUL character"};
  const auto question = target.find('?');
  Target parsed;
  if (question != std::string_view::npos) parsed.query = Query::parse(target.substr(question + 1));
  for (const auto& [name, value] : parsed.query.pairs())
    if (!is_text(value)) return Error{Code::InvalidArgument, "the request query has a text that is not UTF-8"};
  auto path = target.substr(1, question == std::string_view::npos ? question : question - 1);
  if (path.empty()) return parsed;
  for (;;) {
    const auto slash = path.find('/');
    auto segment = percent_decode(path.substr(0, slash));
    if (!segment || !is_text(*segment))
      return Error{Code::InvalidArgument, "the request path has a bad escape"};
    parsed.segments.push_back(*std::move(segment));
    if (slash == std::string_view::npos) return parsed;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace berth::rest
