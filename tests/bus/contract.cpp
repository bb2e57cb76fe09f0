#include "tests/bus/contract.hpp"

#include <fcntl.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <regex>
#include <stdexcept>

#include "base/unique_fd.hpp"

namespace berth::bustest {
namespace {

std::map<std::string, std::string> attributes_of(const std::string& tag) {
  static const std::regex kAttribute("([A-Za-z]+)=\"([^\"]*)\"");
  std::map<std::string, std::string> found;
  for (std::sregex_iterator at(tag.begin(), tag.end(), kAttribute), end; at != end; ++at) found[(*at)[1]] = (*at)[2];
  return found;
}

std::string without_comments(const std::string& xml) {
  std::string text;
  std::size_t at = 0;
  for (;;) {
    const auto begin = xml.find("<!--", at);
    text += xml.substr(at, begin - at);
    if (begin == std::string::npos) return text;
    at = xml.find("-->", begin) + 3;
  }
}

}  // namespace

std::map<std::string, Interface> parse_interfaces(const std::string& xml) {
  static const std::regex kTag("<(interface|method|signal|property|arg|annotation)\\s[^>]*>|</(method|signal|property)>");
  const auto text = without_comments(xml);
  std::map<std::string, Interface> interfaces;
  Interface* interface = nullptr;
  Method* method = nullptr;
  Property* property = nullptr;
  for (std::sregex_iterator at(text.begin(), text.end(), kTag), end; at != end; ++at) {
    const std::string tag = (*at)[0], kind = (*at)[1];
    auto has = attributes_of(tag);
    if (kind.empty()) {
      method = nullptr;
      property = nullptr;
    } else if (kind == "interface") {
      interface = &interfaces[has["name"]];
    } else if (kind == "method") {
      method = &interface->methods[has["name"]];
    } else if (kind == "signal") {
      interface->signals.push_back(has["name"]);
    } else if (kind == "property") {
      property = &interface->properties[has["name"]];
      *property = {has["type"], has["access"], "true"};
    } else if (kind == "arg" && method != nullptr) {
      (has["direction"] == "out" ? method->out : method->in).push_back({has["name"], has["type"]});
    } else if (has["name"] == "org.freedesktop.DBus.Property.EmitsChangedSignal" && property != nullptr) {
      property->emits_changed = has["value"];
    }
    if (tag.ends_with("/>") && kind == "property") property = nullptr;
    if (tag.ends_with("/>") && kind == "method") method = nullptr;
  }
  return interfaces;
}

const std::map<std::string, Interface>& contract() {
  static const auto kAll = [] {
    std::map<std::string, Interface> all;
    for (const auto& file : std::filesystem::directory_iterator(INTERFACES)) {
      if (file.path().extension() != ".xml") continue;
      std::ifstream stream(file.path());
      all.merge(parse_interfaces({std::istreambuf_iterator<char>(stream), {}}));
    }
    if (all.empty()) throw std::runtime_error("there is no contract in " INTERFACES);
    return all;
  }();
  return kAll;
}

std::string path_for(const std::string& interface) {
  const std::string root = "/org/berth/Berth1", project = root + "/project/default";
  const auto kind = interface.substr(interface.rfind('.') + 1);
  if (kind == "Instance") return project + "/instance/nothing";
  if (kind == "Image") return project + "/image/" + std::string(64, 'a');
  if (kind == "Profile") return project + "/profile/nothing";
  if (kind == "Project") return root + "/project/nothing";
  if (kind == "Certificate") return root + "/certificate/" + std::string(64, 'a');
  if (kind == "StoragePool") return root + "/storage_pool/nothing";
  if (kind == "Operation") return root + "/operation/_36bba7b810_2d9dad_2d41d1_2d80b4_2d00c04fd430c8";
  return root;
}

void append_anything(sd_bus_message* message, const std::string& signature) {
  static const UniqueFd kFile{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  static constexpr char kZeros[8] = {};
  for (std::size_t at = 0; at < signature.size();) {
    int r = 0;
    if (signature[at] == 'a') {
      // The element's type: one letter, or all up to its closing brace.
      const auto size = signature[at + 1] == '{' ? signature.find('}', at) - at : std::size_t{1};
      r = sd_bus_message_open_container(message, 'a', signature.substr(at + 1, size).c_str());
      if (r >= 0) r = sd_bus_message_close_container(message);
      at += size + 1;
    } else {
      const char type = signature[at++];
      const int file = kFile.get();
      const void* value = type == 's' ? static_cast<const void*>("") : type == 'h' ? static_cast<const void*>(&file) : kZeros;
      r = sd_bus_message_append_basic(message, type, value);
    }
    if (r < 0) throw std::runtime_error("cannot write arguments of " + signature);
  }
}

std::string signature_of(const std::vector<Argument>& arguments) {
  std::string signature;
  for (const auto& argument : arguments) signature += argument.type;
  return signature;
}

}  // namespace berth::bustest
