#include "daemon/domain/config_keys.hpp"

#include "base/names.hpp"
#include "base/architecture.hpp"

#include <algorithm>
#include <array>
#include <string>

namespace berth {
namespace {

/// `*` stands for one or more characters; there is at most one.
bool matches(std::string_view pattern, std::string_view name) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return pattern == name;
  const auto front = pattern.substr(0, star);
  const auto back = pattern.substr(star + 1);
  return name.size() > front.size() + back.size() && name.starts_with(front) && name.ends_with(back);
}

/// What setrlimit(2) knows, by the names liblxc gives to `lxc.prlimit`.
bool is_kernel_limit(std::string_view name) {
  constexpr std::array<std::string_view, 16> kNames{"as",      "core",     "cpu",        "data",   "fsize", "locks",
                                                    "memlock", "msgqueue", "nice",       "nofile", "nproc", "rss",
                                                    "rtprio",  "rttime",   "sigpending", "stack"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string shown(std::string_view key) {
  std::string out(key.substr(0, 200));
  std::replace_if(
      out.begin(), out.end(),
      [](char c) {
        return has_control_characters({&c, 1});
      },
      '?');
  return out;
}

Result<void> check_owner(const ConfigKey& row, std::string_view key, ConfigOwner owner) {
  if (owner == ConfigOwner::Instance || row.in_profiles) return {};
  const std::string kind = key.starts_with("volatile.") ? "Volatile" : "Image";
  return Error{Code::InvalidArgument, kind + " keys can only be set on containers"};
}

/// A key that nothing acts on may still be written as off, which is what happens anyway.
bool is_off(const ConfigKey& row, std::string_view value) {
  return value.empty() || value == row.fallback || (row.type == ValueType::Bool && !is_true(value));
}

Result<void> check_key(const std::string& key, const std::string& value, ConfigOwner owner) {
  const auto* row = find_config_key(key);
  if (row == nullptr || has_control_characters(key))
    return Error{Code::InvalidArgument, "Unknown configuration key: " + shown(key)};
  BERTH_CHECK(check_owner(*row, key, owner));
  if (auto valid = validate_value(row->type, value, row->choices); !valid) {
    // The value's own text is LXD's; only where that says nothing about the key, it is named.
    if (!has_control_characters(value)) return valid;
    return std::move(valid).error().within(key);
  }
  if (row->support == KeySupport::Refused && !is_off(*row, value))
    return Error{Code::NotSupported, "The configuration key " + key + " is not supported by this version of Berth"};
  return {};
}

bool is_set(const ConfigMap& config, const std::string& key) {
  const auto found = config.find(key);
  return found != config.end() && !found->second.empty();
}

bool is_set_true(const ConfigMap& config, const std::string& key) {
  const auto found = config.find(key);
  return found != config.end() && is_true(found->second);
}

Error exclusive(const std::string& one, const std::string& other) {
  return Error{Code::InvalidArgument, one + " is mutually exclusive with " + other};
}

/// The keys of the system call filter under their present name and the one they had before.
struct SyscallKeys {
  bool allow, deny, deny_default, deny_compat;
};

Result<SyscallKeys> read_syscall_keys(const ConfigMap& config) {
  constexpr std::array<std::pair<const char*, const char*>, 4> kNames{{{"allow", "whitelist"},
                                                                       {"deny", "blacklist"},
                                                                       {"deny_default", "blacklist_default"},
                                                                       {"deny_compat", "blacklist_compat"}}};
  const std::string prefix = "security.syscalls.";
  for (const auto& [present, former] : kNames)
    if (is_set(config, prefix + present) && is_set(config, prefix + former))
      return exclusive(prefix + present, "its former name " + prefix + former);
  const auto either = [&](auto check, std::size_t i) {
    return check(config, prefix + kNames[i].first) || check(config, prefix + kNames[i].second);
  };
  return SyscallKeys{either(is_set, 0), either(is_set, 1), either(is_set_true, 2), either(is_set_true, 3)};
}

/// The compat filter names system calls of the 32-bit half of these architectures.
Result<void> check_compat_architecture() {
  BERTH_TRY(const auto host, host_architecture());
  if (host.name == "x86_64" || host.name == "aarch64" || host.name == "ppc64") return {};
  return Error{Code::InvalidArgument,
               "security.syscalls.deny_compat isn't supported on this architecture: " + std::string(host.name)};
}

}  // namespace

const ConfigKey* find_config_key(std::string_view name) {
  const ConfigKey* family = nullptr;
  for (const auto& row : config_keys()) {
    if (row.name == name) return &row;
    if (family == nullptr && matches(row.name, name)) family = &row;
  }
  if (family != nullptr && family->type == ValueType::KernelLimit &&
      !is_kernel_limit(name.substr(family->name.size() - 1)))
    return nullptr;
  // A name with '=' would be another variable's name and value in the container's environment.
  if (family != nullptr && family->name == "environment.*" && name.find('=') != std::string_view::npos) return nullptr;
  return family;
}

Result<void> validate_config(const ConfigMap& config, ConfigOwner owner) {
  for (const auto& [key, value] : config) BERTH_CHECK(check_key(key, value, owner));
  return {};
}

Result<void> validate_config_together(const ConfigMap& expanded) {
  BERTH_TRY(const auto filter, read_syscall_keys(expanded));
  const bool denies = filter.deny || filter.deny_default || filter.deny_compat;
  if (is_set(expanded, "raw.seccomp") && (filter.allow || denies))
    return exclusive("raw.seccomp", "security.syscalls*");
  if (filter.allow && denies) return exclusive("security.syscalls.allow", "security.syscalls.deny*");
  if (filter.deny_compat) return check_compat_architecture();
  return {};
}

std::string_view config_value(const ConfigMap& expanded, std::string_view key) {
  const auto found = expanded.find(std::string(key));
  if (found != expanded.end() && !found->second.empty()) return found->second;
  const auto* row = find_config_key(key);
  return row == nullptr ? std::string_view{} : row->fallback;
}

bool config_flag(const ConfigMap& expanded, std::string_view key) { return is_true(config_value(expanded, key)); }

}  // namespace berth
