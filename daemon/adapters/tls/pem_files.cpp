#include "daemon/adapters/tls/pem_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/unique_fd.hpp"

namespace berth::tls {
namespace {

constexpr std::size_t kLargestFile = 1024 * 1024;

}  // namespace

Result<std::string> read_pem_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file && errno == ENOENT) return std::string();
  if (!file) return system_error("cannot open " + path, errno);
  std::string text(kLargestFile, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return system_error("cannot read " + path, errno);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<void> write_pem_file(const std::string& path, const std::string& text, mode_t mode) {
  const auto temporary = path + ".new";
  (void)::unlink(temporary.c_str());
  const UniqueFd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return system_error("cannot make " + temporary, errno);
  const bool written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fchmod(file.get(), mode) == 0 && ::fsync(file.get()) == 0 &&
                       ::rename(temporary.c_str(), path.c_str()) == 0;
  if (written) return {};
  const int why = errno;
  (void)::unlink(temporary.c_str());
  return system_error("cannot write " + path, why);
}

}  // namespace berth::tls
