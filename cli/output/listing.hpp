#pragma once

#include "base/result.hpp"
#include "cli/output/shape.hpp"
#include "cli/output/table.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace berth::cli {

/// What a list command shows: cells for people (printable already), objects for programs.
struct Listing {
  Row header;
  std::vector<Row> rows;
  Json objects;
  Shape shape;
};

/// `listing` as `format` asks: table, compact, csv, json or yaml. Errors: InvalidArgument for another format.
Result<std::string> render(const Listing& listing, std::string_view format);

/// Orders rows by their first cell, then the next ones, numbers by their value.
void sort_rows(std::vector<Row>& rows);

}  // namespace berth::cli
