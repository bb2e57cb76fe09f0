#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"

#include <algorithm>
#include <utility>

// `copy`, `move` and `rename` of instances and snapshots.

namespace berth::cli {
namespace {

struct Flags {
  Strings config, devices, profiles;
  std::string mode = "pull";
  std::string storage, target, target_project;
  bool ephemeral = false;
  bool instance_only = false;
  bool no_profiles = false;
  bool refresh = false;
  bool stateless = false;
  bool allow_inconsistent = false;
};

/// What may not go into a copy: what the original's own life has made.
bool is_copied(std::string_view key, bool keep_volatile) {
  return keep_volatile || !key.starts_with("volatile.") || key == "volatile.base_image" ||
         key == "volatile.last_state.idmap";
}

/// The device of that name, of the instance itself or of its profiles, to be changed.
Result<Json*> device_of(const Json& original, Json& devices, const std::string& name) {
  if (!devices.contains(name)) {
    const auto& inherited = child_of(child_of(original, "expanded_devices"), name);
    if (!inherited.is_object())
      return Error{Code::NotFound,
                   "Cannot override config for device \"" + name + "\": Device not found in profile devices"};
    devices[name] = inherited;
  }
  return &devices[name];
}

/// `name,key=value[,key=value]` of `--device`.
Result<void> override_device(const Json& original, Json& devices, const std::string& text) {
  const auto parts = split(text, ',');
  if (parts.size() < 2)
    return Error{Code::InvalidArgument, "Bad device override syntax, expecting <device>,<key>=<value>: " + text};
  BERTH_TRY(auto* const device, device_of(original, devices, parts.front()));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    BERTH_TRY(const auto pair, pair_of(parts[i]));
    set_key(*device, pair.first, pair.second);
  }
  return {};
}

Result<void> use_pool(const Json& original, Json& devices, const std::string& pool) {
  const auto& all = child_of(original, "expanded_devices");
  if (all.is_object())
    for (const auto& [name, device] : all.items())
      if (text_of(device, "type") == "disk" && text_of(device, "path") == "/") {
        BERTH_TRY(auto* const root, device_of(original, devices, name));
        set_key(*root, "pool", pool);
        return {};
      }
  devices["root"] = {{"type", "disk"}, {"path", "/"}, {"pool", pool}};
  return {};
}

/// The copy's own part, as the flags change the original's.
Result<Json> part_of_copy(const Json& original, const Flags& flags, bool keep_volatile) {
  auto part = Json{{"architecture", text_of(original, "architecture")},
                   {"config", Json::object()},
                   {"description", text_of(original, "description")},
                   {"ephemeral", flags.ephemeral || (keep_volatile && flag_of(original, "ephemeral"))},
                   {"stateful", flag_of(original, "stateful") && !flags.stateless}};
  if (const auto& config = child_of(original, "config"); config.is_object())
    for (const auto& [key, value] : config.items())
      if (is_copied(key, keep_volatile)) part["config"][key] = value;
  auto devices = child_of(original, "devices");
  if (!devices.is_object()) devices = Json::object();
  part["profiles"] = child_of(original, "profiles");
  if (!flags.profiles.empty()) part["profiles"] = flags.profiles;
  if (flags.no_profiles) part["profiles"] = Json::array();
  for (const auto& text : flags.config) {
    BERTH_TRY(const auto pair, pair_of(text));
    set_key(part["config"], pair.first, pair.second);
  }
  for (const auto& text : flags.devices) BERTH_CHECK(override_device(original, devices, text));
  if (!flags.storage.empty()) BERTH_CHECK(use_pool(original, devices, flags.storage));
  part["devices"] = std::move(devices);
  return part;
}

/// A refreshed copy gets the original's configuration, but keeps what its own life has made.
Result<void> refresh_part(Server& server, const std::string& name, Json part) {
  BERTH_TRY(const auto object, server.get_tagged(api_path("instances", name)));
  if (const auto& config = child_of(object.value, "config"); config.is_object())
    for (const auto& [key, value] : config.items())
      if (key.starts_with("volatile.")) part["config"][key] = value;
  if (const auto done = server.send("PUT", api_path("instances", name), part, object.etag); !done) return done.error();
  return {};
}

/// Makes the copy; `keep_volatile` when the original goes.
Result<void> copy(Context& context, const Flags& flags, const Place& from, Place to, bool keep_volatile) {
  if (!flags.target.empty()) return Error{Code::NotSupported, "--target needs a cluster, and this server is in none"};
  if (flags.mode != "pull" && flags.mode != "push" && flags.mode != "relay")
    return Error{Code::InvalidArgument, "--mode is one of pull, push and relay"};
  if (from.remote != to.remote)
    return Error{Code::NotSupported, "Instances are not copied from server to server; use berth export on " +
                                         from.remote + ": and berth import on " + to.remote + ':'};
  const bool of_snapshot = is_snapshot_name(from.name);
  if (flags.refresh && of_snapshot) return Error{Code::InvalidArgument, "--refresh can only be used with instances"};
  auto& server = *from.server;
  BERTH_TRY(const auto original, server.get(instance_path(from.name)));
  BERTH_TRY(const auto part, part_of_copy(original, flags, keep_volatile));
  auto body = part;
  body["name"] = to.name;
  body["source"] = {{"type", "copy"},
                    {"source", from.name},
                    {"base-image", text_of(child_of(original, "config"), "volatile.base_image")},
                    {"live", part["stateful"]},
                    {"instance_only", flags.instance_only},
                    {"container_only", flags.instance_only},
                    {"allow_inconsistent", flags.allow_inconsistent},
                    {"refresh", flags.refresh}};
  std::string target = "/1.0/instances";
  if (!flags.target_project.empty()) {
    target += "?project=" + flags.target_project;
    body["source"]["project"] = server.project();
  }
  BERTH_TRY(const auto operation,
            server.send("POST", target, body, {}, (flags.refresh ? "Refreshing " : "Copying ") + from.name));
  if (flags.refresh) return refresh_part(server, to.name, part);
  if (!to.name.empty()) return {};
  const auto& urls = child_of(child_of(operation, "resources"), "instances");
  if (!urls.is_array() || urls.empty() || !urls.front().is_string())
    return Error{Code::Internal, "Failed to get instance name from server"};
  context.tell("Instance name is: " + name_in_url(urls.front().get<std::string>()));
  return {};
}

/// Where a copy goes: without a remote it stays where it is.
Result<Place> destination(Context& context, const Place& from, const std::string& argument) {
  BERTH_TRY(auto to, context.place(argument.find(':') == std::string::npos ? from.remote + ':' + argument : argument));
  if (to.name.empty() && to.remote != from.remote) to.name = from.name;
  return to;
}

/// A new name for an instance or a snapshot on its own server.
Result<void> rename(const Place& from, const std::string& to) {
  Json body{{"name", to}};
  if (is_snapshot_name(from.name)) {
    const auto parent = from.name.substr(0, from.name.find('/') + 1);
    if (!to.starts_with(parent))
      return Error{Code::InvalidArgument, "Invalid new snapshot name, parent must be the same as source"};
    body["name"] = to.substr(parent.size());
  } else if (is_snapshot_name(to)) {
    return Error{Code::InvalidArgument, "Invalid new instance name: " + to};
  }
  if (const auto done = from.server->send("POST", instance_path(from.name), body, {}, "Renaming " + from.name); !done)
    return done.error();
  return {};
}

/// Whether a move of an instance is one of its project alone, which a server may do by itself and without copying.
bool changes_project_only(const Flags& flags, const Place& from, const Place& to) {
  return to.remote == from.remote && !flags.target_project.empty() && flags.storage.empty() && flags.target.empty() &&
         !flags.instance_only && flags.config.empty() && flags.devices.empty() && flags.profiles.empty() && !flags.no_profiles &&
         !is_snapshot_name(from.name) && !is_snapshot_name(to.name);
}

Result<bool> has_extension(Server& server, const std::string& name) {
  BERTH_TRY(const auto facts, server.get("/1.0"));
  const auto& extensions = child_of(facts, "api_extensions");
  return std::find(extensions.begin(), extensions.end(), name) != extensions.end();
}

Result<int> move(Context& context, const Flags& flags, const Strings& arguments) {
  BERTH_TRY(const auto from, context.named(arguments[0], "instance"));
  BERTH_TRY(auto to, destination(context, from, arguments.size() > 1 ? arguments[1] : ""));
  if (to.remote == from.remote && flags.storage.empty() && flags.target.empty() && flags.target_project.empty()) {
    if (!flags.config.empty() || !flags.devices.empty() || !flags.profiles.empty() || flags.no_profiles)
      return Error{Code::InvalidArgument, "Can't override configuration or profiles in local rename"};
    if (to.name.empty()) return Error{Code::InvalidArgument, "Missing instance name"};
    BERTH_CHECK(rename(from, to.name));
    return 0;
  }
  if (to.name.empty()) to.name = from.name;
  if (changes_project_only(flags, from, to)) {
    BERTH_TRY(const bool by_itself, has_extension(*from.server, "instance_project_move"));
    if (by_itself) {
      const Json body{{"name", to.name}, {"migration", true}, {"project", flags.target_project}};
      if (auto done = from.server->send("POST", instance_path(from.name), body, {}, "Moving " + from.name); !done) return std::move(done).error();
      return 0;
    }
  }
  BERTH_CHECK(copy(context, flags, from, to, true));
  if (auto done = from.server->send("DELETE", instance_path(from.name), nullptr, {}, "Deleting " + from.name); !done)
    return std::move(done).error().within("Failed to delete original instance after copying it");
  return 0;
}

std::vector<Flag> flags_of(const std::shared_ptr<Flags>& flags) {
  return {{"--allow-inconsistent", &flags->allow_inconsistent, "Ignore copy errors for volatile files"},
          {"-c,--config", &flags->config, "Config key/value to apply to the new instance"},
          {"-d,--device", &flags->devices, "New key/value to apply to a specific device"},
          {"--instance-only,--container-only", &flags->instance_only, "Take the instance without its snapshots"},
          {"--mode", &flags->mode, "Transfer mode. One of pull, push or relay"},
          {"--no-profiles", &flags->no_profiles, "Create the instance with no profiles applied"},
          {"-p,--profile", &flags->profiles, "Profile to apply to the new instance"},
          {"--stateless", &flags->stateless, "Copy a stateful instance stateless"},
          {"-s,--storage", &flags->storage, "Storage pool name"},
          {"--target", &flags->target, "Cluster member name"},
          {"--target-project", &flags->target_project, "Copy to a project different from the source"}};
}

}  // namespace

