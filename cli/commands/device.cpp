#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

// `config device` and `profile device`: the same verbs on the devices of an instance or a profile.

namespace berth::cli {
namespace {

/// Whose devices: an instance's, which may come from its profiles, or a profile's.
struct Owner {
  bool profile = false;

  std::string path(const std::string& name) const { return api_path(profile ? "profiles" : "instances", name); }
  Shape put() const { return profile ? kProfilePut : kInstancePut; }
  const char* noun() const { return profile ? "profile" : "instance"; }
};

/// Why a device cannot be used: it is a profile's, and `refusal` says what that means, or nobody's.
Error no_device(const Json& object, const std::string& device, const std::string& refusal) {
  if (child_of(object, "expanded_devices").contains(device))
    return Error{Code::NotFound, "Device from profile(s) cannot be " + refusal};
  return Error{Code::NotFound, "Device doesn't exist"};
}

constexpr const char* kNoRemoval = "removed from individual instance. Override device or modify profile instead";
constexpr const char* kNoChange = "modified for individual instance. Override device or modify profile instead";
constexpr const char* kNoReading = "retrieved for individual instance";

/// Lets `change` work on the devices of an object and puts it back.
Result<void> change_devices(Server& server, const Owner& owner, const std::string& name,
                            const std::function<Result<void>(const Json& object, Json& devices)>& change) {
  BERTH_TRY(const auto object, server.get_tagged(owner.path(name)));
  auto part = pick(object.value, owner.put());
  auto& devices = part["devices"];
  if (!devices.is_object()) devices = Json::object();
  BERTH_CHECK(change(object.value, devices));
  if (const auto done = server.send("PUT", owner.path(name), part, object.etag); !done) return done.error();
  return {};
}

/// The first argument is the owner's name; the others are the verb's.
Command verb(const Owner& owner, std::string name, std::string arguments, std::string summary, std::string examples,
             std::size_t least, std::size_t most,
             std::function<Result<void>(Context&, Server&, const std::string&, const Strings&)> work) {
  const std::string place = owner.profile ? "profile device " : "config device ";
  if (!examples.empty()) examples = "berth " + place + examples;
  return {.name = std::move(name),
          .aliases = {},
          .arguments = std::string("[<remote>:]<") + owner.noun() + ">" + (arguments.empty() ? "" : ' ' + arguments),
          .summary = std::move(summary),
          .description = "",
          .examples = std::move(examples),
          .least = least,
          .most = most,
          .flags = {},
          .run = [owner, work = std::move(work)](Context& context, const Strings& given) -> Result<int> {
            BERTH_TRY(const auto subject, context.named(given.front(), owner.noun()));
            BERTH_CHECK(work(context, *subject.server, subject.name, Strings(given.begin() + 1, given.end())));
            return 0;
          },
          .commands = {}};
}

Command add_verb(const Owner& owner) {
  return verb(
      owner, "add", "<device> <type> [key=value...]", std::string("Add ") + owner.noun() + " devices",
      owner.profile ? "add web eth0 nic nictype=bridged parent=br0" : "add web data disk source=/share/web path=/srv",
      3, Command::kAny,
      [owner](Context& context, Server& server, const std::string& name, const Strings& rest) -> Result<void> {
        Json device{{"type", rest[1]}};
        for (std::size_t i = 2; i < rest.size(); ++i) {
          BERTH_TRY(const auto pair, pair_of(rest[i]));
          device[pair.first] = pair.second;
        }
        BERTH_CHECK(change_devices(server, owner, name, [&](const Json&, Json& devices) -> Result<void> {
          if (devices.contains(rest[0])) return Error{Code::AlreadyExists, "The device already exists"};
          devices[rest[0]] = device;
          return {};
        }));
        context.tell("Device " + rest[0] + " added to " + name);
        return {};
      });
}

Command remove_verb(const Owner& owner) {
  auto command =
      verb(owner, "remove", "<name>...", std::string("Remove ") + owner.noun() + " devices", "remove web data", 2,
           Command::kAny,
           [owner](Context& context, Server& server, const std::string& name, const Strings& rest) -> Result<void> {
             BERTH_CHECK(change_devices(server, owner, name, [&](const Json& object, Json& devices) -> Result<void> {
               for (const auto& device : rest)
                 if (devices.erase(device) == 0) return no_device(object, device, kNoRemoval);
               return {};
             }));
             context.tell("Device " + join(rest, ", ") + " removed from " + name);
             return {};
           });
  command.aliases = {"rm"};
  return command;
}

Command set_verb(const Owner& owner) {
  return verb(owner, "set", "<device> <key>=<value>...", "Set device configuration keys", "set web data path=/srv/www",
              3, Command::kAny,
              [owner](Context&, Server& server, const std::string& name, const Strings& rest) -> Result<void> {
                BERTH_TRY(const auto pairs, settings_of(Strings(rest.begin() + 1, rest.end())));
                return change_devices(server, owner, name, [&](const Json& object, Json& devices) -> Result<void> {
                  if (!devices.contains(rest[0])) return no_device(object, rest[0], kNoChange);
                  for (const auto& [key, value] : pairs) set_key(devices[rest[0]], key, value);
                  return {};
                });
              });
}

Command unset_verb(const Owner& owner) {
  return verb(owner, "unset", "<device> <key>", "Unset device configuration keys", "unset web data readonly", 3, 3,
              [owner](Context&, Server& server, const std::string& name, const Strings& rest) -> Result<void> {
                return change_devices(server, owner, name, [&](const Json& object, Json& devices) -> Result<void> {
                  if (!devices.contains(rest[0])) return no_device(object, rest[0], kNoChange);
                  return unset_key(devices[rest[0]], rest[1]);
                });
              });
}

Command get_verb(const Owner& owner) {
  return verb(owner, "get", "<device> <key>", "Get values for device configuration keys", "get web data path", 3, 3,
              [owner](Context&, Server& server, const std::string& name, const Strings& rest) -> Result<void> {
                BERTH_TRY(const auto object, server.get(owner.path(name)));
                const auto& device = child_of(child_of(object, "devices"), rest[0]);
                if (!device.is_object()) return no_device(object, rest[0], kNoReading);
                print_foreign(text_of(device, rest[1]) + '\n');
                return {};
              });
}

Command list_verb(const Owner& owner) {
  auto command = verb(owner, "list", "", std::string("List ") + owner.noun() + " devices", "list web", 1, 1,
                      [owner](Context&, Server& server, const std::string& name, const Strings&) -> Result<void> {
                        BERTH_TRY(const auto object, server.get(owner.path(name)));
                        Strings names;
                        if (const auto& devices = child_of(object, "devices"); devices.is_object())
                          for (const auto& [device, keys] : devices.items()) names.push_back(printable(device));
                        print(join(names, "\n") + '\n');
                        return {};
                      });
  command.aliases = {"ls"};
  return command;
}

Command show_verb(const Owner& owner) {
  return verb(owner, "show", "", "Show full device configuration", "show web", 1, 1,
              [owner](Context&, Server& server, const std::string& name, const Strings&) -> Result<void> {
                BERTH_TRY(const auto object, server.get(owner.path(name)));
                const auto& devices = child_of(object, "devices");
                print(yaml_text(devices.is_object() ? devices : Json::object()));
                return {};
              });
}

Command override_verb(const Owner& owner) {
  return verb(owner, "override", "<device> [key=value...]",
              "Copy profile inherited devices and override configuration keys", "override web root size=10GiB", 2,
              Command::kAny,
              [owner](Context& context, Server& server, const std::string& name, const Strings& rest) -> Result<void> {
                BERTH_CHECK(change_devices(server, owner, name, [&](const Json& object, Json& devices) -> Result<void> {
                  if (devices.contains(rest[0])) return Error{Code::AlreadyExists, "The device already exists"};
                  const auto& inherited = child_of(child_of(object, "expanded_devices"), rest[0]);
                  if (!inherited.is_object()) return Error{Code::NotFound, "The profile device doesn't exist"};
                  devices[rest[0]] = inherited;
                  for (std::size_t i = 1; i < rest.size(); ++i) {
                    BERTH_TRY(const auto pair, pair_of(rest[i]));
                    devices[rest[0]][pair.first] = pair.second;
                  }
                  return {};
                }));
                context.tell("Device " + rest[0] + " overridden for " + name);
                return {};
              });
}

}  // namespace

Command device_command(bool of_profile) {
  const Owner owner{.profile = of_profile};
  auto command = group("device", "Manage devices",
                       {add_verb(owner), remove_verb(owner), set_verb(owner), unset_verb(owner), get_verb(owner),
                        list_verb(owner), show_verb(owner)});
  if (!of_profile) command.commands.push_back(override_verb(owner));
  return command;
}

}  // namespace berth::cli
