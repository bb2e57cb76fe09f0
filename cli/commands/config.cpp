#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

namespace berth::cli {
namespace {

/// What a command is about: the instance or the snapshot of a name, or the server.
struct Subject {
  Place place;

  bool is_server() const { return place.name.empty(); }
  bool is_snapshot() const { return is_snapshot_name(place.name); }
  std::string path() const { return is_server() ? "/1.0" : instance_path(place.name); }
  Shape put() const { return is_server() ? kServerPut : kInstancePut; }
};

Result<Subject> subject_of(Context& context, const std::string& argument) {
  BERTH_TRY(auto place, context.place(argument));
  return Subject{.place = std::move(place)};
}

/// The text of a server's or an instance's key. Server values may be numbers and booleans.
std::string value_text(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  return value.is_null() ? "" : value.dump();
}

Command show_config() {
  const auto expanded = std::make_shared<bool>(false);
  return {.name = "show",
          .aliases = {},
          .arguments = "[<remote>:][<instance>[/<snapshot>]]",
          .summary = "Show instance or server configurations",
          .description = "",
          .examples = "berth config show web\n\nberth config show web --expanded\n    With what the profiles say.",
          .least = 0,
          .most = 1,
          .flags = {{"-e,--expanded", expanded.get(), "Show the expanded configuration"}},
          .run = [expanded](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto subject, subject_of(context, arguments.empty() ? "" : arguments.front()));
            BERTH_TRY(auto object, subject.place.server->get(subject.path()));
            if (*expanded && !subject.is_server()) {
              object["config"] = child_of(object, "expanded_config");
              object["devices"] = child_of(object, "expanded_devices");
            }
            const auto shape = subject.is_snapshot() ? kSnapshot : subject.put();
            print(yaml_text(pick(object, shape), shape));
            return 0;
          },
          .commands = {}};
}

Command get_config() {
  const auto expanded = std::make_shared<bool>(false);
  return {
      .name = "get",
      .aliases = {},
      .arguments = "[<remote>:][<instance>] <key>",
      .summary = "Get values for instance or server configuration keys",
      .description = "",
      .examples = "berth config get web limits.memory",
      .least = 1,
      .most = 2,
      .flags = {{"-e,--expanded", expanded.get(), "Access the expanded configuration"}},
      .run = [expanded](Context& context, const Strings& arguments) -> Result<int> {
        BERTH_TRY(const auto subject, subject_of(context, arguments.size() > 1 ? arguments.front() : ""));
        BERTH_TRY(const auto object, subject.place.server->get(subject.path()));
        if (*expanded && subject.is_server())
          return Error{Code::InvalidArgument, "--expanded cannot be used with a server"};
        print_foreign(
            value_text(child_of(child_of(object, *expanded ? "expanded_config" : "config"), arguments.back())) + '\n');
        return 0;
      },
      .commands = {}};
}

/// Splits the arguments of `set` into whom it is about and the settings. A name of an instance has neither `=` nor `.`,
/// so `core.x y` is a setting of the server, and `web limits.cpu 2` one of an instance.
Result<std::pair<Subject, Strings>> set_arguments(Context& context, const Strings& arguments) {
  const auto& first = arguments.front();
  const bool server = first.find('=') != std::string::npos ||
                      (first.find('.') != std::string::npos && first.find(':') == std::string::npos);
  if (server) {
    BERTH_TRY(auto subject, subject_of(context, ""));
    return std::pair(std::move(subject), arguments);
  }
  BERTH_TRY(auto subject, subject_of(context, first));
  if (arguments.size() < 2) return Error{Code::InvalidArgument, "Invalid number of arguments"};
  return std::pair(std::move(subject), Strings(arguments.begin() + 1, arguments.end()));
}

Command set_config() {
  return {.name = "set",
          .aliases = {},
          .arguments = "[<remote>:][<instance>] <key>=<value>...",
          .summary = "Set instance or server configuration keys",
          .description =
              "A single key may also be set as: berth config set [<remote>:][<instance>] <key> <value>\nThe value - is "
              "read from standard input.",
          .examples =
              "berth config set web limits.cpu=2 limits.memory=1GiB\n\nberth config set "
              "images.auto_update_interval=0\n    Set a key of the server.",
          .least = 1,
          .most = Command::kAny,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto parts, set_arguments(context, arguments));
            const auto& subject = parts.first;
            BERTH_TRY(const auto pairs, settings_of(parts.second));
            BERTH_CHECK(
                change_object(*subject.place.server, subject.path(), subject.put(), [&](Json& object) -> Result<void> {
                  for (const auto& [key, value] : pairs) set_key(object["config"], key, value);
                  return {};
                }));
            return 0;
          },
          .commands = {}};
}

Command unset_config() {
  return {.name = "unset",
          .aliases = {},
          .arguments = "[<remote>:][<instance>] <key>",
          .summary = "Unset instance or server configuration keys",
          .description = "",
          .examples = "berth config unset web limits.cpu",
          .least = 1,
          .most = 2,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto subject, subject_of(context, arguments.size() > 1 ? arguments.front() : ""));
            BERTH_CHECK(
                change_object(*subject.place.server, subject.path(), subject.put(), [&](Json& object) -> Result<void> {
                  // The server takes no offence at a key that it does not have.
                  if (!subject.is_server()) return unset_key(object["config"], arguments.back());
                  object["config"].erase(arguments.back());
                  return {};
                }));
            return 0;
          },
          .commands = {}};
}

constexpr const char* kInstanceHelp =
    R"(This is a YAML representation of the configuration.
Any line starting with a '#' will be ignored.

A sample configuration looks like:
config:
  limits.cpu: "2"
devices:
  data:
    path: /srv
    source: /share/web
    type: disk
ephemeral: false
profiles:
- default)";

constexpr const char* kServerHelp =
    R"(This is a YAML representation of the configuration.
Any line starting with a '#' will be ignored.

A sample configuration looks like:
config:
  images.auto_update_interval: "0")";

constexpr const char* kSnapshotHelp =
    R"(This is a YAML representation of the snapshot.
Any line starting with a '#' will be ignored.

A sample configuration looks like:
expires_at: 2030-01-01T12:00:00Z)";

Command edit_config() {
  return {.name = "edit",
          .aliases = {},
          .arguments = "[<remote>:][<instance>[/<snapshot>]]",
          .summary = "Edit instance or server configurations as YAML",
          .description = "",
          .examples =
              "berth config edit web\n\nberth config edit web < web.yaml\n    Update the instance configuration from "
              "web.yaml.",
          .least = 0,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto subject, subject_of(context, arguments.empty() ? "" : arguments.front()));
            if (subject.is_snapshot())
              return edit_object(*subject.place.server, subject.path(), kSnapshotPut, kSnapshotPut, kSnapshotHelp);
            return edit_object(*subject.place.server, subject.path(), subject.put(), subject.put(),
                               subject.is_server() ? kServerHelp : kInstanceHelp);
          },
          .commands = {}};
}

}  // namespace

Command config_command() {
  return group("config", "Manage instance and server configuration options",
               {show_config(), get_config(), set_config(), unset_config(), edit_config(), device_command(false),
                metadata_command(), template_command(), trust_command()});
}

}  // namespace berth::cli
