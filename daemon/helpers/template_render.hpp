#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "daemon/helpers/template_value.hpp"

namespace berth::helpers {

/// What one rendering may use (rule 20).
struct TemplateLimits {
  std::size_t template_bytes = 1 << 20;
  std::size_t output = 16 << 20;   ///< bytes of the text that is made
  std::size_t texts = 256 << 20;   ///< bytes of all the texts made on the way
  std::size_t steps = 2'000'000;
};

/// Renders a template of an image: the language of Django as pongo2 has it, escaping off. `variables` are what it sees,
/// and the function `config_get(KEY, DEFAULT)` looks into the map `config` among them.
/// Errors: InvalidArgument `line N: what`; LimitsExceeded.
Result<std::string> render_template(std::string_view text, const TemplateValue::Map& variables,
                                    const TemplateLimits& limits = {});

}  // namespace berth::helpers
