#include "daemon/domain/expand.hpp"

#include "daemon/domain/value_types.hpp"

#include <algorithm>
#include <optional>

namespace berth {
namespace {

std::string_view property(const ConfigMap& device, const std::string& name) {
  const auto found = device.find(name);
  return found == device.end() ? std::string_view{} : std::string_view{found->second};
}

void lay_over(Expanded& below, const ConfigMap& config, const DeviceMap& devices) {
  for (const auto& [key, value] : config) below.config.insert_or_assign(key, value);
  for (const auto& [name, device] : devices) below.devices.insert_or_assign(name, device);
}

Error root_disk_error(const std::string& text) {
  return Error{Code::InvalidArgument, "Failed getting root disk: " + text};
}

}  // namespace

Expanded expand(const std::vector<Profile>& profiles, const ConfigMap& config, const DeviceMap& devices) {
  Expanded out;
  for (const auto& profile : profiles) lay_over(out, profile.config, profile.devices);
  lay_over(out, config, devices);  // a device of type `none` stays: it shows what it hides, and does nothing
  return out;
}

Result<Expanded> expand(const Instance& instance, const std::vector<Profile>& known) {
  Expanded out;
  for (const auto& name : instance.profiles) {
    const auto found = std::find_if(known.begin(), known.end(), [&name](const Profile& p) { return p.name == name; });
    if (found == known.end()) return Error{Code::NotFound, "Profile \"" + name.str() + "\" not found"};
    lay_over(out, found->config, found->devices);
  }
  lay_over(out, instance.config, instance.devices);
  return out;
}

Result<RootDisk> find_root_disk(const DeviceMap& expanded) {
  const std::pair<const std::string, ConfigMap>* root = nullptr;
  for (const auto& entry : expanded) {
    if (property(entry.second, "type") != "disk" || property(entry.second, "path") != "/") continue;
    if (root != nullptr) return root_disk_error("More than one root device found");
    root = &entry;
  }
  if (root == nullptr) return root_disk_error("No root device could be found");
  const auto pool = property(root->second, "pool");
  if (pool.empty()) return Error{Code::InvalidArgument, "Root disk entry must have a \"pool\" property set"};
  BERTH_TRY(auto name, PoolName::parse(pool));
  return RootDisk{root->first, std::move(name), is_true(property(root->second, "readonly"))};
}

}  // namespace berth
