#pragma once

#include "cli/command.hpp"

namespace berth::cli {

// The commands that say which profiles an instance has.
Command add_profile();
Command remove_profile();
Command assign_profiles();

}  // namespace berth::cli
