#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"

namespace berth::cli {
namespace {

struct Flags {
  bool stateful = false;
  bool no_expiry = false;
  bool reuse = false;
};

Result<int> snapshot(Context& context, const Flags& flags, const Strings& arguments) {
  BERTH_TRY(const auto place, context.named(arguments.front(), "instance"));
  auto& server = *place.server;
  const auto name = arguments.size() > 1 ? arguments[1] : std::string();
  if (flags.reuse && !name.empty()) {
    const auto path = instance_path(place.name + '/' + name);
    const auto found = server.get(path);
    if (!found && found.error().code != Code::NotFound) return found.error();
    if (found) BERTH_CHECK(server.send("DELETE", path, nullptr, {}, "Deleting snapshot " + name));
  }
  Json body{{"name", name}, {"stateful", flags.stateful}};
  if (flags.no_expiry) body["expires_at"] = "0001-01-01T00:00:00Z";
  BERTH_CHECK(
      server.send("POST", api_path("instances", place.name) + "/snapshots", body, {}, "Snapshotting " + place.name));
  return 0;
}

}  // namespace

Command snapshot_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "snapshot",
          .aliases = {},
          .arguments = "[<remote>:]<instance> [<snapshot name>]",
          .summary = "Create instance snapshots",
          .description = "The instance may run. Without a name the snapshot is called by the instance's pattern.",
          .examples = "berth snapshot web before\n    Create a snapshot of \"web\" called \"before\".",
          .least = 1,
          .most = 2,
          .flags = {{"--no-expiry", &flags->no_expiry, "Ignore any configured auto-expiry for the instance"},
                    {"--reuse", &flags->reuse, "If the snapshot name already exists, delete and create a new one"},
                    {"--stateful", &flags->stateful, "Whether or not to snapshot the instance's running state"}},
          .run = [flags](Context& context, const Strings& arguments) { return snapshot(context, *flags, arguments); },
          .commands = {}};
}

Command restore_command() {
  const auto stateful = std::make_shared<bool>(false);
  return {
      .name = "restore",
      .aliases = {},
      .arguments = "[<remote>:]<instance> <snapshot>",
      .summary = "Restore instances from snapshots",
      .description = "An instance that runs is stopped for it, and started again.",
      .examples = "berth snapshot web before\n    Create the snapshot.\n\nberth restore web before\n    Go back to it.",
      .least = 2,
      .most = 2,
      .flags = {{"--stateful", stateful.get(),
                 "Whether or not to restore the instance's running state from snapshot (if available)"}},
      .run = [stateful](Context& context, const Strings& arguments) -> Result<int> {
        BERTH_TRY(const auto place, context.named(arguments[0], "instance"));
        const auto snapshot = is_snapshot_name(arguments[1]) ? arguments[1] : place.name + '/' + arguments[1];
        BERTH_CHECK(place.server->send("PUT", api_path("instances", place.name),
                                       Json{{"restore", snapshot}, {"stateful", *stateful}}, {},
                                       "Restoring " + place.name));
        return 0;
      },
      .commands = {}};
}

}  // namespace berth::cli
