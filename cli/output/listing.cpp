#include "cli/output/listing.hpp"

#include "cli/output/csv.hpp"
#include "cli/output/json.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"

#include <algorithm>

namespace berth::cli {

Result<std::string> render(const Listing& listing, std::string_view format) {
  if (format == "table") return table_text(listing.header, listing.rows);
  if (format == "compact") return compact_text(listing.header, listing.rows);
  if (format == "csv") return csv_text(listing.rows);
  if (format == "json") return json_line(listing.objects, listing.shape);
  if (format == "yaml") return yaml_text(listing.objects, listing.shape);
  return Error{Code::InvalidArgument, "Invalid format \"" + std::string(format) + '"'};
}

void sort_rows(std::vector<Row>& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
      if (a[i] == b[i]) continue;
      // What has no name comes last.
      if (a[i].empty() || b[i].empty()) return b[i].empty();
      return natural_less(a[i], b[i]);
    }
    return a.size() < b.size();
  });
}

}  // namespace berth::cli
