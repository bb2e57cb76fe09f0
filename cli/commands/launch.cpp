#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/document.hpp"
#include "cli/image_names.hpp"
#include "cli/image_source.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/streams.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace berth::cli {
namespace {

struct Flags {
  Strings config, devices, profiles;
  std::string storage, type, network, console;
  bool ephemeral = false;
  bool empty = false;
  bool no_profiles = false;
};

/// `name,key=value[,key=value]` of `--device`, over what profiles and the document say of that device.
Result<void> add_device(Json& devices, const std::string& text) {
  const auto parts = split(text, ',');
  if (parts.size() < 2)
    return Error{Code::InvalidArgument, "Bad device override syntax, expecting <device>,<key>=<value>: " + text};
  auto& device = devices[parts.front()];
  for (std::size_t i = 1; i < parts.size(); ++i) {
    BERTH_TRY(const auto pair, pair_of(parts[i]));
    set_key(device, pair.first, pair.second);
  }
  return {};
}

/// Devices of the profiles that `--device` names: a part of a device is no device, so the rest comes from there.
Result<void> take_from_profiles(Server& server, const Strings& profiles, Json& devices) {
  for (auto& [name, device] : devices.items()) {
    if (device.contains("type")) continue;
    for (auto profile = profiles.rbegin(); profile != profiles.rend(); ++profile) {
      BERTH_TRY(const auto object, server.get(api_path("profiles", *profile)));
      const auto& inherited = child_of(child_of(object, "devices"), name);
      if (!inherited.is_object()) continue;
      auto whole = inherited;
      whole.update(device);
      device = std::move(whole);
      break;
    }
    if (!device.contains("type"))
      return Error{Code::InvalidArgument,
                   "Cannot override config for device \"" + name + "\": Device not found in profile devices"};
  }
  return {};
}

/// The root disk of `--storage`: the pool must be there.
Result<void> add_root(Server& server, const std::string& pool, Json& devices) {
  BERTH_TRY(const auto object, server.get(api_path("storage-pools", pool)));
  devices["root"] = {{"type", "disk"}, {"path", "/"}, {"pool", text_of(object, "name")}};
  return {};
}

/// The network card of `--network`: the network must be there.
Result<void> add_network(Server& server, const std::string& network, Json& devices) {
  BERTH_TRY(const auto object, server.get(api_path("networks", network)));
  Json device{{"type", "nic"}, {"name", "eth0"}};
  if (flag_of(object, "managed"))
    device["network"] = network;
  else
    device.update({{"nictype", text_of(object, "type") == "bridge" ? "bridged" : "macvlan"}, {"parent", network}});
  devices["eth0"] = std::move(device);
  return {};
}

/// What standard input says, when it is a file or a pipe.
Result<Json> given_document() {
  if (is_terminal(STDIN_FILENO)) return Json(Json::object());
  BERTH_TRY(const auto text, read_all(STDIN_FILENO));
  if (text.find_first_not_of(" \t\r\n") == std::string::npos) return Json(Json::object());
  return read_document(text, kInstanceDocument);
}

Result<Json> source_of(Server& server, const Flags& flags, const std::string& image) {
  if (flags.empty) {
    if (!image.empty()) return Error{Code::InvalidArgument, "--empty cannot be combined with an image name"};
    return Json{{"type", "none"}};
  }
  if (image.empty()) return Error{Code::InvalidArgument, "Missing image name"};
  const auto alias = server.get(api_path("images/aliases", image));
  if (alias) return Json{{"type", "image"}, {"alias", image}};
  BERTH_TRY(auto fingerprint, resolve_image(server, image));
  return Json{{"type", "image"}, {"fingerprint", std::move(fingerprint)}};
}

Result<Json> request_of(Server& server, const Flags& flags, Json source, const std::string& name) {
  BERTH_TRY(auto body, given_document());
  body["source"] = std::move(source);
  body["name"] = name;
  body["type"] = "container";
  if (!flags.type.empty()) body["instance_type"] = flags.type;
  body["ephemeral"] = flags.ephemeral;
  if (!flags.profiles.empty())
    body["profiles"] = flags.profiles;
  else if (flags.no_profiles)
    body["profiles"] = Json::array();
  for (const auto& argument : flags.config) {
    BERTH_TRY(const auto pair, pair_of(argument));
    set_key(body["config"], pair.first, pair.second);
  }
  auto overrides = Json::object();
  for (const auto& argument : flags.devices) BERTH_CHECK(add_device(overrides, argument));
  auto& devices = body["devices"];
  if (!devices.is_object()) devices = Json::object();
  if (!flags.network.empty()) BERTH_CHECK(add_network(server, flags.network, devices));
  if (!flags.storage.empty()) BERTH_CHECK(add_root(server, flags.storage, devices));
  for (auto& [device, keys] : overrides.items()) {
    if (!devices.contains(device)) continue;
    auto whole = devices[device];
    whole.update(keys);
    keys = std::move(whole);
  }
  const auto profiles = body.contains("profiles") ? body["profiles"].get<Strings>() : Strings{"default"};
  BERTH_CHECK(take_from_profiles(server, profiles, overrides));
  devices.update(overrides);
  return body;
}

/// Makes the instance and gives its name.
Result<Place> create(Context& context, const Flags& flags, const Strings& arguments) {
  std::string image = arguments.empty() ? "" : arguments.front();
  std::string wanted = arguments.size() > 1 ? arguments[1] : "";
  if (flags.empty && arguments.size() == 1) std::swap(image, wanted);
  if (image.empty() && !flags.empty) return Error{Code::InvalidArgument, "Missing image name (or --empty)"};
  auto from = context.split(image);
  if (!from) return Error{from.error().code, from.error().message + ". Import the image first: berth image import"};
  BERTH_TRY(auto made, context.place(wanted));
  const bool elsewhere = !flags.empty && made.remote != from->remote;
  auto source = elsewhere ? source_for_others(context, *from)
                          : source_of(*made.server, flags, flags.empty ? image : from->name);
  if (!source) return std::move(source).error();
  const auto& name = made.name;
  auto* const server = made.server;
  BERTH_TRY(const auto body, request_of(*server, flags, *std::move(source), name));
  context.tell(name.empty() ? "Creating the instance" : "Creating " + name);
  if (!context.quiet()) BERTH_CHECK(flush_output());
  BERTH_TRY(const auto operation,
            server->send("POST", "/1.0/instances", body, {}, "Creating " + (name.empty() ? "the instance" : name)));
  if (!name.empty()) return made;
  const auto& urls = child_of(child_of(operation, "resources"), "instances");
  if (!urls.is_array() || urls.empty() || !urls.front().is_string())
    return Error{Code::Internal, "Failed to get instance name from server"};
  made.name = name_in_url(urls.front().get<std::string>());
  context.tell("Instance name is: " + made.name);
  return made;
}

Command base(const std::shared_ptr<Flags>& flags, const std::string& name) {
  return {.name = name,
          .arguments = "[<remote>:]<image> [<remote>:][<name>]",
          .most = 2,
          .flags = {{"-c,--config", &flags->config, "Config key/value to apply to the new instance"},
                    {"-d,--device", &flags->devices, "New key/value to apply to a specific device"},
                    {"--empty", &flags->empty, "Create an empty instance"},
                    {"-e,--ephemeral", &flags->ephemeral, "Ephemeral instance"},
                    {"-n,--network", &flags->network, "Network name"},
                    {"--no-profiles", &flags->no_profiles, "Create the instance with no profiles applied"},
                    {"-p,--profile", &flags->profiles, "Profile to apply to the new instance"},
                    {"-s,--storage", &flags->storage, "Storage pool name"},
                    {"-t,--type", &flags->type, "Instance type: c2-m4 is two processors and 4 GiB"}}};
}

}  // namespace

