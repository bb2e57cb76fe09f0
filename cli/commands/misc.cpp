#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/json.hpp"
#include "cli/output/text.hpp"
#include "cli/terminal.hpp"

namespace berth::cli {
namespace {

struct Query {
  std::string method = "GET";
  std::string data;
  bool raw = false;
  bool wait = false;
};

Result<int> query(Context& context, const Query& flags, const std::string& argument) {
  // The path may have a colon of its own, after a slash.
  const auto slash = argument.find('/');
  BERTH_TRY(const auto place, context.place(argument.substr(0, slash)));
  if (slash == std::string::npos || !place.name.empty())
    return Error{Code::InvalidArgument, "Query path must start with /"};
  if (flags.raw && flags.wait) return Error{Code::InvalidArgument, "Can't use --wait with --raw"};
  auto data = flags.data;
  if (data == "-") {
    BERTH_TRY(auto text, read_all(0));
    data = std::move(text);
  }
  auto* const server = place.server;
  rest::Request request;
  request.method = flags.method;
  request.target = argument.substr(slash);
  request.body = data;
  auto response = server->call(std::move(request));
  if (const auto* file = std::get_if<rest::FileBody>(&response.body)) {
    BERTH_TRY(const auto text, read_all(file->fd.get()));
    print_foreign(text);
    return 0;
  }
  BERTH_TRY(auto value, metadata(response));
  if (flags.raw) {
    print(json_pretty_text(response.text()) + '\n');
    return 0;
  }
  if (flags.wait && response.status == 202) {
    BERTH_TRY(auto ended, server->get("/1.0/operations/" + text_of(value, "id") + "/wait"));
    value = std::move(ended);
  }
  if (value.is_null() || (value.is_object() && value.empty())) return 0;
  if (value.is_string())
    print_foreign(value.get<std::string>() + '\n');
  else
    print(json_pretty(value) + '\n');
  return 0;
}

}  // namespace

Command query_command() {
  const auto flags = std::make_shared<Query>();
  return {
      .name = "query",
      .aliases = {},
      .arguments = "[<remote>:]<API path>",
      .summary = "Send a raw query to the server",
      .description = "",
      .examples =
          "berth query /1.0/instances/web | jq .config\n\nberth query -X DELETE --wait /1.0/instances/web\n    Delete "
          "the instance \"web\".",
      .least = 1,
      .most = 1,
      .flags = {{"-d,--data", &flags->data, "Input data"},
                {"--raw", &flags->raw, "Print the raw response"},
                {"-X,--request", &flags->method, "Action"},
                {"--wait", &flags->wait, "Wait for the operation to complete"}},
      .run = [flags](Context& context, const Strings& arguments) { return query(context, *flags, arguments.front()); },
      .commands = {}};
}

Command version_command() {
  return {.name = "version",
          .aliases = {},
          .arguments = "[<remote>:]",
          .summary = "Show local and remote versions",
          .description = "",
          .examples = "berth version",
          .least = 0,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            BERTH_TRY(const auto named, context.split(arguments.empty() ? "" : arguments.front()));
            print("Client version: " BERTH_VERSION "\n");
            std::string version = "unreachable";
            if (const auto server = context.server(named.remote)) {
              const auto object = (*server)->get("/1.0");
              if (object) version = printable(text_of(child_of(*object, "environment"), "server_version"));
            }
            print("Server version: " + version + '\n');
            return 0;
          },
          .commands = {}};
}

}  // namespace berth::cli
