#include <string>

#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/lxc_config.hpp"

namespace berth {
namespace {

/// Forced unmounts would cut off mounts of the host; the others reach past the container.
constexpr std::string_view kRefused =
    "reject_force_umount\n"
    "[all]\n"
    "kexec_load errno 38\n"
    "open_by_handle_at errno 38\n"
    "init_module errno 38\n"
    "finit_module errno 38\n"
    "delete_module errno 38\n";

/// A key that had another name once; the new one wins where both are set.
std::string_view either(const ConfigMap& config, const std::string& name, const std::string& former) {
  const auto found = config.find(name);
  return config_value(config, found != config.end() && !found->second.empty() ? name : former);
}

}  // namespace

Result<std::optional<std::string>> seccomp_policy(const ConfigMap& config) {
  using Policy = std::optional<std::string>;
  if (const auto raw = config_value(config, "raw.seccomp"); !raw.empty()) return Policy(raw);
  const auto allowed = either(config, "security.syscalls.allow", "security.syscalls.whitelist");
  if (!allowed.empty()) return Policy("2\nallowlist\n[all]\n" + std::string(allowed) + "\n");
  if (is_true(either(config, "security.syscalls.deny_compat", "security.syscalls.blacklist_compat")))
    return Error{Code::NotSupported, "security.syscalls.deny_compat is not supported"};
  const auto refused = either(config, "security.syscalls.deny", "security.syscalls.blacklist");
  const bool usual = is_true(either(config, "security.syscalls.deny_default", "security.syscalls.blacklist_default"));
  if (refused.empty() && !usual) return Policy();
  std::string text = "2\ndenylist\n" + std::string(usual ? kRefused : "[all]\n");
  // A bare name would kill the process that makes the call.
  for (std::size_t at = 0; at < refused.size();) {
    const std::size_t end = std::min(refused.find('\n', at), refused.size());
    const std::string line(refused.substr(at, end - at));
    if (!line.empty()) text += line + (line.find(' ') == std::string::npos ? " errno 38\n" : "\n");
    at = end + 1;
  }
  return Policy(std::move(text));
}

}  // namespace berth
