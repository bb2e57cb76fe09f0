#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/units.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

namespace berth::cli {
namespace {

Result<int> list(Context& context, const std::string& format, const Strings& arguments) {
  BERTH_TRY(const auto place, context.place(arguments.empty() ? "" : arguments.front()));
  if (!place.name.empty()) return Error{Code::InvalidArgument, "Filtering isn't supported yet"};
  BERTH_TRY(const auto by_status, place.server->get("/1.0/operations?recursion=1"));
  Listing listing{.header = {"ID", "TYPE", "DESCRIPTION", "STATUS", "CANCELABLE", "CREATED"},
                  .rows = {},
                  .objects = Json::array(),
                  .shape = kOperation};
  for (const auto& operations : by_status) {
    for (const auto& operation : operations) {
      listing.objects.push_back(operation);
      listing.rows.push_back(
          {printable(text_of(operation, "id")), upper(printable(text_of(operation, "class"))),
           printable(text_of(operation, "description")), upper(printable(text_of(operation, "status"))),
           flag_of(operation, "may_cancel") ? "YES" : "NO", minute_text(text_of(operation, "created_at"))});
    }
  }
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

Command list_operations() {
  const auto format = std::make_shared<std::string>("table");
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "[<remote>:]",
          .summary = "List background operations",
          .description = "",
          .examples = "berth operation list",
          .least = 0,
          .most = 1,
          .flags = {format_flag(format.get())},
          .run = [format](Context& context, const Strings& arguments) { return list(context, *format, arguments); },
          .commands = {}};
}

Command show_operation() {
  return {.name = "show",
          .aliases = {},
          .arguments = "[<remote>:]<operation>",
          .summary = "Show details on a background operation",
          .description = "",
          .examples = "berth operation show 344a79e4-d88a-45bf-9c39-c72c26f6ab8a",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto place, context.named(arguments.front(), "operation"));
            BERTH_TRY(const auto operation, place.server->get(api_path("operations", place.name)));
            print(yaml_text(operation, kOperation));
            return 0;
          },
          .commands = {}};
}

Command delete_operation() {
  return {.name = "delete",
          .aliases = {"cancel", "rm"},
          .arguments = "[<remote>:]<operation>",
          .summary = "Delete a background operation (will attempt to cancel)",
          .description = "",
          .examples = "berth operation delete 344a79e4-d88a-45bf-9c39-c72c26f6ab8a",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto place, context.named(arguments.front(), "operation"));
            BERTH_CHECK(place.server->send("DELETE", api_path("operations", place.name), nullptr));
            context.tell("Operation " + place.name + " deleted");
            return 0;
          },
          .commands = {}};
}

}  // namespace

Command operation_command() {
  return group("operation", "List, show and delete background operations",
               {list_operations(), show_operation(), delete_operation()});
}

}  // namespace berth::cli
