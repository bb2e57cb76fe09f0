#include "daemon/adapters/guest/helper_guest_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>

#include "base/helper_process.hpp"
#include "daemon/adapters/guest/guest_root.hpp"

namespace berth::adapters {
namespace {

using nlohmann::json;

/// A file in memory that nobody can change any more.
Result<UniqueFd> sealed(const std::string& text) {
  UniqueFd fd(memfd_create("berth-render", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make a file in memory", errno);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd.get(), text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot write a file in memory", errno);
    at += static_cast<std::size_t>(n);
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return system_error("cannot seal a file in memory", errno);
  return fd;
}

}  // namespace

Result<void> HelperGuestFiles::render(const RootSpec& root, ports::RenderRequest request) {
  json files = json::array();
  for (const auto& one : request.due)
    files.push_back({{"trigger", one.trigger},
                     {"path", one.target},
                     {"template", one.name},
                     {"create_only", one.create_only},
                     {"properties", one.properties}});
  const json all{{"instance", request.instance},
                 {"config", request.config},
                 {"devices", request.devices},
                 {"files", std::move(files)}};
  BERTH_TRY(const UniqueFd input, sealed(all.dump(-1, ' ', false, json::error_handler_t::replace)));
  BERTH_TRY(const GuestRoot folders, open_guest_root(root));
  std::vector<int> descriptors;
  for (const auto& folder : folders.folders) descriptors.push_back(folder.get());
  for (const auto& one : request.due) descriptors.push_back(one.text.get());
  const std::string count = std::to_string(request.due.size());
  BERTH_TRY(const std::string answer,
            run_helper(helper_, {"render", folders.layout, count.c_str()}, input.get(), descriptors));
  return {};
}

}  // namespace berth::adapters
