#include "daemon/adapters/hardware/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/text.hpp"
#include "base/unique_fd.hpp"

namespace berth::hardware {
namespace {

constexpr std::size_t kLongestFile = std::size_t{4} << 20;  // cpuinfo of a host of a thousand processors
constexpr std::size_t kMostNames = 16384;
constexpr std::uint64_t kMostMembers = 16384;

struct CloseFolder {
  void operator()(DIR* folder) const noexcept { (void)::closedir(folder); }
};

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

/// strverscmp puts eth2 before eth10.
bool counted_before(const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) < 0; }

}  // namespace

bool Tree::exists() const { return ::access(path_.c_str(), F_OK) == 0; }

bool Tree::is_folder() const {
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

std::vector<std::string> Tree::names() const {
  std::vector<std::string> found;
  UniqueFd fd(::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd) return found;
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(fd.get()));
  if (!folder) return found;
  (void)fd.release();
  while (const auto* entry = ::readdir(folder.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == ".." || !is_text(name)) continue;
    if (found.size() == kMostNames) break;
    found.emplace_back(name);
  }
  std::sort(found.begin(), found.end(), counted_before);
  return found;
}

std::optional<std::string> Tree::text(std::string_view name) const {
  const auto file = path_ + "/" + std::string(name);
  // Not to wait where a pipe lies in the place of a file.
  const UniqueFd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat info {};
  if (!fd || ::fstat(fd.get(), &info) != 0 || !S_ISREG(info.st_mode)) return std::nullopt;
  std::string text;
  char buffer[16384];
  while (text.size() < kLongestFile) {
    const auto size = ::read(fd.get(), buffer, sizeof buffer);
    if (size < 0) return std::nullopt;
    if (size == 0) break;
    text.append(buffer, static_cast<std::size_t>(size));
  }
  std::erase_if(text, [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; });
  return as_text(text);
}

std::optional<std::string> Tree::line(std::string_view name) const {
  const auto whole = text(name);
  if (!whole) return std::nullopt;
  const auto first = trimmed(std::string_view(*whole).substr(0, whole->find('\n')));
  if (first.empty()) return std::nullopt;
  return std::string(first);
}

std::optional<std::uint64_t> Tree::number(std::string_view name) const {
  const auto first = line(name);
  if (!first) return std::nullopt;
  if (first->starts_with("0x")) return parse_number(std::string_view(*first).substr(2), 16);
  return parse_number(*first);
}

std::optional<std::string> Tree::hex_digits(std::string_view name) const {
  auto first = line(name);
  if (!first) return std::nullopt;
  if (first->starts_with("0x")) first->erase(0, 2);
  if (!parse_number(*first, 16)) return std::nullopt;
  return first;
}

std::optional<Tree> Tree::target(std::string_view name) const {
  const auto link = name.empty() ? path_ : path_ + "/" + std::string(name);
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(link.c_str(), nullptr), &std::free);
  if (!real || !is_text(real.get())) return std::nullopt;
  return Tree(real.get());
}

std::string Tree::base() const { return path_.substr(path_.rfind('/') + 1); }

Tree Tree::parent() const {
  const auto slash = path_.rfind('/');
  return Tree(slash == std::string::npos || slash == 0 ? std::string("/") : path_.substr(0, slash));
}

std::optional<std::uint64_t> parse_number(std::string_view text, int base) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::set<std::uint64_t> parse_ranges(std::string_view text) {
  std::set<std::uint64_t> members;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto range = trimmed(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const auto dash = range.find('-');
    const auto first = parse_number(range.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_number(range.substr(dash + 1));
    if (!first || !last || *last < *first || *last - *first >= kMostMembers) continue;
    for (auto member = *first; member <= *last && members.size() < kMostMembers; ++member) members.insert(member);
  }
  return members;
}

std::optional<std::uint64_t> parse_cache_size(std::string_view text) {
  std::uint64_t unit = 1;
  if (text.ends_with('K')) unit = 1024;
  if (text.ends_with('M')) unit = 1024 * 1024;
  if (unit != 1) text.remove_suffix(1);
  const auto number = parse_number(text);
  if (!number || *number > UINT64_MAX / unit) return std::nullopt;
  return *number * unit;
}

std::optional<std::uint64_t> numbered(std::string_view name, std::string_view prefix) {
  if (!name.starts_with(prefix)) return std::nullopt;
  return parse_number(name.substr(prefix.size()));
}

void put_driver(Document& document, const Tree& device, const std::string& kernel) {
  const auto driver = device.target("driver");
  if (!driver) return;
  document["driver"] = driver->base();
  document["driver_version"] = (*driver / "module").line("version").value_or(kernel);
}

std::optional<Tree> pci_device(const Tree& device) {
  auto at = device.target();
  while (at && at->path().find("/pci") != std::string::npos) {
    const auto subsystem = at->target("subsystem");
    if (subsystem && subsystem->base() == "pci") return at;
    at = at->parent();
  }
  return std::nullopt;
}

std::uint64_t numa_node(const Tree& device) {
  // -1, which is no number here, stands for "none".
  return device.number("numa_node").value_or(0);
}

void put_device(Document& document, const Tree& device, const std::string& kernel) {
  const auto pci = pci_device(device);
  const auto& bus_device = pci ? *pci : device;
  put_driver(document, bus_device, kernel);
  document["numa_node"] = numa_node(bus_device);
  put(document, "vendor_id", bus_device.hex_digits("vendor"));
  put(document, "product_id", bus_device.hex_digits("device"));
  if (pci) document["pci_address"] = pci->base();
  for (auto at = device.target(); at && at->path().find("/usb") != std::string::npos; at = at->parent()) {
    const auto bus = at->number("busnum");
    const auto number = at->number("devnum");
    if (!bus || !number) continue;
    document["usb_address"] = std::to_string(*bus) + ":" + std::to_string(*number);
    break;
  }
}

Document counted(const char* name, std::vector<Document> list) {
  const std::uint64_t total = list.size();
  return Document{{name, std::move(list)}, {"total", total}};
}

}  // namespace berth::hardware
