#include "daemon/bus/folder_watch.hpp"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace berth::bus {
namespace {

constexpr std::uint32_t kChanges = IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ONLYDIR;

}  // namespace

Result<FolderWatch> FolderWatch::on(EventLoop& loop, const std::string& folder, std::set<std::string> names,
                                    std::function<void()> changed) {
  FolderWatch watch;
  watch.source_ = std::make_unique<Source>(
      Source{UniqueFd(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK)), std::move(names), std::move(changed)});
  const int fd = watch.source_->fd.get();
  if (fd < 0 || ::inotify_add_watch(fd, folder.c_str(), kChanges) < 0) return system_error("cannot watch " + folder, errno);
  BERTH_TRY(watch.watch_, loop.watch(fd, EPOLLIN, [source = watch.source_.get()](std::uint32_t) { source->read(); }));
  return watch;
}

void FolderWatch::Source::read() const {
  alignas(inotify_event) std::array<char, 4096> buffer;  // NOLINT: filled by the read
  bool concerned = false;
  ssize_t size = 0;
  while ((size = ::read(fd.get(), buffer.data(), buffer.size())) > 0) {
    for (ssize_t at = 0; at < size;) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      // What did not fit the kernel's queue may have been one of ours.
      if ((event.mask & IN_Q_OVERFLOW) != 0 || (event.len > 0 && names.contains(name))) concerned = true;
      at += static_cast<ssize_t>(sizeof event + event.len);
    }
  }
  if (concerned) changed();
}

}  // namespace berth::bus
