#pragma once

#include <systemd/sd-bus.h>

#include <compare>
#include <map>
#include <string>
#include <vector>

namespace berth::bustest {

struct Argument {
  std::string name, type;
  auto operator<=>(const Argument&) const = default;
};
struct Method {
  std::vector<Argument> in, out;
  auto operator<=>(const Method&) const = default;
};
struct Property {
  std::string type, access, emits_changed;
  auto operator<=>(const Property&) const = default;
};
/// What one `<interface>` says, by the names of its members.
struct Interface {
  std::map<std::string, Method> methods;
  std::map<std::string, Property> properties;
  std::vector<std::string> signals;
};

/// The interfaces of an XML text: of the contract, or of what Introspect answers.
std::map<std::string, Interface> parse_interfaces(const std::string& xml);

/// All files of dbus-interfaces.
const std::map<std::string, Interface>& contract();

/// A path at which an object of that interface could stand; there is none but the root.
std::string path_for(const std::string& interface);

/// Writes arguments of that signature: empty texts, zeros, empty lists, an open file.
void append_anything(sd_bus_message* message, const std::string& signature);

std::string signature_of(const std::vector<Argument>& arguments);

}  // namespace berth::bustest
