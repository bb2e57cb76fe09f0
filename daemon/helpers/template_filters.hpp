#pragma once

#include <string>

#include "base/result.hpp"
#include "daemon/helpers/template_value.hpp"

namespace berth::helpers {

/// `value|name:argument`; the argument is nothing when there is none. Errors: InvalidArgument when there is no such
/// filter, or its argument makes no sense.
Result<TemplateValue> apply_template_filter(const std::string& name, const TemplateValue& value,
                                            const TemplateValue& argument);

}  // namespace berth::helpers
