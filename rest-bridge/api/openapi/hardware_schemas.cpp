#include "rest-bridge/api/openapi/tables.hpp"

namespace berth::rest::openapi {

/// What a host is made of. Members that a part does not have are left out.
const std::string_view kHardwareObjects = R"(
Resources: The parts of a host
  cpu     Processors
  memory  Memory
  gpu     Gpus
  network NetworkCards
  storage Disks
  usb     UsbDevices
  pci     PciDevices
  system  Machine
Processors: All processors
  architecture text
  sockets      [ProcessorSocket]
  total        number         threads
ProcessorSocket: A processor
  socket             number
  name?              text
  vendor?            text
  cache?             [ProcessorCache]
  cores              [ProcessorCore]
  frequency?         number   MHz, now
  frequency_minimum? number
  frequency_turbo?   number
ProcessorCache: A cache
  level number
  type  text
  size  number
ProcessorCore: A core
  core       number
  die        number
  frequency? number
  threads    [ProcessorThread]
ProcessorThread: A thread
  id        number
  thread    number
  numa_node number
  online    flag
  isolated  flag
Memory: Bytes of memory
  total           number
  used            number
  hugepages_size  number
  hugepages_total number
  hugepages_used  number
  nodes?          [MemoryNode]
MemoryNode: The memory of a NUMA node
  numa_node       number
  total           number
  used            number
  hugepages_total number
  hugepages_used  number
Device: What cards have in common
  driver?         text
  driver_version? text
  numa_node       number
  pci_address?    text
  usb_address?    text
  vendor_id?      text
  product_id?     text
  sriov?          VirtualFunctions
VirtualFunctions: What a card can be split into
  current_vfs number
  maximum_vfs number
  vfs         [object]
Gpus: All GPUs
  cards [Gpu]
  total number
Gpu < Device: A GPU
  drm? GpuNodes
GpuNodes: Its device files
  id              number
  card_name       text
  card_device     text
  render_name?    text
  render_device?  text
  control_name?   text
  control_device? text
NetworkCards: All network cards
  cards [NetworkCard]
  total number
NetworkCard < Device: A network card
  ports? [NetworkPort]
NetworkPort: A port of a card
  id               text
  address?         text
  port             number
  protocol         text
  auto_negotiation flag
  link_detected    flag
  link_speed?      number
  link_duplex?     text
Disks: All disks
  disks [Disk]
  total number
Disk: A disk
  id               text
  device           text
  device_id        text
  type?            text
  model?           text
  serial?          text
  wwn?             text
  firmware_version? text
  size             number
  block_size       number
  read_only        flag
  removable        flag
  rpm              number
  numa_node        number
  pci_address?     text
  usb_address?     text
  partitions       [Partition]
Partition: A part of a disk
  id        text
  device    text
  partition number
  size      number
  read_only flag
UsbDevices: All USB devices
  devices [UsbDevice]
  total   number
UsbDevice: A USB device
  bus_address    number
  device_address number
  interfaces     [UsbInterface]
  vendor         text
  vendor_id      text
  product        text
  product_id     text
  speed          real         Mbit/s
UsbInterface: An interface of a USB device
  class          text
  class_id       number
  subclass       text
  subclass_id    number
  number         number
  driver         text
  driver_version text
PciDevices: All PCI devices
  devices [PciDevice]
  total   number
PciDevice: A PCI device
  driver         text
  driver_version text
  numa_node      number
  iommu_group    number
  pci_address    text
  vendor         text
  vendor_id      text
  product        text
  product_id     text
  vpd            object
Machine: The machine itself
  uuid        text
  vendor      text
  product     text
  family      text
  version     text
  sku         text
  serial      text
  type        (physical|virtual-machine|container)
  firmware    Firmware
  chassis     Chassis
  motherboard Motherboard
Firmware?: null where it is not told
  vendor  text
  date    text
  version text
Chassis?: null where it is not told
  vendor  text
  type    text
  serial  text
  version text
Motherboard?: null where it is not told
  vendor  text
  product text
  serial  text
  version text
)";

}  // namespace berth::rest::openapi
