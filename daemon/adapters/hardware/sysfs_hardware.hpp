#pragma once

#include <string>

#include "daemon/ports/host_hardware.hpp"

namespace berth::hardware {

/// The hardware as the kernel tells it in /sys and /proc. Names of vendors and products that only a database knows are absent.
class SysfsHardware final : public ports::HostHardware {
 public:
  /// Reads `ROOT/sys` and `ROOT/proc`: the empty root is the host's. `kernel` is its release, `architecture` its name.
  SysfsHardware(std::string root, std::string kernel, std::string architecture)
      : root_(std::move(root)), kernel_(std::move(kernel)), architecture_(std::move(architecture)) {}
  Document resources() override;

 private:
  std::string root_, kernel_, architecture_;
};

}  // namespace berth::hardware
