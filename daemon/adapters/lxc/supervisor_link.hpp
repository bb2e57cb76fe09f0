#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::lxc {

/// A supervisor's answer and the descriptors with it.
struct Answer {
  supervisor::Message message;
  std::vector<UniqueFd> fds;
};

/// Asks the supervisor behind a control socket one thing, on a connection of its own, and waits for the answer.
/// Errors: the supervisor's own; Unavailable when there is none or it does not answer in time.
Result<Answer> ask(const std::string& control, const supervisor::Message& question, std::span<const int> fds = {},
                   std::chrono::seconds patience = std::chrono::seconds(30));

/// A connection that is told what happens, after the first state was read from it; non-blocking.
struct Watch {
  supervisor::Message state;
  UniqueFd socket;
};
Result<Watch> watch(const std::string& control);

}  // namespace berth::lxc
