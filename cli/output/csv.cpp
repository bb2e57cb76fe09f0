#include "cli/output/csv.hpp"

namespace berth::cli {
namespace {

bool wants_quotes(const std::string& cell) {
  if (cell.empty()) return false;
  return cell == "\\." || cell.find_first_of(",\"\r\n") != std::string::npos || cell.front() == ' ' ||
         cell.front() == '\t';
}

}  // namespace

std::string csv_text(const std::vector<std::vector<std::string>>& rows) {
  std::string text;
  for (const auto& row : rows) {
    for (const auto& cell : row) {
      if (&cell != &row.front()) text += ',';
      if (!wants_quotes(cell)) {
        text += cell;
        continue;
      }
      text += '"';
      for (const char c : cell) text.append(c == '"' ? 2 : 1, c);
      text += '"';
    }
    text += '\n';
  }
  return text;
}

}  // namespace berth::cli
