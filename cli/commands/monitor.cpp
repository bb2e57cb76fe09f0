#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/event_line.hpp"
#include "cli/names.hpp"
#include "cli/output/json.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

#include <array>
#include <optional>

namespace berth::cli {
namespace {

struct Flags {
  Strings types;
  std::string format = "yaml";
  std::string level;
  bool pretty = false;
  bool all_projects = false;
};

Result<std::shared_ptr<rest::EventStream>> subscribe(Server& server, const Flags& flags) {
  rest::Request request;
  request.method = "GET";
  request.target = "/1.0/events?type=" + join(flags.types, ",");
  if (flags.all_projects) request.target += "&all-projects=true";
  request.upgrade = true;
  auto response = server.call(std::move(request));
  if (auto* const stream = std::get_if<rest::Stream>(&response.body); stream && stream->events)
    return std::move(stream->events);
  BERTH_CHECK(metadata(response));
  return Error{Code::Internal, "the daemon gave no events"};
}

Result<int> monitor(Context& context, const Flags& flags, const std::string& remote) {
  const auto format = flags.pretty ? std::string("pretty") : flags.format;
  if (format != "yaml" && format != "json" && format != "pretty")
    return Error{Code::InvalidArgument, "Invalid format: " + format};
  if (!flags.level.empty() && format != "pretty")
    return Error{Code::InvalidArgument, "Log level filtering can only be used with pretty formatting"};
  if (!flags.level.empty() && !log_level(flags.level))
    return Error{Code::InvalidArgument, "Unknown log level: " + flags.level};
  BERTH_TRY(const auto place, context.place(remote));
  auto* const server = place.server;
  BERTH_TRY(const auto events, subscribe(*server, flags));
  bool over = false;
  std::optional<Error> failure;
  events->on_event(
      [&](std::string_view text) {
        const auto event = Json::parse(text, nullptr, false);
        if (format == "json")
          print(json_line(event) + '\n');
        else if (format == "yaml")
          print(yaml_text(event) + "\n\n");
        else if (is_logged(event, flags.level))
          print(event_line(event));
        if (auto written = flush_output(); !written) failure = std::move(written).error();
      },
      [&over] { over = true; });
  server->loop().run_until([&] { return over || failure.has_value(); });
  if (failure) return *failure;
  return Error{Code::Unavailable, "the daemon went away"};
}

}  // namespace

Command monitor_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "monitor",
          .aliases = {},
          .arguments = "[<remote>:]",
          .summary = "Monitor the server",
          .description = "By default the monitor will listen to all message types: lifecycle, operation, logging.",
          .examples =
              "berth monitor --type=lifecycle\n    Only show lifecycle events.\n\nberth monitor --pretty "
              "--type=logging --loglevel=info\n"
              "    Show a pretty log of messages with info level or higher.",
          .least = 0,
          .most = 1,
          .flags = {{"--all-projects", &flags->all_projects, "Show events from all projects"},
                    {"-f,--format", &flags->format, "Format (json|pretty|yaml)"},
                    {"--loglevel", &flags->level,
                     "Minimum level for log messages (only available when using pretty format)"},
                    {"--pretty", &flags->pretty, "Pretty rendering (short for --format=pretty)"},
                    {"--type", &flags->types, "Event type to listen for"}},
          .run = [flags](Context& context, const Strings& arguments) -> Result<int> {
            return monitor(context, *flags, arguments.empty() ? "" : arguments.front());
          },
          .commands = {}};
}

}  // namespace berth::cli