Command init_command() {
  const auto flags = std::make_shared<Flags>();
  auto command = base(flags, "init");
  command.summary = "Create instances from images";
  command.examples =
      "berth init debian web\n\nberth init debian web < config.yaml\n    Create the instance with configuration from "
      "config.yaml";
  command.run = [flags](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, create(context, *flags, arguments));
    return 0;
  };
  return command;
}

Command launch_command() {
  const auto flags = std::make_shared<Flags>();
  auto command = base(flags, "launch");
  command.summary = "Create and start instances from images";
  command.least = 1;
  command.flags.push_back({"--console", Flag::Optional{.target = &flags->console, .value = "console"},
                           "Immediately attach to the console"});
  command.examples =
      "berth launch debian web\n\n"
      "berth launch debian web -c limits.memory=1GiB -c limits.cpu=2\n\n"
      "berth launch debian web < config.yaml\n    Create and start the instance with configuration from config.yaml";
  command.run = [flags](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, create(context, *flags, arguments));
    context.tell("Starting " + place.name);
    BERTH_CHECK(flush_output());
    auto started = place.server->send("PUT", api_path("instances", place.name) + "/state",
                                      Json{{"action", "start"}, {"timeout", -1}}, {}, "Starting " + place.name);
    if (!started) return with_hint(std::move(started).error(), hinted_name(context, place));
    if (flags->console.empty()) return 0;
    if (flags->console != "console")
      return Error{Code::NotSupported, "Unknown console type \"" + flags->console + "\""};
    return attach_console(*place.server, place.name);
  };
  return command;
}

}  // namespace berth::cli
