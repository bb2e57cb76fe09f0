#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"

#include <string>
#include <string_view>

namespace berth::cli {

/// A file that is being written and is there under its name only when it is whole; what is not finished is removed.
class Download {
 public:
  /// Beside `path`. Errors: Internal, naming the folder.
  static Result<Download> create(const std::string& path);
  Download(Download&&) noexcept;
  Download& operator=(Download&&) = delete;
  Download(const Download&) = delete;
  Download& operator=(const Download&) = delete;
  ~Download();

  Result<void> write(std::string_view bytes);
  /// Gives it its name. Errors: Internal.
  Result<void> finish(const std::string& path);
  /// The first bytes that were written, at most 8.
  const std::string& beginning() const noexcept { return beginning_; }

 private:
  Download(UniqueFd file, std::string temporary) : file_(std::move(file)), temporary_(std::move(temporary)) {}
  UniqueFd file_;
  std::string temporary_;
  std::string beginning_;
};

/// How the name of an archive ends that begins with these bytes: ".tar.gz", ".squashfs", ".tar" when nothing is known.
std::string extension_of(std::string_view beginning);

}  // namespace berth::cli
