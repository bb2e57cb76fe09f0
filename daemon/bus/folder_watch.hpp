#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/bus/event_loop.hpp"

namespace berth::bus {

/// Tells when some files of a folder were written, came or went; what they say is for whoever hears it to read. Loop thread only.
class FolderWatch {
 public:
  /// `changed` is called on the loop, once for all that had happened by then. Errors: those of inotify.
  static Result<FolderWatch> on(EventLoop& loop, const std::string& folder, std::set<std::string> names,
                                std::function<void()> changed);

 private:
  struct Source {
    UniqueFd fd;
    std::set<std::string> names;
    std::function<void()> changed;
    void read() const;
  };
  FolderWatch() = default;

  std::unique_ptr<Source> source_;  // declared first, destroyed last: the watch goes before it
  EventSource watch_;
};

}  // namespace berth::bus
