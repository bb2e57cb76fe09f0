#pragma once

#include "base/result.hpp"
#include "cli/output/shape.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// One column of the list of instances.
struct Column {
  std::string name;
  std::function<std::string(const Json&)> cell;  ///< printable, lines separated by newlines
  bool needs_state = false;                      ///< the instance's full form
};

/// The columns that a `--columns` text asks for: letters, and `key[:NAME[:WIDTH]]` for what a configuration or device
/// key says. Errors: InvalidArgument.
Result<std::vector<Column>> parse_columns(const std::string& text);

/// Whether an instance passes every filter of a `list` command.
bool is_shown(const std::vector<std::string>& filters, const Json& instance);

/// Whether a key is meant by an abbreviation: each part of the one begins a part of the other (`u.b` is `user.blah`).
bool matches_abbreviated(std::string_view abbreviation, std::string_view key);

}  // namespace berth::cli
