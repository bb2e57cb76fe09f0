#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace berth::helpers {

/// A piece of a template: literal text, the inside of `{{ }}`, or the inside of `{% %}`. Comments are gone, and
/// `{{-`, `-%}` and the like have taken the white space beside them.
struct TemplatePiece {
  enum class Kind { Text, Output, Tag };
  Kind kind = Kind::Text;
  std::string_view content;  ///< points into the template
  std::size_t line = 1;
};

/// A word of the inside of a piece.
struct TemplateToken {
  enum class Kind { Name, Number, Text, Symbol, End };
  Kind kind = Kind::End;
  std::string value;  ///< Text: without quotes, escapes resolved
};

/// Errors: InvalidArgument `line N: ...`. What stands between `{% verbatim %}` and `{% endverbatim %}` is text.
Result<std::vector<TemplatePiece>> split_template(std::string_view text);

/// The words, ending in one of kind End. Errors: InvalidArgument `line N: ...`.
Result<std::vector<TemplateToken>> template_words(const TemplatePiece& piece);

/// An error of the template's text.
Error template_error(std::size_t line, const std::string& what);

}  // namespace berth::helpers
