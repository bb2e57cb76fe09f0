#include "cli/command.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>

namespace berth::cli {
namespace {

void add_flag(CLI::App& app, const Flag& flag) {
  struct Add {
    CLI::App& app;
    const Flag& flag;
    void operator()(bool* target) const { app.add_flag(flag.names, *target); }
    void operator()(std::string* target) const { app.add_option(flag.names, *target)->take_last(); }
    void operator()(int* target) const { app.add_option(flag.names, *target)->take_last(); }
    void operator()(Strings* target) const { app.add_option(flag.names, *target)->allow_extra_args(false); }
    void operator()(const Flag::Optional& optional) const {
      app.add_flag(flag.names + '{' + optional.value + '}', *optional.target);
    }
  };
  std::visit(Add{.app = app, .flag = flag}, flag.target);
}

/// What every part of the parser shares.
struct State {
  Globals& globals;
  bool help = false;
  bool version = false;
  bool ignored = false;
};

void set_up(CLI::App& app, State& state, bool root) {
  app.set_help_flag();
  app.require_subcommand(0, 1);
  app.allow_extras();
  app.fallthrough(!root);
  if (!root) return;
  app.add_flag("-h,--help", state.help);
  app.add_flag("--version", state.version);
  app.add_flag("--all,--sub-commands", state.ignored);
  app.add_option("--project", state.globals.project)->take_last();
  app.add_flag("--force-local", state.globals.force_local);
  app.add_flag("-q,--quiet", state.globals.quiet);
  app.add_flag("--debug", state.globals.debug);
  app.add_flag("-v,--verbose", state.globals.verbose);
}

void add_command(CLI::App& parent, const Command& command, State& state) {
  auto* const app = parent.add_subcommand(command.name);
  for (const auto& alias : command.aliases) app->alias(alias);
  set_up(*app, state, false);
  for (const auto& flag : command.flags) add_flag(*app, flag);
  for (const auto& child : command.commands) add_command(*app, child, state);
}

std::string words_of(const std::vector<const Command*>& path) {
  std::string text;
  for (const auto* command : path) text += (text.empty() ? "" : " ") + command->name;
  return text;
}

const Command* find_command(const Command& parent, const std::string& name) {
  for (const auto& command : parent.commands)
    if (command.name == name ||
        std::find(command.aliases.begin(), command.aliases.end(), name) != command.aliases.end())
      return &command;
  return nullptr;
}

bool is_flag(const std::string& word) { return word.size() > 1 && word.front() == '-' && word != "--"; }

/// The part of the line that is read as flags: everything before `--`.
Strings::const_iterator end_of_flags(const Strings& words) { return std::find(words.begin(), words.end(), "--"); }

std::string unknown_flag(const std::string& word) {
  if (word.starts_with("--")) return "unknown flag: " + word.substr(0, word.find('='));
  return "unknown shorthand flag: '" + word.substr(1, 1) + "' in " + word;
}

/// Whether the words before any argument are commands. CLI11 would pass over one that it does not know, and take the
/// next one: `network delete web` would be `delete web`.
Result<void> check_commands(const Command& root, Strings::const_iterator word, Strings::const_iterator end) {
  std::vector<const Command*> path{&root};
  for (; word != end && !path.back()->commands.empty(); ++word) {
    if (is_flag(*word)) {
      if (*word == "--project" && word + 1 != end) ++word;
      continue;
    }
    const auto* const next = find_command(*path.back(), *word);
    if (!next) return Error{Code::InvalidArgument, "unknown command \"" + *word + "\" for \"" + words_of(path) + '"'};
    path.push_back(next);
  }
  return {};
}

}  // namespace

Command group(std::string name, std::string summary, std::vector<Command> commands, std::string description) {
  Command made{.name = std::move(name), .summary = std::move(summary), .description = std::move(description)};
  made.commands = std::move(commands);
  return made;
}

Result<Invocation> parse_command_line(const Command& root, Globals& globals, const Strings& words) {
  State state{.globals = globals};
  CLI::App app;
  set_up(app, state, true);
  for (const auto& command : root.commands) add_command(app, command, state);

  Invocation invocation;
  invocation.path.push_back(&root);
  const auto separator = end_of_flags(words);
  BERTH_CHECK(check_commands(root, words.begin(), separator));
  Strings before(words.begin(), separator);
  std::reverse(before.begin(), before.end());
  try {
    app.parse(std::move(before));
  } catch (const CLI::ParseError& failure) {
    return Error{Code::InvalidArgument, failure.what()};
  }

  CLI::App* place = &app;
  while (!place->get_subcommands().empty()) {
    place = place->get_subcommands().front();
    const auto* const next = find_command(*invocation.path.back(), place->get_name());
    if (!next) break;
    invocation.path.push_back(next);
  }
  // What no command takes as a flag falls through to the root, in its order.
  invocation.arguments = app.remaining(true);
  for (const auto& word : invocation.arguments)
    if (is_flag(word)) return Error{Code::InvalidArgument, unknown_flag(word)};
  invocation.help = state.help;
  invocation.version = state.version;
  if (separator != words.end()) invocation.arguments.insert(invocation.arguments.end(), separator + 1, words.end());

  if (invocation.path.size() == 2 && invocation.path.back()->name == "help") {
    invocation.help = true;
    invocation.path.pop_back();
    for (const auto& word : std::exchange(invocation.arguments, {})) {
      const auto* const next = find_command(*invocation.path.back(), word);
      if (!next)
        return Error{Code::InvalidArgument,
                     "unknown command \"" + word + "\" for \"" + words_of(invocation.path) + '"'};
      invocation.path.push_back(next);
    }
  }
  const auto& command = *invocation.path.back();
  if (!invocation.help && !command.run && !invocation.arguments.empty())
    return Error{Code::InvalidArgument,
                 "unknown command \"" + invocation.arguments.front() + "\" for \"" + words_of(invocation.path) + '"'};
  return invocation;
}

}  // namespace berth::cli
