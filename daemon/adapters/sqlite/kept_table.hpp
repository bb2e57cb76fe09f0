#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "base/result.hpp"

namespace berth::sqlite {

/// What a small table says, in memory once it was read: its readers wait for no commit of others. Any thread.
template <typename Rows>
class KeptTable {
 public:
  /// What is kept, or what `read()` gives now.
  template <typename Read>
  Result<Rows> get(Read read) {
    std::uint64_t change = 0;
    {
      const std::lock_guard lock(mutex_);
      if (rows_) return *rows_;
      change = change_;
    }
    auto rows = read();
    const std::lock_guard lock(mutex_);
    if (rows && change == change_) rows_ = *rows;  // else it may be what was there before the change
    return rows;
  }
  /// After the commit that made it so; nothing when only a reading will tell.
  void changed_to(std::optional<Rows> rows) {
    const std::lock_guard lock(mutex_);
    ++change_;
    rows_ = std::move(rows);
  }

 private:
  std::mutex mutex_;
  std::optional<Rows> rows_;
  std::uint64_t change_ = 0;
};

}  // namespace berth::sqlite
