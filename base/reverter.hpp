#pragma once

#include <functional>
#include <utility>
#include <vector>

namespace berth {

/// Undo steps of work in progress: they run in reverse order when the object dies, unless `commit()` came first.
/// Every step that changes the host registers its undo in the next line. An undo step must not throw.
class Reverter {
 public:
  Reverter() = default;
  Reverter(const Reverter&) = delete;
  Reverter& operator=(const Reverter&) = delete;
  ~Reverter() {
    for (auto step = steps_.rbegin(); step != steps_.rend(); ++step) (*step)();
  }

  void add(std::function<void()> undo) { steps_.push_back(std::move(undo)); }
  void commit() noexcept { steps_.clear(); }

 private:
  std::vector<std::function<void()>> steps_;
};

}  // namespace berth
