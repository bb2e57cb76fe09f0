#include "cli/download.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::cli {

Result<Download> Download::create(const std::string& path) {
  auto folder = std::filesystem::path(path).parent_path().string();
  std::string temporary = (folder.empty() ? "." : folder) + "/.berth-download-XXXXXX";
  UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return system_error("cannot write " + path, errno);
  return Download(std::move(file), std::move(temporary));
}

Download::Download(Download&& other) noexcept
    : file_(std::move(other.file_)),
      temporary_(std::exchange(other.temporary_, {})),
      beginning_(std::move(other.beginning_)) {}

Download::~Download() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> Download::write(std::string_view bytes) {
  constexpr std::size_t kBeginning = 8;
  if (beginning_.size() < kBeginning) beginning_ += bytes.substr(0, kBeginning - beginning_.size());
  while (!bytes.empty()) {
    const auto size = ::write(file_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("cannot write the download", errno);
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

Result<void> Download::finish(const std::string& path) {
  const auto mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(file_.get(), 0666 & ~mask) != 0 || ::rename(temporary_.c_str(), path.c_str()) != 0)
    return system_error("cannot write " + path, errno);
  temporary_.clear();
  return {};
}

std::string extension_of(std::string_view beginning) {
  using namespace std::string_view_literals;
  constexpr std::pair<std::string_view, const char*> kKnown[] = {
      {"\x1f\x8b"sv, ".tar.gz"},
      {"BZh"sv, ".tar.bz2"},
      {"\xfd"
       "7zXZ"sv,
       ".tar.xz"},
      {"\x5d\x00\x00"sv, ".tar.lzma"},
      {"\x28\xb5\x2f\xfd"sv, ".tar.zst"},
      {"hsqs"sv, ".squashfs"},
  };
  for (const auto& [magic, extension] : kKnown)
    if (beginning.starts_with(magic)) return extension;
  return ".tar";
}

}  // namespace berth::cli
