#pragma once

#include <string>

#include "cli/output/shape.hpp"

namespace berth::cli {

/// One line of JSON with its newline: members in the shape's order, `<`, `>`, `&` and everything that a terminal might
/// take as a command as `\u003c`. Without a shape members are in alphabetical order. A list is one of such objects.
std::string json_line(const Json& value, Shape shape = {});
/// The same on several lines, indented by tabs.
std::string json_pretty(const Json& value);

}  // namespace berth::cli
