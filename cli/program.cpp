#include "cli/program.hpp"

#include "cli/commands/commands.hpp"
#include "cli/context.hpp"
#include "cli/output/text.hpp"
#include "cli/terminal.hpp"

namespace berth::cli {
namespace {

Result<int> run(const std::vector<std::string>& words) {
  const auto root = root_command();
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
