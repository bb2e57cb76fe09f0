#pragma once

#include <thread>

namespace berth::lxc {

/// For the time of a start. The kernel lets the first move of a process between cgroups wait for a grace period of RCU, 10 to
/// 20 ms on an idle host, and those that follow soon after do not wait. So such a move is made, of this process to where it
/// is, while the supervisor is still coming up; when liblxc moves the container, the wait is over. Dies when the move is made.
class CgroupWakeup {
 public:
  CgroupWakeup();

 private:
  std::jthread move_;
};

}  // namespace berth::lxc
