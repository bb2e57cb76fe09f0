#include <array>

#include "daemon/adapters/hardware/parts.hpp"

namespace berth::hardware {
namespace {

/// SMBIOS 3.6, section 7.4.1: the type of the case, by number.
constexpr std::array<std::string_view, 37> kChassis{
    "",
    "Other",
    "Unknown",
    "Desktop",
    "Low Profile Desktop",
    "Pizza Box",
    "Mini Tower",
    "Tower",
    "Portable",
    "Laptop",
    "Notebook",
    "Hand Held",
    "Docking Station",
    "All in One",
    "Sub Notebook",
    "Space-saving",
    "Lunch Box",
    "Main Server Chassis",
    "Expansion Chassis",
    "SubChassis",
    "Bus Expansion Chassis",
    "Peripheral Chassis",
    "RAID Chassis",
    "Rack Mount Chassis",
    "Sealed-case PC",
    "Multi-system chassis",
    "Compact PCI",
    "Advanced TCA",
    "Blade",
    "Blade Enclosure",
    "Tablet",
    "Convertible",
    "Detachable",
    "IoT Gateway",
    "Embedded PC",
    "Mini PC",
    "Stick PC",
};

/// Whether a hypervisor runs below this kernel, by what it tells the processors or the kernel.
bool is_virtual(const Tree& root) {
  if ((root / "sys/hypervisor").text("type")) return true;
  const auto text = (root / "proc").text("cpuinfo").value_or("");
  const auto flags = text.find("\nflags");
  if (flags == std::string::npos) return false;
  const auto line = text.substr(flags + 1, text.find('\n', flags + 1) - flags - 1) + " ";
  return line.find(" hypervisor ") != std::string::npos;
}

std::string kind_of(const Tree& root) {
  // What container managers leave for those inside, as systemd-detect-virt(1) looks for it.
  for (const auto* mark : {"run/systemd/container", "run/host/container-manager", ".dockerenv", "run/.containerenv"})
    if ((root / mark).exists()) return "container";
  return is_virtual(root) ? "virtual-machine" : "physical";
}

struct Row {
  const char* field;
  const char* file;
};

/// The fields of one part of the machine; nothing when the firmware tells none of them.
template <std::size_t Size>
std::optional<Document> part(const Tree& dmi, const std::array<Row, Size>& rows) {
  Document document;
  bool told = false;
  for (const auto& row : rows) {
    const auto value = dmi.line(row.file);
    told = told || value.has_value();
    document[row.field] = value.value_or("");
  }
  if (!told) return std::nullopt;
  return document;
}

constexpr std::array kFirmware{Row{"vendor", "bios_vendor"}, Row{"date", "bios_date"}, Row{"version", "bios_version"}};
constexpr std::array kCase{Row{"vendor", "chassis_vendor"}, Row{"type", "chassis_type"}, Row{"serial", "chassis_serial"},
                           Row{"version", "chassis_version"}};
constexpr std::array kBoard{Row{"vendor", "board_vendor"}, Row{"product", "board_name"}, Row{"serial", "board_serial"},
                            Row{"version", "board_version"}};

}  // namespace

Document read_system(const Tree& root) {
  const auto dmi = root / "sys/class/dmi/id";
  Document system{{"uuid", dmi.line("product_uuid").value_or("")},
                  {"vendor", dmi.line("sys_vendor").value_or("")},
                  {"product", dmi.line("product_name").value_or("")},
                  {"family", dmi.line("product_family").value_or("")},
                  {"version", dmi.line("product_version").value_or("")},
                  {"sku", dmi.line("product_sku").value_or("")},
                  {"serial", dmi.line("product_serial").value_or("")},
                  {"type", kind_of(root)}};
  put(system, "firmware", part(dmi, kFirmware));
  if (auto chassis = part(dmi, kCase)) {
    const auto number = dmi.number("chassis_type");
    (*chassis)["type"] = std::string(number && *number < kChassis.size() ? kChassis[*number] : "");
    system["chassis"] = *std::move(chassis);
  }
  put(system, "motherboard", part(dmi, kBoard));
  return system;
}

}  // namespace berth::hardware
