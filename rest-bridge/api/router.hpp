#pragma once

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rest-bridge/api/api.hpp"
#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/message.hpp"
#include "rest-bridge/api/sessions.hpp"
#include "rest-bridge/api/subscription.hpp"
#include "rest-bridge/api/url.hpp"

namespace berth::rest {

/// Everything a route's handler works with, for the time of one request.
struct Context {
  Caller& bus;
  Subscription& events;
  Sessions& sessions;
  const std::string& owner;
  const ClientInfo& client;
  Request request;
  Query query;
  std::map<std::string, std::string, std::less<>> parameters;
  /// "instances" or "containers": the collection the client asked in, and wants its URLs in.
  std::string collection = "instances";
  /// The project asked for ("default" when none is named); empty with all-projects.
  std::string project;

  const std::string& parameter(std::string_view name) const { return parameters.find(name)->second; }
  /// Lets a task run on after the answer, for as long as the client is connected.
  std::function<void(Task<Result<Response>>)> spawn;

  /// The project of a single object: never empty.
  std::string one_project() const { return project.empty() ? "default" : project; }
  int recursion() const;
};

using Answer = Task<Result<Response>>;
using Handler = Answer (*)(Context&);

/// One line of the API. `pattern` is literal but for `{name}` (one segment) and `{name...}` (the rest). A route under
/// /1.0/instances is served under /1.0/containers, too.
struct Route {
  std::string_view method;
  std::string_view pattern;
  std::string_view call;    ///< the D-Bus call it stands for
  std::string_view action;  ///< the polkit action that guards it, without its prefix
  Handler handler;          ///< nullptr: a feature that is not there; `call` then says what is missing
};

/// Every route, in the order of `--routes`.
const std::vector<Route>& all_routes();

/// The routes of one resource; each is in the file of its name.
std::span<const Route> server_routes();
std::span<const Route> instance_routes();
std::span<const Route> instance_state_routes();
std::span<const Route> snapshot_routes();
std::span<const Route> exec_routes();
std::span<const Route> console_routes();
std::span<const Route> instance_file_routes();
std::span<const Route> instance_metadata_routes();
std::span<const Route> image_routes();
std::span<const Route> image_transfer_routes();
std::span<const Route> backup_routes();
std::span<const Route> alias_routes();
std::span<const Route> profile_routes();
std::span<const Route> operation_routes();
std::span<const Route> event_routes();
std::span<const Route> storage_pool_routes();
std::span<const Route> resource_routes();
std::span<const Route> project_routes();
std::span<const Route> certificate_routes();
std::span<const Route> openapi_routes();
std::span<const Route> missing_routes();

/// Where a request leads.
struct Match {
  const Route* route = nullptr;  ///< nullptr: see `known_path`
  bool known_path = false;       ///< some other method is served there
  std::map<std::string, std::string, std::less<>> parameters;
  std::string collection = "instances";
};
Match find_route(std::string_view method, const std::vector<std::string>& segments);

/// Whether the body of this request is a stream to a descriptor in place of JSON text.
enum class BodyKind {
  Text,          ///< text that is small enough for memory, JSON mostly
  Backup,        ///< an upload when its Content-Type is application/octet-stream
  UploadOrJson,  ///< an upload, unless it says or looks like JSON
  Upload,        ///< an upload whatever it looks like, also an empty one
};
BodyKind body_kind(std::string_view method, std::string_view target);

/// The table as text, a route a line.
std::string routes_text();

}  // namespace berth::rest
