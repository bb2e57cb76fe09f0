#include "rest-bridge/api/session.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <utility>

namespace berth::rest {

ExecSession::ExecSession(std::string operation_id, std::map<std::string, UniqueFd> streams, bool deferred)
    : operation_id_(std::move(operation_id)),
      streams_(std::move(streams)),
      interactive_(streams_.size() == 1),
      deferred_(deferred) {
  if (interactive_) terminal_.reset(::fcntl(streams_.begin()->second.get(), F_DUPFD_CLOEXEC, 3));
}

UniqueFd ExecSession::take(const std::string& name) {
  const auto found = streams_.find(name);
  return found == streams_.end() ? UniqueFd() : std::exchange(found->second, UniqueFd());
}

bool ExecSession::complete() const {
  return std::none_of(streams_.begin(), streams_.end(), [](const auto& stream) { return bool(stream.second); });
}

bool ExecSession::claim_begin() { return !std::exchange(begun_, true); }

void ExecSession::resize(unsigned width, unsigned height) {
  if (!terminal_) return;
  winsize size{};
  size.ws_col = static_cast<unsigned short>(std::min(width, 0xffffU));
  size.ws_row = static_cast<unsigned short>(std::min(height, 0xffffU));
  ::ioctl(terminal_.get(), TIOCSWINSZ, &size);
}

void ExecSession::hang_up() { terminal_.reset(); }

}  // namespace berth::rest
