#include "cli/program.hpp"

#include "cli/aliases.hpp"
#include "cli/commands/commands.hpp"
#include "cli/complete.hpp"
#include "cli/context.hpp"
#include "cli/output/text.hpp"
#include "cli/terminal.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

/// What shells ask for: one candidate a line, `:files` for the names of files.
int print_candidates(const Command& root, const Strings& words) {
  const Globals globals;
  Context context(globals);
  const auto found = complete(context, root, words);
  for (const auto& word : found.words) print(word + '\n');
  if (found.files) print(":files\n");
  return 0;
}

/// The words with the user's aliases replaced. --force-local knows no configuration, and so no aliases.
Result<Strings> expanded(const Strings& words) {
  const auto end = std::find(words.begin(), words.end(), "--");
  if (std::find(words.begin(), end, "--force-local") != end) return words;
  BERTH_TRY(const auto configuration, Configuration::load());
  return expand_aliases(configuration.aliases, words);
}

Result<int> run(const Strings& typed) {
  const auto root = root_command();
  if (!typed.empty() && typed.front() == "__complete")
    return print_candidates(root, Strings(typed.begin() + 1, typed.end()));
  BERTH_TRY(const auto words, expanded(typed));
  Globals globals;
  BERTH_TRY(const auto invocation, parse_command_line(root, globals, words));
  if (invocation.version) {
    print(BERTH_VERSION "\n");
    return 0;
  }
  const auto& command = *invocation.path.back();
  if (invocation.help || !command.run) {
    print(help_text(invocation.path));
    return 0;
  }
  const auto count = invocation.arguments.size();
  if (count < command.least || count > command.most) {
    print(help_text(invocation.path));
    if (count == 0) return 0;
    return Error{Code::InvalidArgument, "Invalid number of arguments"};
  }
  Context context(globals);
  return command.run(context, invocation.arguments);
}

}  // namespace

int run_program(const std::vector<std::string>& words) {
  auto status = run(words);
  if (const auto flushed = flush_output(); !flushed && status) status = flushed.error();
  if (status) return *status;
  complain("Error: " + printable_lines(status.error().message));
  return 1;
}

}  // namespace berth::cli
