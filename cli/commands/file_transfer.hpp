#pragma once

#include "cli/command.hpp"

namespace berth::cli {

Command push_command();
Command pull_command();
Command mount_command();

}  // namespace berth::cli
