#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace berth::bustest {

/// The uid of the REST bridge, which exists in these tests' own mount namespace alone.
inline constexpr uid_t kBridge = 64111;

/// A private message bus with the product's own policy and berthd on it, in a folder of their own. One for the whole test
/// program; all of it ends with it.
class Bench {
 public:
  static Bench& get();
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  const std::string& folder() const { return folder_; }
  /// Where the REST bridge's listener is.
  std::string rest_socket() const { return folder_ + "/run/unix.socket"; }
  std::string state() const { return folder_ + "/state"; }
  pid_t daemon() const { return daemon_; }
  /// Ends berthd and waits for it; false when it did not end by itself.
  bool stop_daemon();
  void start_daemon();
  /// Imports a small image and makes the instance `bench` from it, once. The operation's path.
  const std::string& make_instance();
  const std::string& image() const { return image_; }

 private:
  Bench();
  pid_t spawn(std::vector<std::string> command, std::vector<std::string> environment, const std::string& log, int socket = -1);
  std::string folder_, image_, instance_operation_;
  UniqueFd doorbell_, notify_;
  pid_t bus_ = 0, daemon_ = 0;
};

}  // namespace berth::bustest
