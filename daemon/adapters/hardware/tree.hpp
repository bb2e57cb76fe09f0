#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/domain/document.hpp"

namespace berth::hardware {

/// A folder of /sys or /proc. Every question about what is not there, is no regular file, or makes no sense has the answer
/// "nothing"; no read blocks, and none is longer than a bound.
class Tree {
 public:
  explicit Tree(std::string path) : path_(std::move(path)) {}

  const std::string& path() const noexcept { return path_; }
  Tree operator/(std::string_view name) const { return Tree(path_ + "/" + std::string(name)); }
  bool exists() const;
  bool is_folder() const;
  /// Names in the folder, sorted as people count (cpu2 before cpu10); at most some thousands.
  std::vector<std::string> names() const;
  /// The whole file, as text without control characters but newline and tab.
  std::optional<std::string> text(std::string_view name) const;
  /// The file's first line without blanks around it; nothing when that is empty.
  std::optional<std::string> line(std::string_view name) const;
  /// The file's number: decimal, or hexadecimal after `0x`.
  std::optional<std::uint64_t> number(std::string_view name) const;
  /// The digits of a number like `0x1af4`, without the prefix.
  std::optional<std::string> hex_digits(std::string_view name) const;
  bool flag(std::string_view name) const { return number(name).value_or(0) != 0; }
  /// Where the folder or a link in it really is.
  std::optional<Tree> target(std::string_view name = {}) const;
  /// The last word of the path.
  std::string base() const;
  Tree parent() const;

 private:
  std::string path_;
};

/// `number` as it stands in `text`, or nothing.
std::optional<std::uint64_t> parse_number(std::string_view text, int base = 10);
/// The members of a kernel's list as `0-3,5`; at most some thousands.
std::set<std::uint64_t> parse_ranges(std::string_view text);
/// `512K`, `32M`: bytes.
std::optional<std::uint64_t> parse_cache_size(std::string_view text);
/// `name1` where it is that prefix and a number: the number.
std::optional<std::uint64_t> numbered(std::string_view name, std::string_view prefix);

/// Puts a field where there is something to put.
template <typename Value>
void put(Document& document, const char* field, const std::optional<Value>& value) {
  if (value) document[field] = *value;
}

/// What a device of any bus tells: `driver`, `driver_version`, `numa_node`, `pci_address`, `usb_address`, `vendor_id`,
/// `product_id`. `device` is its folder; `kernel` the release, which is the version of a driver without one of its own.
void put_device(Document& document, const Tree& device, const std::string& kernel);
/// `driver` and `driver_version` alone.
void put_driver(Document& document, const Tree& device, const std::string& kernel);
/// The device on the PCI bus that `device` is or hangs on; nothing when there is none.
std::optional<Tree> pci_device(const Tree& device);
/// The node of memory that a device is near; 0 when it says nothing.
std::uint64_t numa_node(const Tree& device);

/// The `total` and the list under `name`.
Document counted(const char* name, std::vector<Document> list);

}  // namespace berth::hardware
