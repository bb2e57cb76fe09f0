#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/streams.hpp"
#include "cli/terminal.hpp"

#include <cstdlib>
#include <unistd.h>

namespace berth::cli {
namespace {

struct Flags {
  Strings environment;
  std::string mode = "auto";
  std::string cwd;
  int user = 0;
  int group = 0;
  bool interactive = false;
  bool plain = false;
  bool no_input = false;
};

/// Whether the command gets a terminal of its own.
Result<bool> wants_terminal(const Flags& flags) {
  if (flags.interactive && flags.plain)
    return Error{Code::InvalidArgument, "You can't pass -t and -T at the same time"};
  if (flags.mode != "auto" && (flags.interactive || flags.plain))
    return Error{Code::InvalidArgument, "You can't pass -t or -T at the same time as --mode"};
  if (flags.mode != "auto" && flags.mode != "interactive" && flags.mode != "non-interactive")
    return Error{Code::InvalidArgument, "--mode is one of auto, interactive and non-interactive"};
  if (flags.no_input || flags.plain || flags.mode == "non-interactive") return false;
  if (flags.interactive || flags.mode == "interactive") return true;
  return is_terminal(STDIN_FILENO) && is_terminal(STDOUT_FILENO);
}

Result<int> execute(Context& context, const Flags& flags, const std::string& instance, Strings command) {
  BERTH_TRY(const auto interactive, wants_terminal(flags));
  auto environment = Json::object();
  if (const auto* const term = std::getenv("TERM")) environment["TERM"] = term;
  for (const auto& text : flags.environment) {
    const auto equals = text.find('=');
    environment[text.substr(0, equals)] = equals == std::string::npos ? "" : text.substr(equals + 1);
  }
  Json body{{"command", std::move(command)},
            {"wait-for-websocket", true},
            {"interactive", interactive},
            {"environment", std::move(environment)},
            {"user", flags.user},
            {"group", flags.group},
            {"cwd", flags.cwd}};
  if (interactive) {
    const auto size = terminal_size(STDOUT_FILENO);
    body["width"] = size.width;
    body["height"] = size.height;
  }
  BERTH_TRY(const auto place, context.named(instance, "instance"));
  return run_command(*place.server, place.name, body, flags.no_input);
}

std::vector<Flag> flags_of(const std::shared_ptr<Flags>& flags) {
  return {{"--cwd", &flags->cwd, "Directory to run the command in (default /root)"},
          {"-n,--disable-stdin", &flags->no_input, "Disable stdin (reads from /dev/null)"},
          {"--env", &flags->environment, "Environment variable to set (e.g. HOME=/home/foo)"},
          {"-t,--force-interactive", &flags->interactive, "Force pseudo-terminal allocation"},
          {"-T,--force-noninteractive", &flags->plain, "Disable pseudo-terminal allocation"},
          {"--group", &flags->group, "Group ID to run the command as"},
          {"--mode", &flags->mode, "Override the terminal mode (auto, interactive or non-interactive)"},
          {"--user", &flags->user, "User ID to run the command as"}};
}

}  // namespace

Command exec_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "exec",
          .aliases = {},
          .arguments = "[<remote>:]<instance> [flags] [--] <command line>",
          .summary = "Execute commands in instances",
          .description =
              "The command is run as it is: there is no shell, so patterns (variables, file\n"
              "redirects, ...) are not understood. For those, run one:\n\n"
              "  berth exec <instance> -- sh -c \"cd /tmp && pwd\"\n\n"
              "The command gets a terminal of its own if both stdin AND stdout are terminals (stderr\n"
              "is ignored). The exit status is the command's.",
          .examples =
              "berth exec web -- ls -l /srv\n\nberth exec web --user 1000 --env LANG=C -- id\n\nberth exec web -- tar "
              "-c /etc > etc.tar",
          .least = 2,
          .most = Command::kAny,
          .flags = flags_of(flags),
          .run = [flags](Context& context, const Strings& arguments) -> Result<int> {
            return execute(context, *flags, arguments.front(), Strings(arguments.begin() + 1, arguments.end()));
          },
          .commands = {}};
}

Command shell_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "shell",
          .aliases = {},
          .arguments = "[<remote>:]<instance>",
          .summary = "Open a login shell in an instance",
          .description = "The same as: berth exec <instance> -- su -l",
          .examples = "berth shell web",
          .least = 1,
          .most = 1,
          .flags = flags_of(flags),
          .run = [flags](Context& context, const Strings& arguments) -> Result<int> {
            return execute(context, *flags, arguments.front(), {"su", "-l"});
          },
          .commands = {}};
}

Command console_command() {
  struct Console {
    bool show_log = false;
    std::string type = "console";
  };
  const auto flags = std::make_shared<Console>();
  return {.name = "console",
          .aliases = {},
          .arguments = "[<remote>:]<instance>",
          .summary = "Attach to instance consoles",
          .description =
              "This command allows you to interact with the boot console of an instance\nas well as retrieve past log "
              "entries from it.",
          .examples = "berth console web\n\nberth console web --show-log",
          .least = 1,
          .most = 1,
          .flags = {{"--show-log", &flags->show_log, "Retrieve the instance's console log"},
                    {"-t,--type", &flags->type, "Type of connection to establish: 'console'"}},
          .run = [flags](Context& context, const Strings& arguments) -> Result<int> {
            if (flags->type != "console")
              return Error{Code::NotSupported, "Unknown output type \"" + flags->type + "\""};
            BERTH_TRY(const auto place, context.named(arguments.front(), "instance"));
            if (!flags->show_log) return attach_console(*place.server, place.name);
            BERTH_TRY(const auto log, place.server->get_text(api_path("instances", place.name) + "/console"));
            print("\nConsole log:\n\n");
            print_foreign(log);
            print("\n");
            return 0;
          },
          .commands = {}};
}

}  // namespace berth::cli
