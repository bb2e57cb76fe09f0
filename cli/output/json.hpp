#pragma once

#include "cli/output/shape.hpp"

#include <string>
#include <string_view>

namespace berth::cli {

/// One line of JSON with its newline: members in the shape's order, `<`, `>`, `&` and everything that a terminal might
/// take as a command as `\u003c`; other members are left out. Without a shape members are in alphabetical order. A list
/// is one of such objects.
std::string json_line(const Json& value, Shape shape = {});
/// The same on several lines, indented by tabs.
std::string json_pretty(const Json& value);
/// The same for JSON text, whose members stay in their order.
std::string json_pretty_text(std::string_view text);

}  // namespace berth::cli
