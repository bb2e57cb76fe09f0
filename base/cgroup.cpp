#include "base/cgroup.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <memory>
#include <sstream>

#include "base/unique_fd.hpp"

namespace berth {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

struct CloseDir {
  void operator()(DIR* dir) const noexcept { ::closedir(dir); }
};

std::vector<std::string> subfolders(const std::string& folder) {
  std::vector<std::string> names;
  const std::unique_ptr<DIR, CloseDir> dir(::opendir(folder.c_str()));
  if (!dir) return names;
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name = static_cast<const char*>(entry->d_name);
    if (entry->d_type == DT_DIR && name != "." && name != "..") names.emplace_back(name);
  }
  return names;
}

void kill_members(const std::string& folder) {
  std::ifstream members(folder + "/cgroup.procs");
  for (pid_t pid = 0; members >> pid;)
    if (pid > 0 && pid != ::getpid()) (void)::kill(pid, SIGKILL);
}

bool remove_tree(const std::string& folder, bool kill) {
  bool gone = true;
  for (const auto& name : subfolders(folder)) gone = remove_tree(folder + "/" + name, kill) && gone;
  if (kill) kill_members(folder);
  return (::rmdir(folder.c_str()) == 0 || errno == ENOENT) && gone;
}

std::string_view payload_component(std::string_view path) {
  for (std::size_t at = 0; at < path.size();) {
    const std::size_t end = std::min(path.find('/', at), path.size());
    const std::string_view part = path.substr(at, end - at);
    if (part.starts_with(kPayloadPrefix)) return part;
    at = end + 1;
  }
  return {};
}

}  // namespace

bool CgroupPlace::has(std::string_view controller) const {
  return std::find(hierarchy.controllers.begin(), hierarchy.controllers.end(), controller) != hierarchy.controllers.end();
}

std::vector<CgroupHierarchy> cgroup_hierarchies() {
  std::vector<CgroupHierarchy> found;
  std::ifstream mounts("/proc/self/mountinfo");
  for (std::string line; std::getline(mounts, line);) {
    const std::size_t dash = line.find(" - ");
    if (dash == std::string::npos) continue;
    const auto left = split(line.substr(0, dash), ' ');
    const auto right = split(line.substr(dash + 3), ' ');
    if (left.size() < 5 || right.size() < 3 || left[3] != "/") continue;
    CgroupHierarchy hierarchy{.mount = left[4], .controllers = {}, .unified = right[0] == "cgroup2"};
    if (right[0] == "cgroup") {
      for (auto& option : split(right[2], ','))
        if (option != "rw" && option != "ro" && option != "xattr") hierarchy.controllers.push_back(option);
    } else if (!hierarchy.unified) {
      continue;
    }
    const bool known = std::any_of(found.begin(), found.end(), [&](const CgroupHierarchy& other) {
      return other.unified == hierarchy.unified && other.controllers == hierarchy.controllers;
    });
    if (!known) found.push_back(std::move(hierarchy));
  }
  return found;
}

Result<std::vector<CgroupPlace>> cgroups_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/cgroup");
  if (!file) return Error{Code::NotFound, "there is no process " + std::to_string(pid)};
  const auto hierarchies = cgroup_hierarchies();
  std::vector<CgroupPlace> places;
  for (std::string line; std::getline(file, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const auto controllers = split(line.substr(first + 1, second - first - 1), ',');
    for (const auto& hierarchy : hierarchies)
      if (hierarchy.unified ? controllers.empty() : hierarchy.controllers == controllers)
        places.push_back({hierarchy, line.substr(second + 1)});
  }
  if (places.empty()) return Error{Code::NotFound, "process " + std::to_string(pid) + " is in no cgroup"};
  return places;
}

std::string_view payload_root(std::string_view path) {
  const std::string_view part = payload_component(path);
  if (part.empty()) return {};
  return path.substr(0, static_cast<std::size_t>(part.data() - path.data()) + part.size());
}

std::string_view payload_name(std::string_view path) {
  constexpr std::size_t kUuidLength = 36;
  return payload_component(path).substr(std::min(kPayloadPrefix.size(), payload_component(path).size())).substr(0, kUuidLength);
}

bool remove_container_cgroups(const std::string& parent, std::string_view name, bool kill) {
  bool gone = true;
  for (const auto& hierarchy : cgroup_hierarchies()) {
    const std::string folder = hierarchy.mount + "/" + parent;
    for (const auto& entry : subfolders(folder)) {
      const bool ours = entry.starts_with(std::string(kPayloadPrefix).append(name)) ||
                        entry.starts_with(std::string(kMonitorPrefix).append(name));
      if (ours) gone = remove_tree(folder + "/" + entry, kill) && gone;
    }
  }
  return gone;
}

std::optional<std::uint64_t> read_number(const std::string& file) {
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return std::nullopt;
  char text[32];
  const ssize_t got = ::read(fd.get(), text, sizeof text);
  std::uint64_t value = 0;
  if (got <= 0 || std::from_chars(text, text + got, value).ec != std::errc{}) return std::nullopt;
  return value;
}

Result<void> write_text(const std::string& file, std::string_view text) {
  const UniqueFd fd(::open(file.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd) return system_error("cannot open " + file, errno);
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error("cannot write " + file, errno);
  return {};
}

}  // namespace berth
