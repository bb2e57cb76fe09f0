#include "cli/output/table.hpp"

#include "cli/output/text.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

bool is_number_or_blank(char c) { return (c >= '0' && c <= '9') || c == ' '; }

/// A heading as tables show it: `user.comment` is USER COMMENT.
std::string heading(const std::string& name) {
  auto text = name;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '_') text[i] = ' ';
    if (text[i] != '.') continue;
    const bool before = i != 0 && !is_number_or_blank(text[i - 1]);
    const bool after = i + 1 != text.size() && !is_number_or_blank(text[i + 1]);
    if (before || after) text[i] = ' ';
  }
  const auto begin = text.find_first_not_of(' ');
  if (begin == std::string::npos) return name.empty() ? "" : " ";
  return upper(text.substr(begin, text.find_last_not_of(' ') - begin + 1));
}

struct Layout {
  Row header;
  std::vector<std::vector<Row>> rows;  ///< row, column, line
  std::vector<std::size_t> widths;
};

Layout lay_out(const Row& header, const std::vector<Row>& rows) {
  Layout layout;
  for (const auto& name : header) {
    layout.header.push_back(heading(name));
    layout.widths.push_back(display_width(layout.header.back()));
  }
  for (const auto& row : rows) {
    auto& cells = layout.rows.emplace_back();
    for (std::size_t column = 0; column < header.size(); ++column) {
      cells.push_back(column < row.size() ? split(row[column], '\n') : Row{""});
      for (const auto& line : cells.back())
        layout.widths[column] = std::max(layout.widths[column], display_width(line));
    }
  }
  return layout;
}

std::string rule(const Layout& layout) {
  std::string text = "+";
  for (const auto width : layout.widths) text.append(width + 2, '-') += '+';
  return text + '\n';
}

std::string blanks(std::size_t count) { return std::string(count, ' '); }

/// Lines of `text` with `left`, `middle` and `right` around its cells.
struct Border {
  std::string_view left, middle, right;
};

std::string header_line(const Layout& layout, const Border& border) {
  std::string text(border.left);
  for (std::size_t column = 0; column < layout.header.size(); ++column) {
    if (column != 0) text += border.middle;
    const auto gap = layout.widths[column] - display_width(layout.header[column]);
    text += ' ' + blanks(gap / 2) + layout.header[column] + blanks(gap - gap / 2) + ' ';
  }
  return text.append(border.right) + '\n';
}

std::string row_lines(const Layout& layout, const std::vector<Row>& cells, const Border& border) {
  std::size_t height = 1;
  for (const auto& cell : cells) height = std::max(height, cell.size());
  std::string text;
  for (std::size_t line = 0; line < height; ++line) {
    text += border.left;
    for (std::size_t column = 0; column < cells.size(); ++column) {
      if (column != 0) text += border.middle;
      const auto& part = line < cells[column].size() ? cells[column][line] : std::string();
      text += ' ' + part + blanks(layout.widths[column] - display_width(part)) + ' ';
    }
    text.append(border.right) += '\n';
  }
  return text;
}

}  // namespace

std::string table_text(const Row& header, const std::vector<Row>& rows) {
  const auto layout = lay_out(header, rows);
  const auto line = rule(layout);
  constexpr Border kBox{"|", "|", "|"};
  auto text = line + header_line(layout, kBox) + line;
  for (const auto& row : layout.rows) text += row_lines(layout, row, kBox) + line;
  return text;
}

std::string compact_text(const Row& header, const std::vector<Row>& rows) {
  const auto layout = lay_out(header, rows);
  constexpr Border kNone{" ", "", " "};
  auto text = header_line(layout, kNone);
  for (const auto& row : layout.rows) text += row_lines(layout, row, kNone);
  return text;
}

}  // namespace berth::cli
