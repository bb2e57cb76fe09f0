#pragma once

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/output/shape.hpp"
#include "rest-bridge/api/api.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace berth::cli {

/// An object of the API with its tag, for a change that must not overwrite somebody else's.
struct Tagged {
  Json value;
  std::string etag;
};

/// The daemon of this machine, asked in the words of the API: every request carries the project of the command line,
/// every answer comes as its metadata, and every error as the sentence the daemon says. Used on one thread.
class Server {
 public:
  /// Errors: Unavailable without a system bus.
  static Result<std::unique_ptr<Server>> connect(const Globals& globals);

  Result<Json> get(const std::string& target);
  Result<Tagged> get_tagged(const std::string& target);
  /// A change. What takes long is waited for, with its progress on standard error when that is a terminal and `what`
  /// says how to call it ("Creating web"); Ctrl-C then cancels it. Gives the metadata, or the ended operation.
  Result<Json> send(const std::string& method, const std::string& target, const Json& body,
                    const std::string& etag = {}, const std::string& what = {});
  /// The same for a request that is ready, an upload for instance.
  Result<Json> send(rest::Request request, const std::string& what);
  /// Starts a change and gives its operation, which `finish` waits for: several run at the same time.
  Result<Json> start(const std::string& method, const std::string& target, const Json& body);
  Result<Json> finish(const Json& operation, const std::string& what = {});
  /// The bytes of a log.
  Result<std::string> get_text(const std::string& target);

  /// The whole answer, as it is. The project is added to the target.
  rest::Response call(rest::Request request);
  rest::Client& client() noexcept { return *client_; }
  const Globals& globals() const noexcept { return globals_; }
  /// `target` with `project=` when there is one.
  std::string in_project(const std::string& target) const;

 private:
  Server(const Globals& globals, std::unique_ptr<rest::Client> client)
      : globals_(globals), client_(std::move(client)) {}

  const Globals& globals_;
  std::unique_ptr<rest::Client> client_;
};

/// The metadata of an answer, or its error. Errors: as the status says.
Result<Json> metadata(const rest::Response& response);
/// An operation that has ended, or why it failed. Errors: Cancelled, Internal with the daemon's sentence.
Result<Json> ended_well(Json operation);

}  // namespace berth::cli
