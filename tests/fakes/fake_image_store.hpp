#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdio>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

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
  static Fingerprint fingerprint_of(const std::string& bytes) {
    std::array<char, 17> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%016zx", std::hash<std::string>{}(bytes));
    const std::string part(digits.data());
    return *Fingerprint::parse(part + part + part + part);
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
    std::vector<std::string> files{read_all(source.file.get())};
    if (source.rootfs) files.push_back(read_all(source.rootfs->get()));
    std::string bytes;
    for (const std::string& file : files) bytes += file;
    if (progress) progress("unpack", bytes.size());
    if (cancelled && cancelled()) return Error{Code::Cancelled, "The import was cancelled"};
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
    staged_.insert_or_assign(staged.staging, std::move(files));
    return staged;
  }
  Result<void> commit(const ports::StagedImage& staged) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(take_failure("commit"));
    auto files = staged_.extract(staged.staging);
    if (files.empty()) return Error{Code::NotFound, "No such staging"};
    images_.insert_or_assign(staged.fingerprint, staged);
    files_.insert_or_assign(staged.fingerprint, std::move(files.mapped()));
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
  /// Each image has the template `hostname.tpl`, and no other.
  Result<UniqueFd> open_template(const Fingerprint& fingerprint, const TemplateName& name) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(find(fingerprint));
    if (name.str() != "hostname.tpl") return Error{Code::NotFound, "The image has no template " + name.str()};
    return file_with("{{ container.name }}\n");
  }
  Result<std::vector<UniqueFd>> files(const Fingerprint& fingerprint) override {
    const std::lock_guard lock(mutex_);
    BERTH_CHECK(find(fingerprint));
    std::vector<UniqueFd> out;
    for (const std::string& bytes : files_.at(fingerprint)) {
      BERTH_TRY(UniqueFd fd, file_with(bytes));
      out.push_back(std::move(fd));
    }
    return out;
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
  static Result<UniqueFd> file_with(const std::string& bytes) {
    UniqueFd fd(memfd_create("image", MFD_CLOEXEC));
    if (!fd || write(fd.get(), bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()))
      return Error{Code::Internal, "cannot make a file in memory"};
    lseek(fd.get(), 0, SEEK_SET);
    return fd;
  }
  static std::string read_all(int fd) {
    std::string bytes;
    std::array<char, 4096> buffer{};
    for (ssize_t got = 0; (got = read(fd, buffer.data(), buffer.size())) > 0;)
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    return bytes;
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
  ports::ImageMetadata next_{.architecture = "x86_64",
                             .created_at = Timestamp(std::chrono::seconds(1700000000)),
                             .properties = {{"os", "busybox"}}};
  bool next_plain_ = false;
  std::map<std::string, Error> failures_;
  std::map<Fingerprint, ports::StagedImage> images_;
  std::map<Uuid, std::vector<std::string>> staged_;               ///< the files of each
  std::map<Fingerprint, std::vector<std::string>> files_;
};

}  // namespace berth::fakes
