#include <algorithm>
#include <map>
#include <utility>

#include "daemon/adapters/hardware/parts.hpp"

namespace berth::hardware {
namespace {

constexpr std::uint64_t kKhzInMhz = 1000;

/// What /proc/cpuinfo says of one processor.
struct Model {
  std::string name, vendor;
};

std::map<std::uint64_t, Model> read_models(const Tree& proc) {
  std::map<std::uint64_t, Model> models;
  const auto text = proc.text("cpuinfo").value_or("");
  std::optional<std::uint64_t> processor;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const std::string_view line(text.data() + at, end - at);
    at = end + 1;
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto key = line.substr(0, std::min(line.find_last_not_of(" \t", colon - (colon > 0 ? 1 : 0)) + 1, colon));
    const auto begin = line.find_first_not_of(" \t", colon + 1);
    const auto value = begin == std::string_view::npos ? std::string_view{} : line.substr(begin);
    if (key == "processor") processor = parse_number(value);
    if (!processor) continue;
    if (key == "model name" || key == "cpu") models[*processor].name = value;
    if (key == "vendor_id") models[*processor].vendor = value;
  }
  return models;
}

std::vector<Document> read_caches(const Tree& cpu) {
  std::vector<Document> caches;
  const auto folder = cpu / "cache";
  for (const auto& name : folder.names()) {
    const auto cache = folder / name;
    const auto level = cache.number("level");
    const auto size = parse_cache_size(cache.line("size").value_or(""));
    if (!numbered(name, "index") || !level || !size) continue;
    caches.push_back({{"level", *level}, {"type", cache.line("type").value_or("")}, {"size", *size}});
  }
  return caches;
}

struct Core {
  std::uint64_t die = 0;
  std::uint64_t mhz = 0;
  std::vector<Document> threads;
};

struct Socket {
  Model model;
  std::vector<Document> caches;
  std::uint64_t lowest_mhz = 0, highest_mhz = 0;
  std::map<std::pair<std::uint64_t, std::uint64_t>, Core> cores;  ///< by die and number
};

std::uint64_t node_of(const Tree& cpu) {
  for (const auto& name : cpu.names())
    if (const auto node = numbered(name, "node")) return *node;
  return 0;
}

Document socket_document(std::uint64_t number, Socket& socket) {
  Document document{{"socket", number}};
  if (!socket.model.name.empty()) document["name"] = socket.model.name;
  if (!socket.model.vendor.empty()) document["vendor"] = socket.model.vendor;
  if (!socket.caches.empty()) document["cache"] = std::move(socket.caches);
  if (socket.lowest_mhz > 0) document["frequency_minimum"] = socket.lowest_mhz;
  if (socket.highest_mhz > 0) document["frequency_turbo"] = socket.highest_mhz;
  std::uint64_t sum = 0;
  std::uint64_t timed = 0;
  std::vector<Document> cores;
  for (auto& [place, core] : socket.cores) {
    Document row{{"core", place.second}, {"die", core.die}, {"threads", std::move(core.threads)}};
    if (core.mhz > 0) {
      row["frequency"] = core.mhz;
      sum += core.mhz;
      ++timed;
    }
    cores.push_back(std::move(row));
  }
  if (timed > 0) document["frequency"] = sum / timed;
  document["cores"] = std::move(cores);
  return document;
}

}  // namespace

Document read_cpu(const Tree& sys, const Tree& proc, const std::string& architecture) {
  const auto models = read_models(proc);
  const auto folder = sys / "devices/system/cpu";
  const auto isolated = parse_ranges(folder.line("isolated").value_or(""));
  std::map<std::uint64_t, Socket> sockets;
  std::uint64_t total = 0;
  for (const auto& name : folder.names()) {
    const auto number = numbered(name, "cpu");
    const auto cpu = folder / name;
    const auto topology = cpu / "topology";
    if (!number || !topology.is_folder()) continue;
    // What a kernel for a machine with a single socket does not number is number 0.
    auto& socket = sockets[topology.number("physical_package_id").value_or(0)];
    if (const auto model = models.find(*number); model != models.end() && socket.cores.empty()) socket.model = model->second;
    if (socket.caches.empty()) socket.caches = read_caches(cpu);
    const auto frequency = cpu / "cpufreq";
    if (const auto khz = frequency.number("cpuinfo_min_freq"); khz && socket.lowest_mhz == 0)
      socket.lowest_mhz = *khz / kKhzInMhz;
    if (const auto khz = frequency.number("cpuinfo_max_freq"))
      socket.highest_mhz = std::max(socket.highest_mhz, *khz / kKhzInMhz);

    const auto die = topology.number("die_id").value_or(0);
    auto& core = socket.cores[{die, topology.number("core_id").value_or(*number)}];
    core.die = die;
    if (const auto khz = frequency.number("scaling_cur_freq")) core.mhz = *khz / kKhzInMhz;
    core.threads.push_back({{"id", *number},
                            {"numa_node", node_of(cpu)},
                            {"thread", std::uint64_t{core.threads.size()}},
                            {"online", cpu.number("online").value_or(1) != 0},
                            {"isolated", isolated.contains(*number)}});
    ++total;
  }
  std::vector<Document> list;
  for (auto& [number, socket] : sockets) list.push_back(socket_document(number, socket));
  return Document{{"architecture", architecture}, {"sockets", std::move(list)}, {"total", total}};
}

}  // namespace berth::hardware
