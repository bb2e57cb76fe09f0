#pragma once

#include <optional>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "rest-bridge/http/socket.hpp"

namespace berth::rest {

/// The listening socket that systemd gave (LISTEN_FDS), or nothing when it gave none.
Result<std::optional<UniqueFd>> inherited_listener();
/// A listening socket of our own at `path`, mode 0660, of `group` when one is named. A stale socket is replaced.
Result<UniqueFd> listen_at(const std::string& path, const std::string& group);
/// Accepts connections for as long as the io_context runs.
asio::awaitable<void> accept_connections(UniqueFd listener, Shared& shared);

}  // namespace berth::rest
