// `sftp`: serves one client's socket about the files of one guest.

#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <string_view>

#include "base/helper_process.hpp"
#include "daemon/helpers/guest_entry.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/root_share.hpp"
#include "daemon/helpers/sftp_session.hpp"
#include "daemon/helpers/verbs.hpp"

namespace berth::helpers {
namespace {

constexpr std::size_t kFlush = 256 * 1024;  // bytes of answers that are collected before they are sent
constexpr unsigned long kProcessorTime = 30UL * 24 * 3600;

/// One client. `ended` is a pidfd that becomes readable when there is nothing left to serve, or -1.
class Server {
 public:
  Server(int root, int socket, int ended) : session_(root), socket_(socket), ended_(ended) {}

  /// Returns at the end of either side.
  void run() {
    while (answer_all() && send() && wait_for(POLLIN) && receive()) {
    }
  }

 private:
  bool wait_for(short events) {
    for (;;) {
      pollfd waiting[2] = {{.fd = socket_, .events = events, .revents = 0}, {.fd = ended_, .events = POLLIN, .revents = 0}};
      const int ready = poll(waiting, 2, -1);
      if (ready < 0 && errno != EINTR) return false;
      if (ready <= 0) continue;
      return waiting[1].revents == 0;
    }
  }

  bool receive() {
    const auto before = in_.size();
    in_.resize(before + sftp::kMaxPacket);
    const ssize_t n = read(socket_, in_.data() + before, sftp::kMaxPacket);
    in_.resize(before + static_cast<std::size_t>(n > 0 ? n : 0));
    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
  }

  /// Answers the packets that are there whole; false for what is no packet.
  bool answer_all() {
    std::size_t at = 0;
    for (std::string_view rest = in_; rest.size() >= 4; rest = std::string_view(in_).substr(at)) {
      const std::size_t size = sftp::Reader(rest).number();
      if (size == 0 || size > sftp::kMaxPacket) return false;
      if (rest.size() - 4 < size) break;
      if (!session_.answer(rest.substr(4, size), out_)) return false;
      at += 4 + size;
      if (out_.size() >= kFlush && !send()) return false;
    }
    in_.erase(0, at);
    return true;
  }

  bool send() {
    for (std::size_t done = 0; done < out_.size();) {
      const ssize_t n = write(socket_, out_.data() + done, out_.size() - done);
      if (n > 0) done += static_cast<std::size_t>(n);
      if (n < 0 && errno != EINTR && (errno != EAGAIN || !wait_for(POLLOUT))) return false;
    }
    out_.clear();
    return true;
  }

  sftp::Session session_;
  int socket_;
  int ended_;
  std::string in_, out_;
};

int serve(const char* root, int ended) {
  const UniqueFd top(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!top) {
    report_error(system_error("cannot open the container's root", errno));
    return 1;
  }
  report_result("{}");
  Server(top.get(), kHelperInput, ended).run();
  return 0;
}

}  // namespace

Result<int> sftp_server(Arguments arguments) {
  const std::string_view layout = arguments.empty() ? "" : arguments[0];
  if (layout == "running") {
    // The descriptor of init has to outlast the entry, which closes all but the first ones.
    if (dup2(kHelperFirst, STDOUT_FILENO) < 0) return system_error("cannot put a descriptor in place", errno);
    BERTH_CHECK(enter_guest(kHelperFirst));
    return serve("/", STDOUT_FILENO);
  }
  Confinement confinement;
  if (!share_root(layout, confinement)) return Error{Code::Internal, "sftp: `running`, `plain` or `overlay`"};
  confinement.cpu_seconds = kProcessorTime;
  BERTH_TRY(const int status, run_confined(confinement, [] { return serve("/root", -1); }));
  if (WIFSIGNALED(status))
    return Error{Code::Internal, "the work was ended by signal " + std::to_string(WTERMSIG(status))};
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
