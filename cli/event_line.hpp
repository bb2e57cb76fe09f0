#pragma once

#include "cli/output/shape.hpp"

#include <optional>
#include <string>

namespace berth::cli {

/// An event as one line of a log: level, time, what happened, and the details as `key=value`.
std::string event_line(const Json& event);

/// How much a level says: 0 for the gravest (panic) to 6 (trace). Nothing for a word that is no level.
std::optional<int> log_level(const std::string& name);

/// Whether an event is at least as grave as `level` (any, when that is empty). Only log messages have levels.
bool is_logged(const Json& event, const std::string& level);

}  // namespace berth::cli
