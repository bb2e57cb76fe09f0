#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/instance_table.hpp"
#include "cli/names.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

struct Flags {
  std::string columns;
  std::string format = "table";
  bool fast = false;
  bool all_projects = false;
};

Result<std::vector<Column>> columns_of(const Flags& flags) {
  const std::string project = flags.all_projects ? "e" : "";
  if (!flags.fast) return parse_columns(flags.columns.empty() ? project + "ns46tS" : flags.columns);
  if (!flags.columns.empty()) return Error{Code::InvalidArgument, "Can't specify --fast with --columns"};
  return parse_columns(project + "nsacPt");
}

bool needs_state(const Flags& flags, const std::vector<Column>& columns, const Strings& filters) {
  if (flags.format == "json" || flags.format == "yaml") return !flags.fast;
  return std::any_of(columns.begin(), columns.end(), [](const Column& column) { return column.needs_state; }) ||
         std::any_of(filters.begin(), filters.end(),
                     [](const std::string& filter) { return filter.starts_with("ipv"); });
}

Result<int> list(Context& context, const Flags& flags, const Strings& arguments) {
  if (flags.all_projects && !context.globals().project.empty())
    return Error{Code::InvalidArgument, "Can't specify --project with --all-projects"};
  BERTH_TRY(const auto columns, columns_of(flags));
  BERTH_TRY(const auto asked, filters_of(context, arguments));
  const auto& filters = asked.filters;
  std::string target = "/1.0/instances?recursion=";
  target += needs_state(flags, columns, filters) ? '2' : '1';
  if (flags.all_projects) target += "&all-projects=true";
  BERTH_TRY(const auto instances, asked.server->get(target));

  Listing listing{.header = {}, .rows = {}, .objects = Json::array(), .shape = kInstanceFull};
  for (const auto& column : columns) listing.header.push_back(column.name);
  for (const auto& instance : instances) {
    if (!is_shown(filters, instance)) continue;
    auto& row = listing.rows.emplace_back();
    for (const auto& column : columns) row.push_back(column.cell(instance));
    listing.objects.push_back(instance);
  }
  sort_rows(listing.rows);
  return print_listing(listing, flags.format);
}

constexpr const char* kDescription =
    R"(Default column layout: ns46tS
Fast column layout: nsacPt

A filter is one of:
  - the beginning of an instance's name ("web")
  - a regular expression on its name (".*web.*01$")
  - a key and its value ("user.owner=me"); parts of the key can be abbreviated ("u.owner=me"),
    the value can be a regular expression
  - type=, status=, architecture=, location=, ipv4= or ipv6= with values separated by commas
With several filters, instances are shown that pass all of them.

== Columns ==
  4 - IPv4 address                    m - Memory usage
  6 - IPv6 address                    M - Memory usage (%)
  a - Architecture                    n - Name
  b - Storage pool                    N - Number of Processes
  c - Creation date                   p - PID of the instance's init process
  d - Description                     P - Profiles
  D - disk usage                      s - State
  e - Project name                    S - Number of snapshots
  f - Base Image Fingerprint (short)  t - Type (persistent or ephemeral)
  F - Base Image Fingerprint (long)   u - CPU usage (in seconds)
  l - Last used date

Custom columns are "[config:|devices:]key[:name][:maxWidth]".)";

}  // namespace

Command list_command() {
  const auto flags = std::make_shared<Flags>();
  return {
      .name = "list",
      .aliases = {"ls"},
      .arguments = "[<remote>:] [<filter>...]",
      .summary = "List instances",
      .description = kDescription,
      .examples =
          "berth list\n\nberth list web --format csv -c n\n\nberth list status=running -c ns4,user.comment:comment\n"
          "    List running instances with a comment of your own.",
      .least = 0,
      .most = Command::kAny,
      .flags = {{"--all-projects", &flags->all_projects, "Display instances from all projects"},
                {"-c,--columns", &flags->columns, "Columns (default \"ns46tS\")"},
                {"--fast", &flags->fast, "Fast mode (same as --columns=nsacPt)"},
                format_flag(&flags->format)},
      .run = [flags](Context& context, const Strings& arguments) { return list(context, *flags, arguments); },
      .commands = {}};
}

}  // namespace berth::cli
