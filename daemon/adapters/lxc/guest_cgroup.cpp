#include "daemon/adapters/lxc/guest_cgroup.hpp"

#include <time.h>

#include <chrono>
#include <fstream>

#include "base/cgroup.hpp"
#include "daemon/domain/lxc_config.hpp"

namespace berth::lxc {
namespace {

using namespace std::chrono_literals;

std::uint64_t number(const std::string& file) { return read_number(file).value_or(0); }

/// A value in a file of `key value` lines.
std::uint64_t number_in(const std::string& file, const std::string& wanted) {
  std::ifstream lines(file);
  std::string key;
  for (std::uint64_t value = 0; lines >> key >> value;)
    if (key == wanted) return value;
  return 0;
}

std::string first_word(const std::string& file) {
  std::ifstream text(file);
  std::string word;
  text >> word;
  return word;
}

std::uint64_t less(std::uint64_t whole, std::uint64_t part) { return whole > part ? whole - part : 0; }

}  // namespace

Result<GuestCgroup> GuestCgroup::of(pid_t init) {
  BERTH_TRY(const std::vector<CgroupPlace> places, cgroups_of(init));
  GuestCgroup guest;
  for (const auto& place : places) {
    const std::string_view root = payload_root(place.path);
    if (root.empty()) continue;
    const std::string folder = place.hierarchy.mount + std::string(root);
    if (place.hierarchy.unified) guest.unified_ = folder;
    for (const auto& controller : place.hierarchy.controllers) guest.v1_[controller] = folder;
    const std::size_t last = root.rfind('/');
    if (last > 0) guest.parent_ = root.substr(1, last - 1);
  }
  guest.memory_ = guest.v1("memory");
  guest.cpuacct_ = guest.v1("cpuacct");
  guest.pids_ = guest.v1("pids");
  guest.freezer_ = guest.v1("freezer");
  if (guest.parent_.empty()) return Error{Code::NotFound, "process " + std::to_string(init) + " is no container's init"};
  return guest;
}

std::string GuestCgroup::v1(const std::string& controller) const {
  const auto found = v1_.find(controller);
  return found != v1_.end() ? found->second : std::string();
}

Result<void> GuestCgroup::apply(const std::string& file, const std::string& value) const {
  const std::string controller = file.substr(0, file.find('.'));
  const std::string folder = v1(controller == "io" ? "blkio" : controller);
  if (folder.empty()) return write_text(unified_ + "/" + file, value);
  BERTH_TRY(const LxcConfig files, v1_control_files(file, value));
  for (const auto& [name, text] : files) BERTH_CHECK(write_text(folder + "/" + name, text));
  return {};
}

void GuestCgroup::read_usage(ports::RuntimeState& state) const {
  state.processes = number(pids_.empty() ? unified_ + "/pids.current" : pids_ + "/pids.current");
  state.cpu_ns =
      cpuacct_.empty() ? number_in(unified_ + "/cpu.stat", "usage_usec") * 1000 : number(cpuacct_ + "/cpuacct.usage");
  if (memory_.empty()) {
    state.memory_bytes = number(unified_ + "/memory.current");
    state.memory_peak_bytes = number(unified_ + "/memory.peak");
    state.swap_bytes = number(unified_ + "/memory.swap.current");
    state.swap_peak_bytes = number(unified_ + "/memory.swap.peak");
    return;
  }
  // The sum first: what is used meanwhile then counts as nothing swapped, and not as swapped out.
  const auto both = number(memory_ + "/memory.memsw.usage_in_bytes");
  const auto both_peak = number(memory_ + "/memory.memsw.max_usage_in_bytes");
  state.memory_bytes = number(memory_ + "/memory.usage_in_bytes");
  state.memory_peak_bytes = number(memory_ + "/memory.max_usage_in_bytes");
  state.swap_bytes = less(both, state.memory_bytes);
  state.swap_peak_bytes = less(both_peak, state.memory_peak_bytes);
}

bool GuestCgroup::frozen() const {
  if (!freezer_.empty()) return first_word(freezer_ + "/freezer.state") == "FROZEN";
  return number_in(unified_ + "/cgroup.events", "frozen") == 1;
}

Result<void> GuestCgroup::set_frozen(bool frozen) const {
  if (!freezer_.empty()) {
    BERTH_CHECK(write_text(freezer_ + "/freezer.state", frozen ? "FROZEN" : "THAWED"));
  } else {
    BERTH_CHECK(write_text(unified_ + "/cgroup.freeze", frozen ? "1" : "0"));
  }
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (this->frozen() != frozen) {
    if (std::chrono::steady_clock::now() > deadline)
      return Error{Code::FailedPrecondition, frozen ? "the container does not freeze" : "the container does not thaw"};
    const timespec pause{.tv_sec = 0, .tv_nsec = 1'000'000};
    (void)::nanosleep(&pause, nullptr);
  }
  return {};
}

}  // namespace berth::lxc
