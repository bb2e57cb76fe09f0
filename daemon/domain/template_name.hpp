#pragma once

#include <string>
#include <string_view>

#include "base/names.hpp"
#include "base/result.hpp"

namespace berth {

/// The name of a template's file, which is one element of a path: no slash, neither `.` nor `..`, no control
/// characters, at most 255 bytes.
class TemplateName {
 public:
  /// Errors: InvalidArgument.
  static Result<TemplateName> parse(std::string_view text) {
    if (text.empty() || text == "." || text == ".." || text.size() > 255 || text.find('/') != std::string_view::npos ||
        has_control_characters(text))
      return Error{Code::InvalidArgument, "Invalid template filename"};
    return TemplateName(std::string(text));
  }
  const std::string& str() const noexcept { return text_; }

 private:
  explicit TemplateName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace berth
