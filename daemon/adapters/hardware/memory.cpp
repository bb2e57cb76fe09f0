#include <algorithm>
#include <map>

#include "daemon/adapters/hardware/parts.hpp"

namespace berth::hardware {
namespace {

using Numbers = std::map<std::string, std::uint64_t, std::less<>>;

/// `Name: 12 kB`, or `Node 0 Name: 12 kB`: bytes, or a count where there is no unit.
Numbers read_meminfo(const Tree& folder) {
  Numbers numbers;
  const auto text = folder.text("meminfo").value_or("");
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto name = line.substr(0, colon);
    const auto value = line.substr(std::min(line.find_first_not_of(" \t", colon + 1), line.size()));
    const auto digits = value.substr(0, std::min(value.find(' '), value.size()));
    const auto number = parse_number(digits);
    const std::uint64_t unit = value.ends_with(" kB") ? 1024 : 1;
    if (number && *number <= UINT64_MAX / unit) numbers[std::string(name.substr(name.rfind(' ') + 1))] = *number * unit;
  }
  return numbers;
}

std::uint64_t value_of(const Numbers& numbers, std::string_view name) {
  const auto found = numbers.find(name);
  return found == numbers.end() ? 0 : found->second;
}

std::uint64_t minus(std::uint64_t from, std::uint64_t what) { return from > what ? from - what : 0; }

/// What the online blocks hold: the memory that is built in, of which the kernel keeps some to itself.
std::uint64_t built_in(const Tree& folder, std::uint64_t block) {
  std::uint64_t blocks = 0;
  for (const auto& name : folder.names())
    if (numbered(name, "memory") && (folder / name).flag("online")) ++blocks;
  return block <= UINT64_MAX / std::max<std::uint64_t>(blocks, 1) ? blocks * block : 0;
}

std::uint64_t times(std::uint64_t pages, std::uint64_t size) {
  return size == 0 || pages <= UINT64_MAX / size ? pages * size : 0;
}

}  // namespace

Document read_memory(const Tree& sys, const Tree& proc) {
  const auto whole = read_meminfo(proc);
  const auto page = value_of(whole, "Hugepagesize");
  const auto block = parse_number((sys / "devices/system/memory").line("block_size_bytes").value_or(""), 16).value_or(0);
  const auto total_or = [](std::uint64_t blocks, const Numbers& numbers) {
    return blocks > 0 ? blocks : value_of(numbers, "MemTotal");
  };
  const auto huge = [page](const Numbers& numbers, Document& into) {
    const auto pages = value_of(numbers, "HugePages_Total");
    into["hugepages_total"] = times(pages, page);
    into["hugepages_used"] = times(minus(pages, value_of(numbers, "HugePages_Free")), page);
  };

  std::vector<Document> nodes;
  const auto folder = sys / "devices/system/node";
  for (const auto& name : folder.names()) {
    const auto number = numbered(name, "node");
    if (!number) continue;
    const auto numbers = read_meminfo(folder / name);
    const auto spare = value_of(numbers, "MemFree") + value_of(numbers, "FilePages");
    Document node{{"numa_node", *number},
                  {"used", minus(value_of(numbers, "MemTotal"), spare)},
                  {"total", total_or(built_in(folder / name, block), numbers)}};
    huge(numbers, node);
    nodes.push_back(std::move(node));
  }

  const auto spare = value_of(whole, "MemFree") + value_of(whole, "Buffers") + value_of(whole, "Cached");
  Document memory{{"used", minus(value_of(whole, "MemTotal"), spare)},
                  {"total", total_or(built_in(sys / "devices/system/memory", block), whole)},
                  {"hugepages_size", page}};
  huge(whole, memory);
  if (!nodes.empty()) memory["nodes"] = std::move(nodes);
  return memory;
}

}  // namespace berth::hardware
