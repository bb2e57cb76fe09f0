#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "daemon/ports/image_servers.hpp"
#include "tests/fakes/fake_image_store.hpp"

namespace berth::fakes {

/// Servers whose images are texts, by alias. A fingerprint is what FakeImageStore makes of the text. Any thread.
class FakeImageServers final : public ports::ImageServers {
 public:
  void publish(const std::string& alias, const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    images_[alias] = bytes;
  }
  /// The next transfer brings other bytes than the server promised.
  void swap_next(const std::string& bytes) {
    const std::lock_guard lock(mutex_);
    swapped_ = bytes;
  }
  /// The next transfer breaks off at its end.
  void break_next() {
    const std::lock_guard lock(mutex_);
    breaks_ = true;
  }
  int asked() {
    const std::lock_guard lock(mutex_);
    return asked_;
  }
  int sent() {
    const std::lock_guard lock(mutex_);
    return sent_;
  }

  Result<ports::ServerImage> find(const ports::ServerImageQuery& query, const std::function<bool()>& cancelled) override {
    if (cancelled && cancelled()) return Error{Code::Cancelled, "cancelled"};
    const std::lock_guard lock(mutex_);
    ++asked_;
    for (const auto& [alias, bytes] : images_) {
      const auto fingerprint = FakeImageStore::fingerprint_of(bytes);
      const bool by_alias = alias == query.at.alias;
      if (!by_alias && !fingerprint.str().starts_with(query.at.alias)) continue;
      return ports::ServerImage{.fingerprint = fingerprint,
                                .architecture = "x86_64",
                                .filename = alias + ".tar",
                                .size = bytes.size(),
                                .properties = {{"os", alias}},
                                .by_alias = by_alias,
                                .files = {{query.at.server + "/" + alias, bytes.size()}}};
    }
    return Error{Code::NotFound, "Failed getting remote image info: Image not found"};
  }
  Result<ports::ServerDownload> get(const ports::ServerImageQuery& query, const ports::ServerImage& image,
                                    const std::function<bool()>&) override {
    const std::lock_guard lock(mutex_);
    ++sent_;
    const auto url = image.files.front().url;
    auto bytes = images_[url.substr(query.at.server.size() + 1)];
    if (swapped_) bytes = *std::exchange(swapped_, std::nullopt);
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
    UniqueFd reading(ends[0]), writing(ends[1]);
    (void)!write(writing.get(), bytes.data(), bytes.size());
    return ports::ServerDownload{.file = std::move(reading),
                                 .rootfs = {},
                                 .end = [broken = std::exchange(breaks_, false)](const std::function<bool()>&) -> Result<void> {
                                   if (broken) return Error{Code::Unavailable, "the transfer broke off"};
                                   return {};
                                 }};
  }

 private:
  std::mutex mutex_;
  std::map<std::string, std::string> images_;
  std::optional<std::string> swapped_;
  bool breaks_ = false;
  int asked_ = 0, sent_ = 0;
};

}  // namespace berth::fakes
