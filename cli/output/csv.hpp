#pragma once

#include <string>
#include <vector>

namespace berth::cli {

/// Rows as comma-separated values: a cell is quoted when it has a comma, a quote or a line break, or begins with a
/// blank. No header.
std::string csv_text(const std::vector<std::vector<std::string>>& rows);

}  // namespace berth::cli
