#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <string_view>

#include "base/helper_process.hpp"
#include "daemon/helpers/guest_entry.hpp"
#include "daemon/helpers/guest_work.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/root_share.hpp"
#include "daemon/helpers/verbs.hpp"

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRequest = 64 << 10;

Result<GuestFileRequest> read_request() {
  std::string text(kMaxRequest, '\0');
  const ssize_t size = read(kHelperInput, text.data(), text.size());
  if (size < 0) return system_error("cannot read the request", errno);
  text.resize(static_cast<std::size_t>(size));
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return Error{Code::Internal, "the request is not understood"};
  GuestFileRequest out;
  out.action = object.at("action").get<std::string>();
  out.path = object.at("path").get<std::string>();
  out.type = object.value("type", out.type);
  out.append = object.value("append", false);
  out.content = object.value("content", true);
  out.uid = object.value("uid", out.uid);
  out.gid = object.value("gid", out.gid);
  out.mode = object.value("mode", out.mode);
  return out;
}

int work(const GuestFileRequest& request, const char* root) {
  const UniqueFd top(open(root, O_PATH | O_DIRECTORY | O_CLOEXEC));
  Result<void> worked = top ? work_on_guest_file(top.get(), request, kHelperInput, report_result)
                            : Result<void>(system_error("cannot open the container's root", errno));
  if (!worked) report_error(worked.error());
  return worked ? 0 : 1;
}

}  // namespace

Result<int> files(Arguments arguments) {
  const std::string_view layout = arguments.empty() ? "" : arguments[0];
  const bool running = layout == "running";
  Confinement confinement;
  if (!running && !share_root(layout, confinement))
    return Error{Code::Internal, "files: `running`, `plain` or `overlay`"};
  BERTH_TRY(const GuestFileRequest request, read_request());
  // The content takes the place of the request: the one descriptor of a confined process that can be of any kind.
  const int content = kHelperFirst + (running ? 1 : static_cast<int>(confinement.shares.size()));
  if (dup2(content, kHelperInput) < 0) return system_error("cannot put the content in place", errno);
  close(content);
  if (running) {
    BERTH_CHECK(enter_guest(kHelperFirst));
    return work(request, "/");
  }
  BERTH_TRY(const int status, run_confined(confinement, [&request] { return work(request, "/root"); }));
  if (WIFSIGNALED(status))
    return Error{Code::Internal, "the work was ended by signal " + std::to_string(WTERMSIG(status))};
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
