#pragma once

#include <sys/types.h>

#include <array>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/supervisor_protocol.hpp"

namespace berth::supervisor {

/// The process that takes a command into the container.
struct Attacher {
  pid_t pid = 0;
  UniqueFd report;  ///< the command's host pid as decimal text; nothing when the container could not be entered
};

/// Forks a process that enters the container through liblxc, starts the command there, reports and ends; the command is
/// then a child of this process, which must be a child subreaper. So a slow or frozen container holds up nobody else.
/// `streams` are the command's stdin, stdout and stderr; no other descriptor of ours reaches the container.
/// The command's exit status: its own, 127 when it is not there, 126 when it cannot be run.
Result<Attacher> attach_command(const Uuid& uuid, const RuntimePaths& paths, const ExecCommand& command,
                                const std::array<int, 3>& streams);

}  // namespace berth::supervisor
