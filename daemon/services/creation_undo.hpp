#pragma once

#include <functional>
#include <utility>

#include "base/log.hpp"
#include "base/result.hpp"
#include "base/reverter.hpp"
#include "daemon/ports/store.hpp"

namespace berth::services {

/// Undo of a creation. The intent ends last, and only if everything before it was undone: else reconcile tries again.
class CreationUndo {
 public:
  CreationUndo(ports::Store& store, const Uuid& intent) {
    steps_.add([this, &store, intent] {
      if (clean_) (void)store.end_intent(intent);
    });
  }
  CreationUndo(const CreationUndo&) = delete;
  CreationUndo& operator=(const CreationUndo&) = delete;

  void add(std::function<Result<void>()> step) {
    steps_.add([this, step = std::move(step)] {
      const auto undone = step();
      if (undone) return;
      clean_ = false;
      log::warning("A failed creation could not be undone: " + undone.error().message);
    });
  }
  void commit() noexcept { steps_.commit(); }

 private:
  bool clean_ = true;
  Reverter steps_;  // declared last: its steps run first
};

}  // namespace berth::services
