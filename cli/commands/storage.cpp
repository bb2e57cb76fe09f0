#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/units.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/url.hpp"

#include <map>

namespace berth::cli {
namespace {

Result<int> list(Context& context, const std::string& format, const Strings& arguments) {
  BERTH_TRY(const auto place, context.place(arguments.empty() ? "" : arguments.front()));
  BERTH_TRY(const auto pools, place.server->get("/1.0/storage-pools?recursion=1"));
  Listing listing{.header = {"NAME", "DRIVER", "SOURCE", "DESCRIPTION", "USED BY", "STATE"},
                  .rows = {},
                  .objects = pools,
                  .shape = kPool};
  for (const auto& pool : pools)
    listing.rows.push_back({printable(text_of(pool, "name")), printable(text_of(pool, "driver")),
                            printable(text_of(child_of(pool, "config"), "source")),
                            printable(text_of(pool, "description")), std::to_string(child_of(pool, "used_by").size()),
                            upper(printable(text_of(pool, "status")))});
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

Command list_pools() {
  const auto format = std::make_shared<std::string>("table");
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "[<remote>:]",
          .summary = "List available storage pools",
          .description = "",
          .examples = "berth storage list",
          .least = 0,
          .most = 1,
          .flags = {format_flag(format.get())},
          .run = [format](Context& context, const Strings& arguments) { return list(context, *format, arguments); },
          .commands = {}};
}

Command show_pool() {
  const auto resources = std::make_shared<bool>(false);
  return {.name = "show",
          .aliases = {},
          .arguments = "[<remote>:]<pool>",
          .summary = "Show storage pool configurations and resources",
          .description = "",
          .examples = "berth storage show default",
          .least = 1,
          .most = 1,
          .flags = {{"--resources", resources.get(), "Show the resources available to the storage pool"}},
          .run = [resources](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto place, context.named(arguments.front(), "pool"));
            BERTH_TRY(const auto object,
                      place.server->get(api_path("storage-pools", place.name) + (*resources ? "/resources" : "")));
            print(*resources ? yaml_text(object) : yaml_text(object, kPool));
            return 0;
          },
          .commands = {}};
}

/// Who uses a pool, by kind: {"instances": ["web"]}.
Json users_by_kind(const Json& urls) {
  auto users = Json::object();
  for (const auto& url : urls) {
    if (!url.is_string()) continue;
    const auto parts = split(url.get<std::string>(), '/');
    if (parts.size() < 4) continue;
    const auto name = parts.back().substr(0, parts.back().find('?'));
    users[parts[2]].push_back(rest::percent_decode(name).value_or(name));
  }
  return users;
}

Command info_pool() {
  const auto bytes = std::make_shared<bool>(false);
  return {.name = "info",
          .aliases = {},
          .arguments = "[<remote>:]<pool>",
          .summary = "Show useful information about storage pools",
          .description = "",
          .examples = "berth storage info default",
          .least = 1,
          .most = 1,
          .flags = {{"--bytes", bytes.get(), "Show the used and free space in bytes"}},
          .run = [bytes](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto place, context.named(arguments.front(), "pool"));
            BERTH_TRY(const auto pool, place.server->get(api_path("storage-pools", place.name)));
            BERTH_TRY(const auto resources, place.server->get(api_path("storage-pools", place.name) + "/resources"));
            const auto& space = child_of(resources, "space");
            const auto shown = [&](const char* what) {
              const auto number = number_of(space, what);
              return *bytes ? std::to_string(number) : size_text(number);
            };
            print(yaml_text({{"info",
                              {{"description", text_of(pool, "description")},
                               {"driver", text_of(pool, "driver")},
                               {"name", text_of(pool, "name")},
                               {"space used", shown("used")},
                               {"total space", shown("total")}}},
                             {"used by", users_by_kind(child_of(pool, "used_by"))}}));
            return 0;
          },
          .commands = {}};
}

}  // namespace

Command storage_command() {
  return group("storage", "Look at storage pools", {list_pools(), show_pool(), info_pool()});
}

}  // namespace berth::cli
