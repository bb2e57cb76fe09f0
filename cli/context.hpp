#pragma once

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/remotes.hpp"
#include "cli/server.hpp"

#include <map>
#include <memory>
#include <optional>

namespace berth::cli {

/// An object of a server, as `[remote:]name` says it.
struct Place {
  Server* server = nullptr;
  std::string remote;
  std::string name;  ///< may be empty where a server is meant
};

/// What a running command has at hand.
class Context {
 public:
  explicit Context(const Globals& globals) : globals_(globals) {}

  const Globals& globals() const noexcept { return globals_; }
  bool quiet() const noexcept { return globals_.quiet; }
  /// The remotes and aliases of the user. Errors: as Configuration::load.
  Result<Configuration*> configuration();
  /// A remote by its name, the default one for none; connected at the first use. Errors: NotFound, Unavailable.
  Result<Server*> server(const std::string& remote = {});
  /// The server and the name in `[remote:]name`. Errors: as server().
  Result<Place> place(std::string_view argument);
  /// The same, and a name is required. Errors: InvalidArgument when there is none; `what` says of what ("instance").
  Result<Place> named(std::string_view argument, std::string_view what);
  /// Whose argument this is, without connecting. Errors: NotFound for an unknown remote.
  Result<RemoteName> split(std::string_view argument);
  /// From now on `remote` is this server: one that is connected already.
  void adopt(const std::string& remote, std::unique_ptr<Server> server) { servers_[remote] = std::move(server); }
  /// Prints what a command did, unless it was asked to be quiet.
  void tell(std::string_view line) const;

 private:
  const Globals& globals_;
  std::optional<Configuration> configuration_;
  std::map<std::string, std::unique_ptr<Server>> servers_;
};

}  // namespace berth::cli
