#include "daemon/adapters/hardware/parts.hpp"

namespace berth::hardware {
namespace {

constexpr std::uint64_t kSector = 512;  // the unit of `size`, whatever the disk's own is

std::uint64_t bytes_of(const Tree& device) {
  const auto sectors = device.number("size").value_or(0);
  return sectors <= UINT64_MAX / kSector ? sectors * kSector : 0;
}

/// The bus the disk is on: `virtio`, `nvme`, `usb`, `scsi`.
std::optional<std::string> bus_of(const Tree& disk) {
  const auto device = disk.target("device");
  if (!device) return std::nullopt;
  if (device->path().find("/usb") != std::string::npos) return "usb";
  if (disk.base().starts_with("sr")) return "cdrom";
  const auto subsystem = device->target("subsystem");
  if (!subsystem) return std::nullopt;
  return subsystem->base();
}

std::vector<Document> partitions_of(const Tree& disk) {
  std::vector<Document> list;
  for (const auto& name : disk.names()) {
    const auto partition = disk / name;
    const auto number = partition.number("partition");
    if (!number) continue;
    list.push_back({{"id", name},
                    {"device", partition.line("dev").value_or("")},
                    {"read_only", partition.flag("ro")},
                    {"size", bytes_of(partition)},
                    {"partition", *number}});
  }
  return list;
}

template <typename... Names>
std::optional<std::string> first_line(const Tree& folder, Names... names) {
  std::optional<std::string> found;
  ((found = found ? found : folder.line(names)), ...);
  return found;
}

}  // namespace

Document read_storage(const Tree& sys) {
  std::vector<Document> disks;
  const auto folder = sys / "class/block";
  for (const auto& name : folder.names()) {
    const auto disk = folder / name;
    const auto device = disk / "device";
    if (!device.is_folder() || disk.number("partition")) continue;
    Document row{{"id", name},
                 {"device", disk.line("dev").value_or("")},
                 {"read_only", disk.flag("ro")},
                 {"size", bytes_of(disk)},
                 {"removable", disk.flag("removable")},
                 {"block_size", (disk / "queue").number("physical_block_size").value_or(0)},
                 // Revolutions only a question to the disk itself would tell: 1 says that it turns.
                 {"rpm", std::uint64_t{(disk / "queue").flag("rotational") ? 1U : 0U}},
                 {"device_id", ""},
                 {"partitions", partitions_of(disk)}};
    Document on;
    put_device(on, device, {});
    for (const auto* field : {"numa_node", "pci_address", "usb_address"})
      if (const auto found = on.find(field); found != on.end()) row[field] = found->second;
    put(row, "type", bus_of(disk));
    put(row, "model", first_line(device, "model", "name"));
    put(row, "serial", first_line(device, "serial"));
    if (!row.contains("serial")) put(row, "serial", disk.line("serial"));
    put(row, "firmware_version", first_line(device, "firmware_rev", "rev"));
    put(row, "wwn", first_line(disk, "wwid"));
    if (!row.contains("wwn")) put(row, "wwn", device.line("wwid"));
    disks.push_back(std::move(row));
  }
  return counted("disks", std::move(disks));
}

}  // namespace berth::hardware
