#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "base/helper_process.hpp"
#include "base/result.hpp"
#include "base/sha256.hpp"
#include "base/unique_fd.hpp"
#include "daemon/ports/image_store.hpp"

namespace berth::adapters {

/// The receiving end of a helper that reads an archive while it arrives.
struct Listener {
  HelperProcess process;
  UniqueFd feed;  ///< a socket: writing to a helper that went away is an error, not a signal
};
Result<Listener> start_listener(const std::string& helper, std::initializer_list<const char*> arguments,
                                const std::vector<int>& descriptors);

/// Reads descriptors to their end: hashes, keeps a copy on disk, and hands the bytes to a helper, all in one pass.
class Spool {
 public:
  Spool(const ports::ImageProgress& progress, const std::function<bool()>& cancelled, std::uint64_t max_bytes)
      : progress_(progress), cancelled_(cancelled), max_bytes_(max_bytes), buffer_(1 << 20) {}

  /// The first bytes (up to 64 KiB) of `source` are read, so that its kind can be seen; receive() goes on from there.
  Result<std::string_view> peek(int source);
  /// Everything of `source`, what peek() read included, into `file`; also to `listener`, if any, as long as it listens.
  /// Returns early, without error, when the listener has failed: its finish() tells why.
  /// Errors: Cancelled, Unavailable (disk full), LimitsExceeded, Internal.
  Result<void> receive(int source, int file, Listener* listener);

  std::uint64_t received() const noexcept { return received_; }
  std::string digest() { return digest_.finish(); }
  /// Passes on progress, at most five times a second.
  void show(std::string_view stage, std::uint64_t bytes);

 private:
  Result<std::size_t> read_some(int source);
  Result<void> keep(int file, const char* data, std::size_t size);
  Result<bool> feed(Listener& listener, const char* data, std::size_t size);
  Result<void> check_cancelled() const;

  const ports::ImageProgress& progress_;
  const std::function<bool()>& cancelled_;
  std::uint64_t max_bytes_;
  std::vector<char> buffer_;
  std::size_t pending_ = 0;  ///< bytes of buffer_ that peek() left there
  std::uint64_t received_ = 0;
  Sha256 digest_;
  std::chrono::steady_clock::time_point shown_{};
};

}  // namespace berth::adapters
