#include "daemon/domain/lxc_config.hpp"

#include <algorithm>
#include <array>

#include "daemon/domain/config_keys.hpp"

namespace berth {
namespace {

constexpr std::array kDeviceRules{"b *:* m",     "c *:* m",     "c 136:* rwm", "c 1:3 rwm",    "c 1:5 rwm",
                                  "c 1:7 rwm",   "c 1:8 rwm",   "c 1:9 rwm",   "c 5:0 rwm",    "c 5:1 rwm",
                                  "c 5:2 rwm",   "c 10:229 rwm", "c 10:200 rwm"};

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

void add_mounts(LxcConfig& lines, const LxcHostFacts& host, bool privileged) {
  const bool guarded = privileged && !host.in_user_namespace;
  std::string automatic = guarded ? "proc:mixed sys:mixed" : "proc:rw sys:rw";
  if (!host.cgroup_namespaces) automatic += " cgroup:mixed";
  lines.emplace_back("lxc.mount.auto", automatic);
  for (const auto& path : lxc_host_paths()) {
    if (!host.present_paths.contains(path)) continue;
    const bool node = path.starts_with("/dev/");
    lines.emplace_back("lxc.mount.entry", path + " " + path.substr(1) + " none " +
                                              (node ? "bind,create=file,optional 0 0" : "rbind,create=dir,optional 0 0"));
  }
  lines.emplace_back("lxc.mount.entry", "mqueue dev/mqueue mqueue rw,relatime,create=dir,optional 0 0");
}

void add_devices(LxcConfig& lines, const LxcHostFacts& host) {
  if (host.in_user_namespace) return;
  if (!host.unified_cgroups && !host.controllers.contains("devices")) return;
  const std::string prefix = host.unified_cgroups ? "lxc.cgroup2.devices." : "lxc.cgroup.devices.";
  lines.emplace_back(prefix + "deny", "a");
  for (const char* rule : kDeviceRules) lines.emplace_back(prefix + "allow", rule);
}

void add_families(LxcConfig& lines, const ConfigMap& config) {
  constexpr std::string_view kEnvironment = "environment.";
  for (const auto& [key, value] : config)
    if (key.starts_with(kEnvironment))
      lines.emplace_back("lxc.environment", key.substr(kEnvironment.size()) + "=" + value);
}

Result<void> add_raw(LxcConfig& lines, const ConfigMap& config) {
  std::string_view rest = config_value(config, "raw.lxc");
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.front() == '#') continue;
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos)
      return Error{Code::InvalidArgument, "Invalid raw.lxc line: " + std::string(line)};
    lines.emplace_back(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
  }
  return {};
}

}  // namespace

const std::vector<std::string>& lxc_host_paths() {
  static const std::vector<std::string> paths{"/dev/fuse",
                                              "/dev/net/tun",
                                              "/proc/sys/fs/binfmt_misc",
                                              "/sys/firmware/efi/efivars",
                                              "/sys/fs/fuse/connections",
                                              "/sys/fs/pstore",
                                              "/sys/kernel/debug",
                                              "/sys/kernel/security"};
  return paths;
}

Result<LxcConfig> make_lxc_config(const LxcConfigRequest& request, const LxcHostFacts& host) {
  LxcConfig lines{{"lxc.uts.name", request.name.str()},
                  {"lxc.arch", request.architecture},
                  {"lxc.console.buffer.size", "auto"},
                  {"lxc.console.size", "auto"},
                  {"lxc.autodev", "1"},
                  {"lxc.pty.max", "1024"},
                  {"lxc.tty.max", "0"}};
  if (request.privileged) lines.emplace_back("lxc.cap.drop", "sys_time sys_module sys_rawio mac_admin mac_override");
  add_mounts(lines, host, request.privileged);
  if (config_flag(request.config, "security.nesting")) {
    // A nested container may only mount proc and sysfs where a full one of its own is visible.
    lines.emplace_back("lxc.mount.entry", "proc dev/.lxc/proc proc create=dir,optional 0 0");
    lines.emplace_back("lxc.mount.entry", "sys dev/.lxc/sys sysfs create=dir,optional 0 0");
  }
  add_devices(lines, host);
  if (!request.seccomp_file.empty()) lines.emplace_back("lxc.seccomp.profile", request.seccomp_file);
  lines.emplace_back("lxc.net.0.type", "empty");
  lines.emplace_back("lxc.net.0.flags", "up");
  add_families(lines, request.config);
  BERTH_TRY(LxcConfig limits, limit_lines(request.config, host));
  lines.insert(lines.end(), std::make_move_iterator(limits.begin()), std::make_move_iterator(limits.end()));
  BERTH_CHECK(add_raw(lines, request.config));
  return lines;
}

}  // namespace berth
