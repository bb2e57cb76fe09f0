#include "daemon/domain/policy.hpp"

#include "daemon/domain/config_keys.hpp"

#include <algorithm>

namespace berth {
namespace {

bool reaches_host(const std::string& key, const std::string& value) {
  const auto* row = find_config_key(key);
  // A key nobody knows any more cannot be shown to be harmless.
  if (row == nullptr) return true;
  switch (row->host_access) {
    case HostAccess::None: return false;
    case HostAccess::Any: return !value.empty();
    case HostAccess::IfTrue: return is_true(value);
    case HostAccess::IfFalse: return !value.empty() && !is_true(value);
  }
  return true;
}

/// Harmless are what gives nothing of the host: the root disk of a pool, and `none`. Every other type is judged to
/// reach the host until its own feature says which of its forms do not.
bool reaches_host(const ConfigMap& device) {
  const auto property = [&device](const std::string& name) {
    const auto found = device.find(name);
    return found == device.end() ? std::string{} : found->second;
  };
  if (property("type") == "none") return false;
  return property("type") != "disk" || property("path") != "/" || !property("source").empty();
}

std::string text_of(const ConfigMap& device) {
  std::string out;
  for (const auto& [key, value] : device) out += key + "=" + value + "\n";
  return out;
}

}  // namespace

std::map<std::string, std::string> host_access(const Expanded& object) {
  std::map<std::string, std::string> out;
  for (const auto& [key, value] : object.config)
    if (reaches_host(key, value)) out.emplace(key, value);
  for (const auto& [name, device] : object.devices)
    if (reaches_host(device)) out.emplace("device " + name, text_of(device));
  return out;
}

std::vector<std::string> new_host_access(const Expanded& committed, const Expanded& wanted) {
  const auto before = host_access(committed);
  std::vector<std::string> out;
  for (const auto& [name, value] : host_access(wanted)) {
    const auto had = before.find(name);
    // A value that means the same (true, 1) is spelled out again: comparing texts errs on the careful side.
    if (had == before.end() || had->second != value) out.push_back(name);
  }
  return out;
}

}  // namespace berth
