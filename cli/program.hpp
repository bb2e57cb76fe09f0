#pragma once

#include <string>
#include <vector>

namespace berth::cli {

/// The whole program: runs what `words` (the arguments without the program's name) ask for, tells errors on standard
/// error, and gives the exit status: 0, 1 for an error, or the status of a command that was run in an instance.
int run_program(const std::vector<std::string>& words);

}  // namespace berth::cli
