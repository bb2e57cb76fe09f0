// The limits.* keys as liblxc's lines, for both versions of cgroups.

#include <algorithm>
#include <charconv>

#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/lxc_config.hpp"
#include "daemon/domain/size.hpp"
#include "daemon/domain/value_types.hpp"

namespace berth {
namespace {

constexpr std::uint64_t kFullShare = 1024;       ///< v1 cpu.shares of a container without an allowance
constexpr std::uint64_t kFullWeight = 100;       ///< v2 cpu.weight of the same
constexpr std::uint64_t kTopPriority = 10;
constexpr std::uint64_t kMicroseconds = 1000;    ///< in a millisecond

Error out_of_shape(std::string_view key, std::string_view value) {
  return Error{Code::InvalidArgument, "Invalid value for " + std::string(key) + ": " + std::string(value)};
}

Result<std::uint64_t> number(std::string_view key, std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc{} || end != text.data() + text.size()) return out_of_shape(key, text);
  return value;
}

class LimitWriter {
 public:
  LimitWriter(const ConfigMap& config, const LxcHostFacts& host) : config_(config), host_(host) {}

  Result<LxcConfig> write() {
    BERTH_CHECK(memory());
    BERTH_CHECK(cpu_set());
    BERTH_CHECK(cpu_share());
    BERTH_CHECK(processes());
    BERTH_CHECK(disk());
    kernel();
    return std::move(lines_);
  }

 private:
  std::string_view value(std::string_view key) const { return config_value(config_, key); }
  bool has(const std::string& controller) const { return host_.controllers.contains(controller); }
  void line(std::string_view v1, std::string_view v2, std::string text) {
    const std::string_view file = host_.unified_cgroups ? v2 : v1;
    if (file.empty()) return;
    lines_.emplace_back(std::string(host_.unified_cgroups ? "lxc.cgroup2." : "lxc.cgroup.").append(file), std::move(text));
  }
  Result<void> needs(const std::string& controller, std::string_view key) const {
    if (has(controller)) return {};
    return Error{Code::FailedPrecondition,
                 "the kernel of this machine has no " + controller + " cgroups, which " + std::string(key) + " needs"};
  }

  Result<void> memory() {
    const std::string_view limit = value("limits.memory");
    const std::string_view swap_priority = value("limits.memory.swap.priority");
    const bool swap = config_flag(config_, "limits.memory.swap");
    if (!limit.empty()) {
      BERTH_CHECK(needs("memory", "limits.memory"));
      BERTH_TRY(const std::uint64_t bytes, memory_bytes(limit));
      const std::string text = std::to_string(bytes);
      if (value("limits.memory.enforce") == "soft") {
        line("memory.soft_limit_in_bytes", "memory.high", text);
      } else {
        line("memory.limit_in_bytes", "memory.max", text);
        if (!swap && host_.swap_accounting) line("memory.memsw.limit_in_bytes", "", text);
      }
    }
    if (!swap && host_.swap_accounting) line("", "memory.swap.max", "0");
    if (!has("memory")) return {};
    if (!swap) {
      line("memory.swappiness", "", "0");
    } else if (config_.contains("limits.memory.swap.priority") && !swap_priority.empty()) {
      BERTH_TRY(const std::uint64_t priority, number("limits.memory.swap.priority", swap_priority));
      line("memory.swappiness", "", std::to_string(50 + priority));
    }
    return {};
  }

  Result<std::uint64_t> memory_bytes(std::string_view limit) const {
    if (!limit.ends_with('%')) return parse_size(limit);
    BERTH_TRY(const std::uint64_t percent, number("limits.memory", limit.substr(0, limit.size() - 1)));
    return host_.memory_bytes / 100 * percent;
  }

  Result<void> cpu_set() {
    const std::string_view wanted = value("limits.cpu");
    if (wanted.empty()) return {};
    BERTH_CHECK(needs("cpuset", "limits.cpu"));
    if (wanted.find_first_of(",-") != std::string_view::npos) {
      line("cpuset.cpus", "cpuset.cpus", std::string(wanted));
      return {};
    }
    BERTH_TRY(const std::uint64_t count, number("limits.cpu", wanted));
    std::vector<unsigned> chosen = host_.cpus;
    if (count == 0) return out_of_shape("limits.cpu", wanted);
    if (count < chosen.size()) chosen.resize(count);
    std::sort(chosen.begin(), chosen.end());
    std::string text;
    for (const unsigned cpu : chosen) text += (text.empty() ? "" : ",") + std::to_string(cpu);
    line("cpuset.cpus", "cpuset.cpus", std::move(text));
    return {};
  }

