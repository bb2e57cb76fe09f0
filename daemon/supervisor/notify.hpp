#pragma once

#include <chrono>

namespace berth::supervisor {

/// Tells systemd, where it started us with Type=notify, that the container runs.
void notify_ready();

/// Tells it that the end of the unit may take so long, and a little more, whatever the unit says.
void notify_longer_stop(std::chrono::seconds least);

}  // namespace berth::supervisor
