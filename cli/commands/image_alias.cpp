#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/image_names.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

Result<int> list(Context& context, const std::string& format, const Strings& arguments) {
  BERTH_TRY(const auto asked, filters_of(context, arguments));
  const auto& filters = asked.filters;
  BERTH_TRY(const auto aliases, asked.server->get("/1.0/images/aliases?recursion=1"));
  Listing listing{
      .header = {"ALIAS", "FINGERPRINT", "TYPE", "DESCRIPTION"}, .rows = {}, .objects = Json::array(), .shape = kAlias};
  for (const auto& alias : aliases) {
    const auto name = text_of(alias, "name");
    const auto target = text_of(alias, "target");
    const bool kept = std::all_of(filters.begin(), filters.end(), [&](const std::string& filter) {
      return name.find(filter) != std::string::npos || target.find(filter) != std::string::npos;
    });
    if (!kept) continue;
    const auto type = text_of(alias, "type");
    listing.rows.push_back({printable(name), printable(target).substr(0, 12),
                            upper(printable(type.empty() ? "container" : type)),
                            printable(text_of(alias, "description"))});
    listing.objects.push_back(alias);
  }
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

Command list_aliases() {
  const auto format = std::make_shared<std::string>("table");
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "[<remote>:] [<filters>...]",
          .summary = "List image aliases",
          .description = "Filters may be part of the image hash or part of the image alias name.",
          .examples = "berth image alias list",
          .least = 0,
          .most = Command::kAny,
          .flags = {format_flag(format.get())},
          .run = [format](Context& context, const Strings& arguments) { return list(context, *format, arguments); },
          .commands = {}};
}

Command create_alias() {
  return {.name = "create",
          .aliases = {},
          .arguments = "[<remote>:]<alias> <fingerprint>",
          .summary = "Create aliases for existing images",
          .description = "",
          .examples = "berth image alias create debian 5c2f840ecdd2",
          .least = 2,
          .most = 2,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto place, context.named(arguments[0], "alias"));
            BERTH_TRY(const auto fingerprint, resolve_image(*place.server, arguments[1]));
            BERTH_CHECK(place.server->send("POST", "/1.0/images/aliases",
                                           Json{{"name", place.name}, {"target", fingerprint}, {"description", ""}}));
            return 0;
          },
          .commands = {}};
}

Command delete_alias() {
  return {.name = "delete",
          .aliases = {"rm"},
          .arguments = "[<remote>:]<alias>",
          .summary = "Delete image aliases",
          .description = "The image stays.",
          .examples = "berth image alias delete debian",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto place, context.named(arguments[0], "alias"));
            BERTH_CHECK(place.server->send("DELETE", api_path("images/aliases", place.name), nullptr));
            return 0;
          },
          .commands = {}};
}

Command rename_alias() {
  return {
      .name = "rename",
      .aliases = {"mv"},
      .arguments = "[<remote>:]<alias> <new-name>",
      .summary = "Rename aliases",
      .description = "",
      .examples = "berth image alias rename debian debian-12",
      .least = 2,
      .most = 2,
      .flags = {},
      .run = [](Context& context, const Strings& arguments) -> Result<int> {
        BERTH_TRY(const auto place, context.named(arguments[0], "alias"));
        BERTH_CHECK(place.server->send("POST", api_path("images/aliases", place.name), Json{{"name", arguments[1]}}));
        return 0;
      },
      .commands = {}};
}

}  // namespace

Command image_alias_command() {
  return group("alias", "Manage image aliases", {list_aliases(), create_alias(), delete_alias(), rename_alias()});
}

}  // namespace berth::cli