  Result<void> cpu_share() {
    const std::string_view allowance = value("limits.cpu.allowance");
    BERTH_TRY(const std::uint64_t priority, number("limits.cpu.priority", priority_text("limits.cpu.priority")));
    const std::uint64_t handicap = kTopPriority - std::min(priority, kTopPriority);
    if ((allowance.empty() || allowance == "100%") && handicap == 0) return {};
    BERTH_CHECK(needs("cpu", handicap > 0 ? "limits.cpu.priority" : "limits.cpu.allowance"));
    std::uint64_t percent = 100;
    if (allowance.ends_with('%')) {
      BERTH_TRY(percent, number("limits.cpu.allowance", allowance.substr(0, allowance.size() - 1)));
    } else if (!allowance.empty()) {
      BERTH_CHECK(cpu_quota(allowance));
    }
    if (percent == 100 && handicap == 0) return {};
    const auto share = [&](std::uint64_t full) {
      const std::uint64_t part = full * percent / 100;
      return std::to_string(part > handicap + 1 ? part - handicap : 2);  // 2 is the least the kernel takes
    };
    line("cpu.shares", "cpu.weight", share(host_.unified_cgroups ? kFullWeight : kFullShare));
    return {};
  }

  std::string_view priority_text(std::string_view key) const {
    const std::string_view text = value(key);
    return text.empty() ? "10" : text;
  }

  /// `25ms/100ms`: so much time in each such period.
  Result<void> cpu_quota(std::string_view allowance) {
    const std::size_t slash = allowance.find("ms/");
    if (slash == std::string_view::npos || !allowance.ends_with("ms")) return out_of_shape("limits.cpu.allowance", allowance);
    const std::string_view period_text = allowance.substr(slash + 3, allowance.size() - slash - 5);
    BERTH_TRY(const std::uint64_t quota, number("limits.cpu.allowance", allowance.substr(0, slash)));
    BERTH_TRY(const std::uint64_t period, number("limits.cpu.allowance", period_text));
    const std::string quota_us = std::to_string(quota * kMicroseconds);
    const std::string period_us = std::to_string(period * kMicroseconds);
    line("cpu.cfs_period_us", "", period_us);
    line("cpu.cfs_quota_us", "cpu.max", host_.unified_cgroups ? quota_us + " " + period_us : quota_us);
    return {};
  }

  Result<void> processes() {
    const std::string_view limit = value("limits.processes");
    if (limit.empty()) return {};
    BERTH_CHECK(needs("pids", "limits.processes"));
    BERTH_TRY(const std::uint64_t count, number("limits.processes", limit));
    line("pids.max", "pids.max", std::to_string(count));
    return {};
  }

  Result<void> disk() {
    if (!config_.contains("limits.disk.priority") || value("limits.disk.priority").empty()) return {};
    const std::string controller = host_.unified_cgroups ? "io" : "blkio";
    BERTH_CHECK(needs(controller, "limits.disk.priority"));
    BERTH_TRY(const std::uint64_t priority, number("limits.disk.priority", value("limits.disk.priority")));
    const std::string weight = std::to_string(priority == 0 ? 10 : priority * 100);
    line("blkio.weight", "io.weight", weight);
    return {};
  }

  void kernel() {
    constexpr std::string_view kFamily = "limits.kernel.";
    for (const auto& [key, limit] : config_)
      if (key.starts_with(kFamily) && !limit.empty())
        lines_.emplace_back("lxc.prlimit." + key.substr(kFamily.size()), limit);
  }

  const ConfigMap& config_;
  const LxcHostFacts& host_;
  LxcConfig lines_;
};

}  // namespace

Result<LxcConfig> limit_lines(const ConfigMap& config, const LxcHostFacts& host) {
  return LimitWriter(config, host).write();
}

Result<LxcConfig> v1_control_files(const std::string& file, const std::string& value) {
  const std::string unlimited = value == "max" ? "-1" : value;
  if (file == "memory.max") return LxcConfig{{"memory.limit_in_bytes", unlimited}};
  if (file == "memory.high") return LxcConfig{{"memory.soft_limit_in_bytes", unlimited}};
  if (file == "memory.swap.max") return LxcConfig{};  // v1 counts memory and swap together
  if (file == "io.weight") return LxcConfig{{"blkio.weight", value}};
  if (file == "cpu.weight") {
    BERTH_TRY(const std::uint64_t weight, number(file, value));
    return LxcConfig{{"cpu.shares", std::to_string(std::max<std::uint64_t>(weight * kFullShare / kFullWeight, 2))}};
  }
  if (file == "cpu.max") {
    const std::size_t blank = value.find(' ');
    const std::string quota = value.substr(0, blank);
    LxcConfig files;
    if (blank != std::string::npos) files.emplace_back("cpu.cfs_period_us", value.substr(blank + 1));
    files.emplace_back("cpu.cfs_quota_us", quota == "max" ? "-1" : quota);
    return files;
  }
  return LxcConfig{{file, value}};
}

}  // namespace berth
