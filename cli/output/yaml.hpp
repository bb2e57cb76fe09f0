#pragma once

#include "cli/output/shape.hpp"

#include <string>

namespace berth::cli {

/// A document in the style that scripts of this API's users know: the shape's members in its order, maps by name,
/// lists not indented, `{}` and `[]` for what is empty, quotes only where a reader would take a text for something
/// else, long texts folded at 80 columns. Characters that a terminal could take as a command are escaped. A list is a
/// list of such objects.
std::string yaml_text(const Json& value, Shape shape = {});

/// How `text` is written as a value that begins in `column` and goes on in lines indented by `indent`: a block of lines
/// has its last line break, everything else has none. As a key it stays on one line.
std::string yaml_scalar(const std::string& text, std::size_t column, std::size_t indent, bool key = false);

}  // namespace berth::cli
