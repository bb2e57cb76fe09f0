#pragma once

#include "base/result.hpp"
#include "cli/server.hpp"

#include <string>

namespace berth::cli {

/// Runs a command in an instance with this program's standard streams, as `body` (the request of the API's exec) says:
/// on a terminal of its own when it is interactive, else over three pipes. Signals and new window sizes are passed on.
/// Gives the command's exit status. `no_input`: the command's input is at its end from the start.
Result<int> run_command(Server& server, const std::string& instance, const Json& body, bool no_input);

/// Connects this terminal with an instance's console, until Ctrl-A q or the end of the console.
Result<int> attach_console(Server& server, const std::string& instance);

}  // namespace berth::cli
