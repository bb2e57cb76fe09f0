#pragma once

#include <string>
#include <vector>

namespace berth::cli {

using Row = std::vector<std::string>;

/// A table in ASCII boxes: headers in upper case and centred, cells to the left, cells of several lines kept as such,
/// a line between rows. Cells must be printable already.
std::string table_text(const Row& header, const std::vector<Row>& rows);
/// The same without lines and borders.
std::string compact_text(const Row& header, const std::vector<Row>& rows);

}  // namespace berth::cli
