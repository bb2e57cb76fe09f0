#include "daemon/adapters/hardware/sysfs_hardware.hpp"

#include "daemon/adapters/hardware/parts.hpp"

namespace berth::hardware {

Document SysfsHardware::resources() {
  const Tree root(root_);
  const auto sys = root / "sys";
  const auto proc = root / "proc";
  return Document{{"cpu", read_cpu(sys, proc, architecture_)}, {"memory", read_memory(sys, proc)},
                  {"gpu", read_gpu(sys, kernel_)},             {"network", read_network(sys, kernel_)},
                  {"storage", read_storage(sys)},              {"usb", read_usb(sys, kernel_)},
                  {"pci", read_pci(sys, kernel_)},             {"system", read_system(root)}};
}

}  // namespace berth::hardware
