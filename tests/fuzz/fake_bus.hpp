#pragma once

#include <cstddef>
#include <optional>

#include "rest-bridge/api/call.hpp"
#include "tests/fuzz/demand.hpp"

namespace berth::fuzz {

/// What the stand-in for the daemon does beside its usual answers: the call of that number (from 0) fails.
struct Plan {
  std::size_t calls = 0;
  std::optional<std::size_t> failing_call;
  Code failure = Code::Internal;
};
Plan& plan();

/// The daemon's answer to a call; the rows of a Describe* method stand as the only value. Every call is first held against
/// what a message bus takes: one that it would not take ends the program.
Result<rest::Reply> answer(const rest::Call& call);

/// Starts the numbers from which secrets and ids are made anew, so that an input always does the same.
void restart_randomness();

}  // namespace berth::fuzz
