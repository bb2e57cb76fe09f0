#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/output/text.hpp"

namespace berth::cli {
namespace {

Error missing(const std::string& alias) { return {Code::NotFound, "Alias " + printable(alias) + " doesn't exist"}; }
Error taken(const std::string& alias) { return {Code::AlreadyExists, "Alias " + printable(alias) + " already exists"}; }

Command add_alias() {
  return {.name = "add",
          .aliases = {},
          .arguments = "<alias> <target>",
          .summary = "Add new aliases",
          .description = "What is typed behind the alias comes behind its target, or where that has @ARGS@.",
          .examples = "berth alias add ll \"list -c ns46S\"\n\nberth alias add sh \"exec @ARGS@ -- sh\"",
          .least = 2,
          .most = 2,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(auto* const configuration, context.configuration());
            if (!configuration->aliases.emplace(arguments[0], arguments[1]).second) return taken(arguments[0]);
            BERTH_CHECK(configuration->save());
            return 0;
          },
          .commands = {}};
}

Command list_aliases() {
  const auto format = std::make_shared<std::string>("table");
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "",
          .summary = "List aliases",
          .description = "",
          .examples = "berth alias list",
          .least = 0,
          .most = 0,
          .flags = {format_flag(format.get())},
          .run = [format](Context& context, const Strings&) -> Result<int> {
            BERTH_TRY(const auto* const configuration, context.configuration());
            Listing listing{
                .header = {"ALIAS", "TARGET"}, .rows = {}, .objects = Json(configuration->aliases), .shape = {}};
            for (const auto& [name, target] : configuration->aliases)
              listing.rows.push_back({printable(name), printable(target)});
            sort_rows(listing.rows);
            return print_listing(listing, *format);
          },
          .commands = {}};
}

Command remove_alias() {
  return {.name = "remove",
          .aliases = {"rm"},
          .arguments = "<alias>",
          .summary = "Remove aliases",
          .description = "",
          .examples = "berth alias remove ll",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(auto* const configuration, context.configuration());
            if (configuration->aliases.erase(arguments[0]) == 0) return missing(arguments[0]);
            BERTH_CHECK(configuration->save());
            return 0;
          },
          .commands = {}};
}

Command rename_alias() {
  return {.name = "rename",
          .aliases = {"mv"},
          .arguments = "<old alias> <new alias>",
          .summary = "Rename aliases",
          .description = "",
          .examples = "berth alias rename ll long",
          .least = 2,
          .most = 2,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(auto* const configuration, context.configuration());
            auto& aliases = configuration->aliases;
            if (!aliases.contains(arguments[0])) return missing(arguments[0]);
            if (aliases.contains(arguments[1])) return taken(arguments[1]);
            aliases[arguments[1]] = aliases[arguments[0]];
            aliases.erase(arguments[0]);
            BERTH_CHECK(configuration->save());
            return 0;
          },
          .commands = {}};
}

}  // namespace

Command alias_command() {
  return group("alias", "Manage command aliases", {add_alias(), list_aliases(), remove_alias(), rename_alias()});
}

}  // namespace berth::cli
