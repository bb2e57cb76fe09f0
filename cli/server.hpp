#pragma once

#include "base/result.hpp"
#include "cli/command.hpp"
#include "cli/output/shape.hpp"
#include "cli/remotes.hpp"
#include "cli/transport.hpp"

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

/// A server, asked in the words of the API: every request carries the project of the command line or of the remote,
/// every answer comes as its metadata, and every error as the sentence the server says. Used on one thread.
class Server {
 public:
  /// The server of a remote. Errors: NotFound for an unknown remote, Unavailable without a system bus, NotSupported
  /// for a server that has another protocol.
  static Result<std::unique_ptr<Server>> connect(const Globals& globals, const Configuration& configuration,
                                                 const std::string& remote);
  Server(const Globals& globals, std::string remote, std::string project, std::unique_ptr<Transport> transport)
      : globals_(globals), remote_(std::move(remote)), project_(std::move(project)), transport_(std::move(transport)) {}

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
  /// The bytes of a log or another answer that is no JSON. Errors: LimitsExceeded beyond 16 MiB.
  Result<std::string> get_text(const std::string& target);
  /// The whole answer to a GET that has no error.
  Result<rest::Response> fetch(const std::string& target);

  /// The whole answer, as it is. The project is added to the target.
  rest::Response call(rest::Request request);
  Transport& transport() noexcept { return *transport_; }
  rest::PollLoop& loop() { return transport_->loop(); }
  const Globals& globals() const noexcept { return globals_; }
  /// Its name among the user's remotes.
  const std::string& remote() const noexcept { return remote_; }
  /// The project that requests are about; "default" when none was chosen.
  std::string project() const { return project_.empty() ? "default" : project_; }
  /// From now on requests are about another project.
  void use_project(std::string project) { project_ = std::move(project); }
  /// `target` with `project=` when there is one.
  std::string in_project(const std::string& target) const;

 private:
  const Globals& globals_;
  std::string remote_;
  std::string project_;
  std::unique_ptr<Transport> transport_;
};

/// The metadata of an answer, or its error. Errors: as the status says.
Result<Json> metadata(const rest::Response& response);
/// An operation that has ended, or why it failed. Errors: Cancelled, Internal with the daemon's sentence.
Result<Json> ended_well(Json operation);

}  // namespace berth::cli
