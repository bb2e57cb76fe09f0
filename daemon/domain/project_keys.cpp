#include "daemon/domain/project_keys.hpp"

#include "daemon/domain/id_ranges.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

namespace berth {
namespace {

constexpr ProjectKey refused(std::string_view name, std::string_view description) {
  return {.name = name, .support = KeySupport::Refused, .description = description};
}

constexpr ProjectKey feature(std::string_view name, std::string_view description) {
  return {.name = name, .type = ValueType::Bool, .description = description};
}

constexpr ProjectKey allowed(std::string_view name, std::string_view description) {
  return {.name = name, .type = ValueType::OneOf, .fallback = "block", .choices = "allow|block", .description = description};
}

constexpr ProjectKey managed(std::string_view name, std::string_view description) {
  return {.name = name, .type = ValueType::OneOf, .fallback = "managed", .choices = "allow|block|managed", .description = description};
}

constexpr ProjectKey count(std::string_view name, std::string_view description) {
  return {.name = name, .type = ValueType::Uint32, .description = description};
}

constexpr std::array kKeys{
    ProjectKey{.name = "user.*", .type = ValueType::Text, .description = "Free text of the project's user"},
    refused("backups.compression_algorithm", "Program that compresses backups"),
    feature("features.images", "Whether it has images of its own"),
    ProjectKey{.name = "features.networks",
               .type = ValueType::Bool,
               .support = KeySupport::Refused,
               .description = "Whether it has networks of its own; the project default alone has"},
    feature("features.profiles", "Whether it has profiles of its own"),
    feature("features.storage.volumes", "Whether it has volumes of its own"),
    refused("images.auto_update_cached", "Whether cached images are kept up to date"),
    refused("images.auto_update_interval", "Hours between updates of images"),
    refused("images.compression_algorithm", "Program that compresses images"),
    refused("images.default_architecture", "Architecture of images when none is asked for"),
    refused("images.remote_cache_expiry", "Days after which an unused cached image goes"),
    count("limits.containers", "Number of containers"),
    count("limits.cpu", "Sum of the processors of its instances"),
    refused("limits.disk", "Sum of the sizes of its volumes; pools without quotas hold nobody to a size"),
    count("limits.instances", "Number of instances"),
    ProjectKey{.name = "limits.memory", .type = ValueType::Size, .description = "Sum of the memory limits of its instances"},
    count("limits.networks", "Number of networks of its own"),
    count("limits.processes", "Sum of the process limits of its instances"),
    count("limits.virtual-machines", "Number of virtual machines"),
    ProjectKey{.name = "restricted", .type = ValueType::Bool, .fallback = "false", .description = "Whether the restrictions hold"},
    allowed("restricted.backups", "Backups of its instances"),
    ProjectKey{.name = "restricted.cluster.groups", .support = KeySupport::Refused, .description = "Groups of members it may use"},
    allowed("restricted.cluster.target", "Choosing a member"),
    ProjectKey{.name = "restricted.containers.interception",
               .type = ValueType::OneOf,
               .fallback = "block",
               .choices = "allow|block|full",
               .description = "Interception of system calls; full includes mounts"},
    allowed("restricted.containers.lowlevel", "raw.*, kernel modules, system call filters, places of id maps"),
    allowed("restricted.containers.nesting", "security.nesting"),
    ProjectKey{.name = "restricted.containers.privilege",
               .type = ValueType::OneOf,
               .fallback = "unprivileged",
               .choices = "allow|unprivileged|isolated",
               .description = "The most powerful containers there may be"},
    managed("restricted.devices.disk", "Disks; managed: those of a pool"),
    refused("restricted.devices.disk.paths", "Folders of the host that disks may come from"),
    allowed("restricted.devices.gpu", "Devices of type gpu"),
    allowed("restricted.devices.infiniband", "Devices of type infiniband"),
    managed("restricted.devices.nic", "Network devices; managed: those of a managed network"),
    allowed("restricted.devices.pci", "Devices of type pci"),
    allowed("restricted.devices.proxy", "Devices of type proxy"),
    allowed("restricted.devices.unix-block", "Devices of type unix-block"),
    allowed("restricted.devices.unix-char", "Devices of type unix-char"),
    allowed("restricted.devices.unix-hotplug", "Devices of type unix-hotplug"),
    allowed("restricted.devices.usb", "Devices of type usb"),
    ProjectKey{.name = "restricted.idmap.gid", .description = "Host gids that raw.idmap may name, ranges separated by commas"},
    ProjectKey{.name = "restricted.idmap.uid", .description = "Host uids that raw.idmap may name, ranges separated by commas"},
    ProjectKey{.name = "restricted.networks.access", .description = "Networks that its instances may use, separated by commas"},
    refused("restricted.networks.subnets", "Networks of an uplink it may use"),
    refused("restricted.networks.uplinks", "Uplinks of its networks"),
    refused("restricted.networks.zones", "DNS zones of its networks"),
    allowed("restricted.snapshots", "Snapshots of its instances"),
    allowed("restricted.virtual-machines.lowlevel", "raw.* of virtual machines"),
};

constexpr std::array<std::string_view, 3> kOwnByDefault{"features.images", "features.profiles", "features.storage.volumes"};

const ProjectKey* find_key(std::string_view name) {
  for (const auto& row : kKeys) {
    if (row.name == name) return &row;
    const auto family = row.name.substr(0, row.name.size() - 1);
    if (row.name.ends_with('*') && name.starts_with(family) && name.size() > family.size()) return &row;
  }
  return nullptr;
}

std::string shown(std::string_view text) {
  std::string out(text.substr(0, 200));
  std::replace_if(out.begin(), out.end(), [](char c) { return has_control_characters({&c, 1}); }, '?');
  return out;
}

std::string_view value_of(const ConfigMap& config, std::string_view key) {
  const auto found = config.find(std::string(key));
  return found == config.end() ? std::string_view{} : std::string_view(found->second);
}

Result<void> check_value(const ProjectKey& row, const std::string& value) {
  if (value.empty()) return {};
  BERTH_CHECK(validate_value(row.type, value, row.choices));
  if (row.name.starts_with("restricted.idmap.")) BERTH_CHECK(parse_id_ranges(value));
  return {};
}

Result<void> check_key(const ProjectName& project, const std::string& key, const std::string& value) {
  const auto* row = find_key(key);
  const std::string frame = "Invalid project configuration key \"" + shown(key) + "\"";
  if (row == nullptr || has_control_characters(key)) return Error{Code::InvalidArgument, frame};
  if (auto valid = check_value(*row, value); !valid) return std::move(valid).error().within(frame + " value");
  if (row->support == KeySupport::Honoured || value.empty()) return {};
  if (row->type == ValueType::Bool && (!is_true(value) || project == default_project())) return {};
  return Error{Code::NotSupported, "Project configuration key \"" + key + "\": this version of Berth could not keep to it"};
}

}  // namespace

std::span<const ProjectKey> project_keys() { return kKeys; }

std::string_view restriction_value(const ConfigMap& config, std::string_view key) {
  if (const auto value = value_of(config, key); !value.empty()) return value;
  const auto* row = find_key(key);
  return row == nullptr ? std::string_view{} : row->fallback;
}

void add_default_features(ConfigMap& config) {
  for (const auto key : kOwnByDefault) config.try_emplace(std::string(key), "true");
}

Result<void> validate_project_config(const ProjectName& name, const ConfigMap& config) {
  for (const auto& [key, value] : config) BERTH_CHECK(check_key(name, key, value));
  // The profiles of another project are judged by that one's rules alone.
  if (is_true(value_of(config, "restricted")) && !is_true(value_of(config, "features.profiles")))
    return Error{Code::InvalidArgument, "Projects without their own profiles cannot be restricted"};
  return {};
}

Result<void> check_feature_change(const ProjectName& name, const ConfigMap& from, const ConfigMap& to, bool in_use) {
  for (const auto& row : kKeys) {
    if (!row.name.starts_with("features.")) continue;
    const auto before = value_of(from, row.name);
    const auto after = value_of(to, row.name);
    if (before == after) continue;
    if (name == default_project())
      return Error{Code::InvalidArgument, "You can't change the features of the default project"};
    if (is_true(before) == is_true(after) || !in_use) continue;
    return Error{Code::InvalidArgument, "Project feature \"" + std::string(row.name) + "\" cannot be " +
                                            (is_true(after) ? "enabled" : "disabled") + " on non-empty projects"};
  }
  return {};
}

}  // namespace berth
