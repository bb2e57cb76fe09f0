#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"

namespace berth::rest {

/// The query of a request, decoded; the first value of a name counts.
class Query {
 public:
  static Query parse(std::string_view text);
  /// The value, or empty when there is none.
  std::string_view get(std::string_view name) const noexcept;
  bool has(std::string_view name) const noexcept;
  /// `1`, `true`, `yes`, `on` in any case.
  bool flag(std::string_view name) const noexcept;
  const std::vector<std::pair<std::string, std::string>>& pairs() const noexcept { return pairs_; }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

/// A request's target, taken apart: path segments are split before they are decoded, so that `%2F` stays in its name.
struct Target {
  std::vector<std::string> segments;
  Query query;
  /// Errors: InvalidArgument for a target that is no absolute path, has a bad escape, or an encoded NUL.
  static Result<Target> parse(std::string_view target);
};

/// Decodes `%xx`, and `+` to a blank where `form` says so; nothing for a bad escape.
std::optional<std::string> percent_decode(std::string_view text, bool form = false);
/// Encodes everything but unreserved characters.
std::string percent_encode(std::string_view text);
/// `1`, `true`, `yes`, `on` in any case.
bool is_true(std::string_view text) noexcept;

}  // namespace berth::rest
