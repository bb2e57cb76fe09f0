#pragma once

#include <string>

#include "daemon/adapters/hardware/tree.hpp"

/// The parts of a host, each read by a file of its own. `sys` and `proc` are the folders of that name.
namespace berth::hardware {

/// Sockets with their caches, cores and threads.
Document read_cpu(const Tree& sys, const Tree& proc, const std::string& architecture);
/// The whole host's memory and that of each NUMA node, with huge pages.
Document read_memory(const Tree& sys, const Tree& proc);
/// Disks that are a device, not a file or a mapping of one, with their partitions.
Document read_storage(const Tree& sys);
/// Network cards with the ports whose interfaces this network namespace has.
Document read_network(const Tree& sys, const std::string& kernel);
Document read_gpu(const Tree& sys, const std::string& kernel);
Document read_pci(const Tree& sys, const std::string& kernel);
/// Devices on the USB that are no hubs.
Document read_usb(const Tree& sys, const std::string& kernel);
/// What the firmware tells of the machine, and whether it is one.
Document read_system(const Tree& root);

}  // namespace berth::hardware
