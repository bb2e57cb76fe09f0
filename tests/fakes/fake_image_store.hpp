#pragma once

#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "daemon/ports/image_store.hpp"

namespace berth::fakes {

/// Images in memory. What is staged is read to its end; its fingerprint stands for its bytes, its metadata is what the test
/// said. Any thread.
class FakeImageStore final : public ports::ImageStore {
 public:
  void describe_next(ports::ImageMetadata metadata, bool needs_plain = false) {
    const std::lock_guard lock(mutex_);
    next_ = std::move(metadata);
    next_plain_ = needs_plain;
  }
  /// The named call fails once: "stage", "commit", "tree", "remove".
  void fail_next(const std::string& call, Error error) {
    const std::lock_guard lock(mutex_);
    failures_.insert_or_assign(call, std::move(error));
  }
  std::vector<Fingerprint> images() {
    const std::lock_guard lock(mutex_);
    std::vector<Fingerprint> all;
    for (const auto& [fingerprint, image] : images_) all.push_back(fingerprint);
    return all;
  }
  std::size_t staged() {
    const std::lock_guard lock(mutex_);
    return staged_.size();
  }

  Result<ports::StagedImage> stage(ports::ImageSource source, const ports::ImageProgress& progress,
                                   const std::function<bool()>& cancelled) override {
    std::string bytes = read_all(source.file.get());
    if (source.rootfs) bytes += read_all(source.rootfs->get());
    progress("unpack", bytes.size());
    if (cancelled()) return Error{Code::Cancelled, "The import was cancelled"};
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(take_failure("stage"));
    const auto fingerprint = fingerprint_of(bytes);
    if (source.expected && *source.expected != fingerprint)
      return Error{Code::FailedPrecondition, "The image has another fingerprint"};
    ports::StagedImage staged{.staging = new_uuid(),
                              .fingerprint = fingerprint,
                              .size = bytes.size(),
                              .split = source.rootfs.has_value(),
                              .needs_plain_root = next_plain_,
                              .metadata = next_};
    staged_.insert(staged.staging);
    return staged;
  }
  Result<void> commit(const ports::StagedImage& staged) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(take_failure("commit"));
    if (staged_.erase(staged.staging) == 0) return Error{Code::NotFound, "No such staging"};
    images_.insert_or_assign(staged.fingerprint, staged);
    return {};
  }
  void discard(const Uuid& staging) override {
    const std::lock_guard lock(mutex_);
    staged_.erase(staging);
  }
  Result<std::string> tree(const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(take_failure("tree"));
    BERTH_CHECK(find(fingerprint));
    return "/images/" + fingerprint.str() + "/tree";
  }
  Result<bool> needs_plain_root(const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    BERTH_TRY(const auto image, find(fingerprint));
    return image.needs_plain_root;
  }
  Result<ports::ImageMetadata> metadata(const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    BERTH_TRY(const auto image, find(fingerprint));
    return image.metadata;
  }
  Result<std::vector<UniqueFd>> files(const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(find(fingerprint));
    return std::vector<UniqueFd>{};
  }
  Result<void> remove(const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(take_failure("remove"));
    images_.erase(fingerprint);
    return {};
  }
  Result<void> empty_trash() override { return {}; }
  Result<std::vector<Fingerprint>> reconcile() override {
    {
      const std::lock_guard lock(mutex_);
      staged_.clear();
    }
    return images();
  }

 private:
  static std::string read_all(int fd) {
    std::string bytes;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = read(fd, buffer.data(), buffer.size())) > 0;)
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    return bytes;
  }
  static Fingerprint fingerprint_of(const std::string& bytes) {
    std::array<char, 17> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%016zx", std::hash<std::string>{}(bytes));
    const std::string part(digits.data());
    return *Fingerprint::parse(part + part + part + part);
  }
  Result<ports::StagedImage> find(const Fingerprint& fingerprint) const {
    const auto found = images_.find(fingerprint);
    if (found == images_.end()) return Error{Code::NotFound, "There is no image " + fingerprint.str()};
    return found->second;
  }
  Result<void> take_failure(const std::string& call) {
    auto failure = failures_.extract(call);
    if (failure.empty()) return {};
    return std::move(failure.mapped());
  }

  std::mutex mutex_;
  ports::ImageMetadata next_{.architecture = "x86_64", .properties = {{"os", "busybox"}}};
  bool next_plain_ = false;
  std::map<std::string, Error> failures_;
  std::map<Fingerprint, ports::StagedImage> images_;
  std::set<Uuid> staged_;
};

}  // namespace berth::fakes
