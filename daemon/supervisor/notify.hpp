#pragma once

namespace berth::supervisor {

/// Tells systemd, where it started us with Type=notify, that the container runs.
void notify_ready();

}  // namespace berth::supervisor
