#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/streams.hpp"
#include "cli/terminal.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

struct Flags {
  bool all = false;
  bool force = false;
  bool stateless = false;
  int timeout = -1;
  std::string console;
};

/// Which instances `--all` means for an action.
bool concerns(const std::string& action, const std::string& status) {
  if (action == "start") return status != "Running";
  if (action == "stop") return status != "Stopped";
  return status == "Running";
}

Result<std::vector<Place>> places_of(Context& context, const std::string& action, const Flags& flags,
                                     const Strings& arguments) {
  std::vector<Place> places;
  if (!flags.all) {
    for (const auto& argument : arguments) {
      BERTH_TRY(auto place, context.named(argument, "instance"));
      places.push_back(std::move(place));
    }
    return places;
  }
  for (const auto& argument : arguments.empty() ? Strings{""} : arguments) {
    BERTH_TRY(auto place, context.place(argument));
    if (!place.name.empty()) return Error{Code::InvalidArgument, "Both --all and instance name given"};
    BERTH_TRY(const auto instances, place.server->get("/1.0/instances?recursion=1"));
    for (const auto& instance : instances) {
      if (!concerns(action, text_of(instance, "status"))) continue;
      place.name = text_of(instance, "name");
      places.push_back(place);
    }
  }
  return places;
}

/// Asks for the change of one instance; its operation.
Result<Json> begin(Server& server, const std::string& action, const Flags& flags, const std::string& name) {
  const auto path = api_path("instances", name);
  auto word = action == "pause" ? std::string("freeze") : action;
  if (action == "start") {
    // What is frozen is not started but goes on.
    BERTH_TRY(const auto instance, server.get(path));
    if (text_of(instance, "status") == "Frozen") word = "unfreeze";
  }
  return server.start("PUT", path + "/state",
                      Json{{"action", word}, {"timeout", flags.timeout}, {"force", flags.force}});
}

struct Outcome {
  Place place;
  Result<Json> result;
};

Result<int> act(Context& context, const std::string& action, const Flags& flags, const Strings& arguments) {
  BERTH_TRY(const auto places, places_of(context, action, flags, arguments));
  // All of them at once: each is asked for before the first one is waited for.
  std::vector<Outcome> outcomes;
  for (const auto& place : places)
    outcomes.push_back({.place = place, .result = begin(*place.server, action, flags, place.name)});
  for (auto& [place, result] : outcomes) {
    if (!result) continue;
    auto ended = place.server->finish(*result, outcomes.size() == 1 ? action + ' ' + place.name : std::string());
    if (!ended) ended = with_hint(std::move(ended).error(), hinted_name(context, place));
    result = std::move(ended);
  }
  if (outcomes.size() == 1) {
    if (!outcomes.front().result) return outcomes.front().result.error();
    return 0;
  }
  bool failed = false;
  for (const auto& [place, result] : outcomes) {
    if (result) continue;
    failed = true;
    for (const auto& line : split("error: " + result.error().message, '\n'))
      complain(printable(place.name) + ": " + printable(line));
  }
  if (!failed) return 0;
  complain("");
  return Error{Code::Internal, "Some instances failed to " + action};
}

/// The action on one instance, with its console on this terminal: it is there before a stop, and after a start.
Result<int> act_on_console(Context& context, const std::string& action, const Flags& flags, const Strings& arguments) {
  if (flags.console != "console")
    return Error{Code::NotSupported, "Unknown console type \"" + flags.console + "\""};
  if (flags.all || arguments.size() != 1)
    return Error{Code::InvalidArgument, "--console only works with a single instance"};
  BERTH_TRY(const auto place, context.named(arguments.front(), "instance"));
  auto& server = *place.server;
  if (action == "stop") {
    BERTH_TRY(const auto operation, begin(server, action, flags, place.name));
    BERTH_CHECK(attach_console(server, place.name));
    auto ended = server.finish(operation);
    if (!ended) return with_hint(std::move(ended).error(), hinted_name(context, place));
    return 0;
  }
  BERTH_TRY(const auto status, act(context, action, flags, arguments));
  BERTH_CHECK(flush_output());
  BERTH_CHECK(attach_console(server, place.name));
  return status;
}

Command action_command(const std::string& action, const std::string& summary, const std::string& description,
                       const std::string& examples) {
  const auto flags = std::make_shared<Flags>();
  Command command{.name = action,
                  .arguments = "[<remote>:]<instance> [[<remote>:]<instance>...]",
                  .summary = summary,
                  .description = description,
                  .examples = examples,
                  .most = Command::kAny};
  command.flags.push_back({"--all", &flags->all, "Run against all instances"});
  if (action == "start") command.flags.push_back({"--stateless", &flags->stateless, "Ignore the instance state"});
  if (action == "stop" || action == "restart") {
    command.flags.push_back({"-f,--force", &flags->force, "Force the instance to shutdown"});
    command.flags.push_back({"--timeout", &flags->timeout, "Time to wait for the instance before killing it"});
  }
  if (action != "pause")
    command.flags.push_back({"--console", Flag::Optional{.target = &flags->console, .value = "console"},
                             "Immediately attach to the console"});
  command.run = [flags, action](Context& context, const Strings& arguments) -> Result<int> {
    if (!flags->console.empty()) return act_on_console(context, action, *flags, arguments);
    if (!flags->all && arguments.empty()) return Error{Code::InvalidArgument, "Name an instance, or say --all"};
    return act(context, action, *flags, arguments);
  };
  return command;
}

}  // namespace

Command start_command() {
  return action_command("start", "Start instances", "An instance that is paused goes on.",
                        "berth start web\n\nberth start web db\n\nberth start --all");
}

Command stop_command() {
  return action_command("stop", "Stop instances", "",
                        "berth stop web\n    Ask the instance to shut down, and wait.\n\nberth stop web --timeout 30\n "
                        "   Give up after half a minute.\n\nberth stop web --force\n    Pull the plug.");
}

Command restart_command() {
  return action_command("restart", "Restart instances", "The opposite of \"berth pause\" is \"berth start\".",
                        "berth restart web\n\nberth restart web --force");
}

Command pause_command() {
  return action_command("pause", "Pause instances",
                        "The instance keeps its memory and gets no processor time until it is started.",
                        "berth pause web");
}

}  // namespace berth::cli
