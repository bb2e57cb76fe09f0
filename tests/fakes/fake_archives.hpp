#pragma once

#include <unistd.h>

#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "daemon/ports/archives.hpp"

namespace berth::fakes {

/// Archives that are lists of what they would hold. What a "backup" says of itself is the file's own text. Any thread.
class FakeArchives final : public ports::Archives {
 public:
  /// The named call fails once: "pack" (at its end), "read", "unpack".
  void fail_next(const std::string& call, Error error) {
    const std::lock_guard lock(mutex_);
    failures_.insert_or_assign(call, std::move(error));
  }
  /// Everything that was asked to be packed.
  std::vector<ports::PackRequest> packed() {
    const std::lock_guard lock(mutex_);
    return packed_;
  }
  /// The names of the snapshots of the backup that was unpacked last.
  std::vector<std::string> unpacked() {
    const std::lock_guard lock(mutex_);
    return unpacked_;
  }
  void metadata_next(ports::ImageMetadata metadata) {
    const std::lock_guard lock(mutex_);
    metadata_ = std::move(metadata);
  }

  Result<ports::Packing> pack(const ports::PackRequest& request, int target) override {
    const std::lock_guard lock(mutex_);
    packed_.push_back(request);
    std::string text;
    for (const auto& file : request.files) text += file.at + "=" + file.text + "\n";
    for (const auto& tree : request.trees) text += tree.at + "\n";
    const auto failure = take_failure("pack");
    if (failure) text.resize(text.size() / 2);
    const auto size = write(target, text.data(), text.size());
    return ports::Packing{.wait = [failure, size](const std::function<void(std::uint64_t)>& progress,
                                                  const std::function<bool()>&) -> Result<std::uint64_t> {
      if (failure) return *failure;
      if (size < 0) return Error{Code::Unavailable, "nobody reads the archive any more"};
      if (progress) progress(static_cast<std::uint64_t>(size));
      return static_cast<std::uint64_t>(size);
    }};
  }
  Result<std::string> read_backup(int file) override {
    const std::lock_guard lock(mutex_);
    if (auto failure = take_failure("read")) return *failure;
    std::string text;
    std::array<char, 4096> chunk{};
    for (off_t at = 0;;) {
      const ssize_t n = pread(file, chunk.data(), chunk.size(), at);
      if (n <= 0) break;
      at += n;
      text.append(chunk.data(), static_cast<std::size_t>(n));
    }
    if (!text.starts_with('{')) return Error{Code::InvalidArgument, "the archive has no backup/index.yaml, so it is no backup"};
    return text;
  }
  Result<ports::UnpackedBackup> unpack_backup(int, const ports::BackupPlaces& places,
                                              const std::function<void(std::uint64_t)>&,
                                              const std::function<bool()>&) override {
    const std::lock_guard lock(mutex_);
    if (auto failure = take_failure("unpack")) return *failure;
    unpacked_.clear();
    for (const auto& snapshot : places.snapshots) unpacked_.push_back(snapshot.name);
    return ports::UnpackedBackup{metadata_};
  }

 private:
  std::optional<Error> take_failure(const std::string& call) {
    auto failure = failures_.extract(call);
    if (failure.empty()) return std::nullopt;
    return std::move(failure.mapped());
  }

  std::mutex mutex_;
  std::map<std::string, Error> failures_;
  std::vector<ports::PackRequest> packed_;
  std::vector<std::string> unpacked_;
  std::optional<ports::ImageMetadata> metadata_;
};

}  // namespace berth::fakes
