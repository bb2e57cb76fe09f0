#include <algorithm>
#include <array>
#include <utility>

#include "daemon/adapters/hardware/parts.hpp"

namespace berth::hardware {
namespace {

constexpr std::uint64_t kHub = 0x09;

/// The classes of USB, as usb.ids calls them.
constexpr std::array<std::pair<std::uint64_t, std::string_view>, 17> kClasses{{
    {0x00, "(Defined at Interface level)"},
    {0x01, "Audio"},
    {0x02, "Communications"},
    {0x03, "Human Interface Device"},
    {0x05, "Physical Interface Device"},
    {0x06, "Imaging"},
    {0x07, "Printer"},
    {0x08, "Mass Storage"},
    {0x09, "Hub"},
    {0x0a, "CDC Data"},
    {0x0b, "Chip/SmartCard"},
    {0x0d, "Content Security"},
    {0x0e, "Video"},
    {0x0f, "Personal Healthcare"},
    {0xe0, "Wireless"},
    {0xef, "Miscellaneous Device"},
    {0xff, "Vendor Specific Class"},
}};

std::string class_name(std::uint64_t number) {
  const auto* found = std::find_if(kClasses.begin(), kClasses.end(), [number](const auto& row) { return row.first == number; });
  return found == kClasses.end() ? std::string() : std::string(found->second);
}

/// Numbers that USB's files show in hexadecimal digits without a prefix.
std::optional<std::uint64_t> hex(const Tree& folder, std::string_view name) {
  return parse_number(folder.line(name).value_or(""), 16);
}

std::vector<Document> interfaces_of(const Tree& device, const std::string& kernel) {
  std::vector<Document> list;
  for (const auto& name : device.names()) {
    const auto interface = device / name;
    const auto number = hex(interface, "bInterfaceNumber");
    const auto kind = hex(interface, "bInterfaceClass");
    if (!number || !kind) continue;
    Document row{{"class", class_name(*kind)},
                 {"class_id", *kind},
                 {"driver", ""},
                 {"driver_version", ""},
                 {"number", *number},
                 {"subclass", ""},
                 {"subclass_id", hex(interface, "bInterfaceSubClass").value_or(0)}};
    put_driver(row, interface, kernel);
    list.push_back(std::move(row));
  }
  return list;
}

}  // namespace

Document read_usb(const Tree& sys, const std::string& kernel) {
  std::vector<Document> devices;
  const auto folder = sys / "bus/usb/devices";
  for (const auto& name : folder.names()) {
    const auto device = folder / name;
    const auto kind = hex(device, "bDeviceClass");
    const auto bus = device.number("busnum");
    const auto number = device.number("devnum");
    if (!kind || *kind == kHub || !bus || !number) continue;
    devices.push_back({{"bus_address", *bus},
                       {"device_address", *number},
                       {"interfaces", interfaces_of(device, kernel)},
                       {"vendor", device.line("manufacturer").value_or("")},
                       {"vendor_id", device.line("idVendor").value_or("")},
                       {"product", device.line("product").value_or("")},
                       {"product_id", device.line("idProduct").value_or("")},
                       // Mbit/s as the kernel writes it: 1.5 is one of them.
                       {"speed", device.line("speed").value_or("0")}});
  }
  return counted("devices", std::move(devices));
}

}  // namespace berth::hardware
