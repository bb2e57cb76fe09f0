#include <set>

#include "daemon/adapters/hardware/parts.hpp"

namespace berth::hardware {
namespace {

constexpr std::uint64_t kNetworkClass = 0x02;
constexpr std::uint64_t kDisplayClass = 0x03;

Tree pci_folder(const Tree& sys) { return sys / "bus/pci/devices"; }

/// Cards of the class that no class folder of the kernel has named.
void add_others(std::vector<Document>& cards, const std::set<std::string>& known, const Tree& sys, std::uint64_t kind,
                const std::string& kernel) {
  for (const auto& name : pci_folder(sys).names()) {
    const auto device = pci_folder(sys) / name;
    const auto number = device.number("class");
    // A virtual function is its card's, not one of its own.
    if (!number || *number >> 16 != kind || known.contains(name) || (device / "physfn").exists()) continue;
    Document card;
    put_device(card, device, kernel);
    card["pci_address"] = name;
    cards.push_back(std::move(card));
  }
}

std::string address_of(const Document& card) {
  const auto found = card.find("pci_address");
  if (found == card.end()) return {};
  const auto* text = std::get_if<std::string>(&found->second.value);
  return text == nullptr ? std::string() : *text;
}

/// The ports of a card are the interfaces its device has in this network namespace.
std::vector<Document> ports_of(const Tree& device) {
  constexpr std::uint64_t kEthernet = 1;
  constexpr std::uint64_t kInfiniband = 32;
  std::vector<Document> ports;
  const auto folder = device / "net";
  for (const auto& name : folder.names()) {
    const auto interface = folder / name;
    const bool carrier = interface.flag("carrier");
    Document port{{"id", name},
                  {"port", interface.number("dev_port").value_or(0)},
                  {"protocol", ""},
                  {"auto_negotiation", false},
                  {"link_detected", carrier}};
    const auto type = interface.number("type");
    if (type == kEthernet) port["protocol"] = "ethernet";
    if (type == kInfiniband) port["protocol"] = "infiniband";
    put(port, "address", interface.line("address"));
    // Without a link, or where there is no such thing, the speed is -1, which is no number here.
    if (carrier) put(port, "link_speed", interface.number("speed"));
    if (const auto duplex = interface.line("duplex"); carrier && duplex && *duplex != "unknown") port["link_duplex"] = *duplex;
    ports.push_back(std::move(port));
  }
  return ports;
}

std::optional<Document> functions_of(const Tree& device) {
  const auto most = device.number("sriov_totalvfs");
  if (!most) return std::nullopt;
  return Document{{"current_vfs", device.number("sriov_numvfs").value_or(0)},
                  {"maximum_vfs", *most},
                  {"vfs", std::vector<Document>{}}};
}

}  // namespace

Document read_network(const Tree& sys, const std::string& kernel) {
  std::vector<Document> cards;
  std::set<std::string> known;
  const auto folder = sys / "class/net";
  for (const auto& name : folder.names()) {
    const auto device = folder / name / "device";
    if (!device.is_folder()) continue;
    Document card;
    put_device(card, device, kernel);
    // One card may have several interfaces.
    if (const auto address = address_of(card); !address.empty() && !known.insert(address).second) continue;
    if (auto ports = ports_of(device); !ports.empty()) card["ports"] = std::move(ports);
    if (const auto pci = pci_device(device))
      if (auto functions = functions_of(*pci)) card["sriov"] = *std::move(functions);
    cards.push_back(std::move(card));
  }
  add_others(cards, known, sys, kNetworkClass, kernel);
  return counted("cards", std::move(cards));
}

Document read_gpu(const Tree& sys, const std::string& kernel) {
  std::vector<Document> cards;
  std::set<std::string> known;
  const auto folder = sys / "class/drm";
  for (const auto& name : folder.names()) {
    const auto number = numbered(name, "card");
    const auto device = folder / name / "device";
    if (!number || !device.is_folder()) continue;
    Document card;
    put_device(card, device, kernel);
    if (const auto address = address_of(card); !address.empty() && !known.insert(address).second) continue;
    Document drm{{"id", *number}, {"card_name", name}, {"card_device", (folder / name).line("dev").value_or("")}};
    for (const auto& node : (device / "drm").names()) {
      const auto dev = (device / "drm" / node).line("dev").value_or("");
      if (numbered(node, "renderD")) {
        drm["render_name"] = node;
        drm["render_device"] = dev;
      }
      if (numbered(node, "controlD")) {
        drm["control_name"] = node;
        drm["control_device"] = dev;
      }
    }
    card["drm"] = std::move(drm);
    if (const auto pci = pci_device(device))
      if (auto functions = functions_of(*pci)) card["sriov"] = *std::move(functions);
    cards.push_back(std::move(card));
  }
  add_others(cards, known, sys, kDisplayClass, kernel);
  return counted("cards", std::move(cards));
}

Document read_pci(const Tree& sys, const std::string& kernel) {
  std::vector<Document> devices;
  for (const auto& name : pci_folder(sys).names()) {
    const auto device = pci_folder(sys) / name;
    // All of these fields are there in every row, as LXD has them; the names of vendors are a database's to tell.
    Document row{{"driver", ""},
                 {"driver_version", ""},
                 {"numa_node", numa_node(device)},
                 {"pci_address", name},
                 {"vendor", ""},
                 {"vendor_id", device.hex_digits("vendor").value_or("")},
                 {"product", ""},
                 {"product_id", device.hex_digits("device").value_or("")},
                 {"iommu_group", std::uint64_t{0}},
                 {"vpd", Document{}}};
    put_driver(row, device, kernel);
    if (const auto group = device.target("iommu_group")) put(row, "iommu_group", parse_number(group->base()));
    devices.push_back(std::move(row));
  }
  return counted("devices", std::move(devices));
}

}  // namespace berth::hardware
