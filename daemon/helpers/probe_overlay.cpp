#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "base/helper_process.hpp"
#include "base/unique_fd.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/verbs.hpp"

namespace berth::helpers {
namespace {

Result<void> make_file(const std::string& path) {
  const UniqueFd file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return system_error("cannot make a file", errno);
  return {};
}

/// In the overlay: change what the image has, take something away, and look at what that left in the upper layer.
Result<void> use_overlay() {
  BERTH_CHECK(make_file("/merged/new"));
  if (chown("/merged/new", 1000, 1000) != 0) return system_error("cannot change an owner in the overlay", errno);
  if (chmod("/merged/old", 0600) != 0) return system_error("cannot change a file of the image", errno);
  if (unlink("/merged/gone") != 0) return system_error("cannot remove a file of the image", errno);
  struct stat info {};
  if (stat("/layer/upper/new", &info) != 0 || info.st_uid != 1000)
    return Error{Code::Internal, "the upper layer does not keep owners"};
  if (lstat("/layer/upper/gone", &info) != 0 || !S_ISCHR(info.st_mode))
    return Error{Code::Internal, "the upper layer has no whiteout for a removed file"};
  if (stat("/layer/upper/old", &info) != 0) return Error{Code::Internal, "a changed file did not come up"};
  return {};
}

}  // namespace

Result<int> probe_overlay(Arguments) {
  for (const char* const name : {"lower", "layer", "layer/upper", "layer/work"})
    if (mkdirat(kHelperFirst, name, 0755) != 0) return system_error(std::string("cannot make ") + name, errno);
  for (const char* const name : {"lower/old", "lower/gone"}) {
    const UniqueFd file(openat(kHelperFirst, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
    if (!file) return system_error(std::string("cannot make ") + name, errno);
  }
  const UniqueFd lower(openat(kHelperFirst, "lower", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  const UniqueFd layer(openat(kHelperFirst, "layer", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Confinement confinement;
  confinement.shares = {{lower.get(), "lower", true}, {layer.get(), "layer"}};
  confinement.overlays = {OverlayShare{"/lower", "/layer/upper", "/layer/work", "merged"}};
  const auto work = [] {
    const auto used = use_overlay();
    report_result(used ? "yes" : "no " + used.error().message);
    return 0;
  };
  BERTH_TRY(const int status, run_confined(confinement, work));
  if (WIFSIGNALED(status))
    return Error{Code::Internal, "the probe was ended by signal " + std::to_string(WTERMSIG(status))};
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
