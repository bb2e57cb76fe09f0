#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/terminal.hpp"

#include <iostream>

namespace berth::cli {
namespace {

struct Flags {
  bool force = false;
  bool interactive = false;
};

/// Asks on the terminal. Errors: Cancelled for everything but yes.
Result<void> confirm(const std::string& name) {
  print("Remove " + printable(name) + " (yes/no): ");
  BERTH_CHECK(flush_output());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes" || answer == "y") return {};
  return Error{Code::Cancelled, "User aborted delete operation"};
}

Result<void> remove(const Place& place, const Flags& flags) {
  auto& server = *place.server;
  const auto& name = place.name;
  const auto path = instance_path(name);
  if (is_snapshot_name(name)) {
    if (const auto done = server.send("DELETE", path, nullptr, {}, "Deleting " + name); !done) return done.error();
    return {};
  }
  auto found = server.get(path);
  if (!found)
    return std::move(found).error().within("Failed checking instance exists \"" + place.remote + ':' + name + '"');
  const auto& instance = *found;
  const auto status = text_of(instance, "status");
  if (status != "Stopped" && status != "Error") {
    if (!flags.force)
      return Error{Code::FailedPrecondition, "The instance is currently running, stop it first or pass --force"};
    const Json stop{{"action", "stop"}, {"force", true}, {"timeout", -1}};
    auto stopped = server.send("PUT", path + "/state", stop, {}, "Stopping " + name);
    if (!stopped) return std::move(stopped).error().within("Stopping the instance failed");
    // An ephemeral instance goes with its stop.
    if (flag_of(instance, "ephemeral")) return {};
  }
  if (const auto done = server.send("DELETE", path, nullptr, {}, "Deleting " + name); !done) return done.error();
  return {};
}

}  // namespace

Command delete_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "delete",
          .aliases = {"rm"},
          .arguments = "[<remote>:]<instance>[/<snapshot>] [[<remote>:]<instance>[/<snapshot>]...]",
          .summary = "Delete instances and snapshots",
          .description = "",
          .examples =
              "berth delete web\n\nberth delete web/before\n    Delete a snapshot.\n\nberth delete --force web db\n    "
              "Stop them first, without asking them.",
          .least = 1,
          .most = Command::kAny,
          .flags = {{"-f,--force", &flags->force, "Force the removal of running instances"},
                    {"-i,--interactive", &flags->interactive, "Require user confirmation"}},
          .run = [flags](Context& context, const Strings& arguments) -> Result<int> {
            for (const auto& argument : arguments) {
              BERTH_TRY(const auto place, context.named(argument, "instance"));
              if (flags->interactive) BERTH_CHECK(confirm(place.name));
              BERTH_CHECK(remove(place, *flags));
            }
            return 0;
          },
          .commands = {}};
}

}  // namespace berth::cli