Command copy_command() {
  const auto flags = std::make_shared<Flags>();
  Command command{.name = "copy",
                  .aliases = {"cp"},
                  .arguments = "[<remote>:]<source>[/<snapshot>] [[<remote>:]<destination>]",
                  .summary = "Copy instances and snapshots",
                  .description = "",
                  .examples =
                      "berth copy web web2\n\nberth copy web/before old-web --ephemeral\n\n"
                      "berth copy web web2 --refresh\n    Bring the copy up to date.",
                  .least = 1,
                  .most = 2,
                  .flags = flags_of(flags)};
  command.flags.push_back({"-e,--ephemeral", &flags->ephemeral, "Ephemeral instance"});
  command.flags.push_back({"--refresh", &flags->refresh, "Perform an incremental copy"});
  command.run = [flags](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto from, context.named(arguments[0], "instance"));
    BERTH_TRY(auto to, destination(context, from, arguments.size() > 1 ? arguments[1] : ""));
    BERTH_CHECK(copy(context, *flags, from, std::move(to), false));
    return 0;
  };
  return command;
}

Command move_command() {
  const auto flags = std::make_shared<Flags>();
  Command command{.name = "move",
                  .aliases = {"mv"},
                  .arguments = "[<remote>:]<instance>[/<snapshot>] [<remote>:][<instance>[/<snapshot>]]",
                  .summary = "Move and rename instances and snapshots",
                  .description = "",
                  .examples =
                      "berth move web shop\n    Rename an instance.\n\n"
                      "berth move web/before web/tuesday\n    Rename a snapshot.",
                  .least = 1,
                  .most = 2,
                  .flags = flags_of(flags)};
  command.run = [flags](Context& context, const Strings& arguments) { return move(context, *flags, arguments); };
  return command;
}

Command rename_command() {
  return {.name = "rename",
          .aliases = {},
          .arguments = "[<remote>:]<instance>[/<snapshot>] <instance>[/<snapshot>]",
          .summary = "Rename instances and snapshots",
          .description = "An instance must be stopped.",
          .examples = "berth rename web shop\n\nberth rename web/before web/tuesday",
          .least = 2,
          .most = 2,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto from, context.named(arguments[0], "instance"));
            BERTH_TRY(const auto to, destination(context, from, arguments[1]));
            if (to.remote != from.remote)
              return Error{Code::InvalidArgument, "Can't specify a different remote for rename"};
            BERTH_CHECK(rename(from, to.name));
            return 0;
          },
          .commands = {}};
}

}  // namespace berth::cli
