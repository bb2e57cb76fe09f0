#pragma once

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/server.hpp"

#include <memory>

namespace berth::cli {

/// What a running command has at hand.
class Context {
 public:
  explicit Context(const Globals& globals) : globals_(globals) {}

  const Globals& globals() const noexcept { return globals_; }
  bool quiet() const noexcept { return globals_.quiet; }
  /// The daemon of this machine; connected at the first use. Errors: Unavailable.
  Result<Server*> server();
  /// Prints what a command did, unless it was asked to be quiet.
  void tell(std::string_view line) const;

 private:
  const Globals& globals_;
  std::unique_ptr<Server> server_;
};

}  // namespace berth::cli
