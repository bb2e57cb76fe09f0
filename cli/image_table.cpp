#include "cli/image_table.hpp"

#include "cli/instance_table.hpp"
#include "cli/output/text.hpp"
#include "cli/output/units.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace berth::cli {
namespace {

std::string shown(const Json& image, std::string_view name) { return printable(text_of(image, name)); }

std::vector<std::string> aliases_of(const Json& image) {
  std::vector<std::string> names;
  for (const auto& alias : child_of(image, "aliases")) names.push_back(shown(alias, "name"));
  return names;
}

/// The shortest alias, and how many others there are.
std::string short_alias(const Json& image) {
  const auto names = aliases_of(image);
  if (names.empty()) return {};
  const auto shortest =
      *std::min_element(names.begin(), names.end(), [](const auto& a, const auto& b) { return a.size() < b.size(); });
  return names.size() == 1 ? shortest : shortest + " (" + std::to_string(names.size() - 1) + " more)";
}

std::string megabytes(const Json& image) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.2fMB", static_cast<double>(number_of(image, "size")) / 1024.0 / 1024.0);
  return text.data();
}

std::string type_text(const Json& image) {
  const auto type = text_of(image, "type");
  return printable(type.empty() ? "container" : type);
}

Result<Column> column_of(char letter) {
  switch (letter) {
    case 'l': return Column{.name = "ALIAS", .cell = short_alias};
    case 'L':
      return Column{.name = "ALIASES", .cell = [](const Json& i) {
                      auto names = aliases_of(i);
                      std::sort(names.begin(), names.end());
                      return join(names, "\n");
                    }};
    case 'f':
      return Column{.name = "FINGERPRINT", .cell = [](const Json& i) { return shown(i, "fingerprint").substr(0, 12); }};
    case 'F': return Column{.name = "FINGERPRINT", .cell = [](const Json& i) { return shown(i, "fingerprint"); }};
    case 'p':
      return Column{.name = "PUBLIC",
                    .cell = [](const Json& i) { return std::string(flag_of(i, "public") ? "yes" : "no"); }};
    case 'd':
      return Column{.name = "DESCRIPTION",
                    .cell = [](const Json& i) { return shown(child_of(i, "properties"), "description"); }};
    case 'a': return Column{.name = "ARCHITECTURE", .cell = [](const Json& i) { return shown(i, "architecture"); }};
    case 's': return Column{.name = "SIZE", .cell = megabytes};
    case 'u':
      return Column{.name = "UPLOAD DATE", .cell = [](const Json& i) { return day_text(text_of(i, "uploaded_at")); }};
    case 't': return Column{.name = "TYPE", .cell = [](const Json& i) { return upper(type_text(i)); }};
    default: return Error{Code::InvalidArgument, std::string("Unknown column shorthand char '") + letter + "'"};
  }
}

bool passes(const Json& image, const std::string& filter) {
  if (const auto equals = filter.find('='); equals != std::string::npos) {
    const auto& properties = child_of(image, "properties");
    if (!properties.is_object()) return false;
    return std::any_of(properties.items().begin(), properties.items().end(), [&](const auto& entry) {
      return matches_abbreviated(filter.substr(0, equals), entry.key()) && entry.value() == filter.substr(equals + 1);
    });
  }
  if (text_of(image, "fingerprint").starts_with(filter)) return true;
  const auto names = aliases_of(image);
  return std::any_of(names.begin(), names.end(),
                     [&](const auto& name) { return name.find(filter) != std::string::npos; });
}

std::string or_else(std::string text, const char* otherwise) { return text.empty() ? otherwise : text; }

}  // namespace

Result<Listing> image_listing(const Json& images, const std::vector<std::string>& filters, const std::string& letters) {
  Listing listing{.header = {}, .rows = {}, .objects = Json::array(), .shape = kImage};
  std::vector<Column> columns;
  for (const char letter : letters) {
    if (letter == ',') continue;
    BERTH_TRY(auto column, column_of(letter));
    listing.header.push_back(column.name);
    columns.push_back(std::move(column));
  }
  for (const auto& image : images) {
    if (!std::all_of(filters.begin(), filters.end(), [&](const auto& filter) { return passes(image, filter); }))
      continue;
    auto& row = listing.rows.emplace_back();
    for (const auto& column : columns) row.push_back(column.cell(image));
    listing.objects.push_back(image);
  }
  sort_rows(listing.rows);
  return listing;
}

std::string image_description(const Json& image) {
  std::string text;
  const auto line = [&](const std::string& name, const std::string& value) { text += name + ": " + value + '\n'; };
  line("Fingerprint", shown(image, "fingerprint"));
  line("Size", megabytes(image));
  line("Architecture", shown(image, "architecture"));
  line("Type", type_text(image));
  line("Public", flag_of(image, "public") ? "yes" : "no");
  text += "Timestamps:\n";
  if (const auto created = minute_text(text_of(image, "created_at")); !created.empty()) line("    Created", created);
  line("    Uploaded", minute_text(text_of(image, "uploaded_at")));
  line("    Expires", or_else(minute_text(text_of(image, "expires_at")), "never"));
  line("    Last used", or_else(minute_text(text_of(image, "last_used_at")), "never"));
  text += "Properties:\n";
  if (const auto& properties = child_of(image, "properties"); properties.is_object())
    for (const auto& [name, value] : properties.items())
      if (value.is_string()) line("    " + printable(name), printable(value.get<std::string>()));
  text += "Aliases:\n";
  for (const auto& alias : child_of(image, "aliases")) {
    const auto about = shown(alias, "description");
    text += "    - " + shown(alias, "name") + (about.empty() ? "" : " (" + about + ')') + '\n';
  }
  line("Cached", flag_of(image, "cached") ? "yes" : "no");
  line("Auto update", flag_of(image, "auto_update") ? "enabled" : "disabled");
  const auto& profiles = child_of(image, "profiles");
  if (profiles.empty()) return text + "Profiles: []\n";
  text += "Profiles:\n";
  for (const auto& profile : profiles)
    if (profile.is_string()) text += "    - " + printable(profile.get<std::string>()) + '\n';
  return text;
}

}  // namespace berth::cli
