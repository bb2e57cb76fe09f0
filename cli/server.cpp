#include "cli/server.hpp"

#include "cli/output/text.hpp"
#include "cli/progress.hpp"
#include "cli/remote/http_transport.hpp"
#include "cli/remote/image_server.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/api.hpp"
#include "rest-bridge/api/url.hpp"

namespace berth::cli {
namespace {

rest::Request request_of(const std::string& method, const std::string& target, const Json& body,
                         const std::string& etag = {}) {
  rest::Request request;
  request.method = method;
  request.target = target;
  if (!body.is_null()) request.body = body.dump(-1, ' ', false, Json::error_handler_t::replace);
  if (!etag.empty()) request.headers.add("If-Match", etag);
  return request;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::connect(const Globals& globals, const Configuration& configuration,
                                                const std::string& name) {
  BERTH_TRY(const auto* const remote, configuration.find(name));
  auto transport = remote->is_local()                     ? local_transport()
                   : remote->protocol == "simplestreams" ? image_server(configuration, name)
                                                         : http_transport(configuration, name);
  if (!transport) return std::move(transport).error();
  return std::make_unique<Server>(globals, name, globals.project.empty() ? remote->project : globals.project,
                                  *std::move(transport));
}

std::string Server::in_project(const std::string& target) const {
  if (project_.empty() || target.find("project=") != std::string::npos ||
      target.find("all-projects=") != std::string::npos)
    return target;
  const char separator = target.find('?') == std::string::npos ? '?' : '&';
  return target + separator + "project=" + rest::percent_encode(project_);
}

rest::Response Server::call(rest::Request request) {
  request.target = in_project(request.target);
  if (globals_.debug)
    complain("DEBUG: " + request.method + ' ' + printable(request.target) + ' ' + printable(request.text()));
  auto response = transport_->call(std::move(request));
  if (globals_.debug) complain("DEBUG: " + std::to_string(response.status) + ' ' + printable(response.text()));
  return response;
}

Result<Json> Server::get(const std::string& target) { return metadata(call(request_of("GET", target, nullptr))); }

Result<Tagged> Server::get_tagged(const std::string& target) {
  const auto response = call(request_of("GET", target, nullptr));
  BERTH_TRY(auto value, metadata(response));
  return Tagged{.value = std::move(value), .etag = std::string(response.headers.get("ETag"))};
}

Result<Json> Server::start(const std::string& method, const std::string& target, const Json& body) {
  return metadata(call(request_of(method, target, body)));
}

Result<Json> Server::send(const std::string& method, const std::string& target, const Json& body,
                          const std::string& etag, const std::string& what) {
  return send(request_of(method, target, body, etag), what);
}

Result<Json> Server::send(rest::Request request, const std::string& what) {
  const auto response = call(std::move(request));
  BERTH_TRY(auto value, metadata(response));
  if (response.status != 202) return value;
  return finish(value, what);
}

Result<Json> Server::finish(const Json& operation, const std::string& what) {
  const auto id = text_of(operation, "id");
  rest::Response response;
  {
    const Progress progress(*this, id, what);
    response = call(request_of("GET", "/1.0/operations/" + id + "/wait", nullptr));
  }
  BERTH_TRY(auto ended, metadata(response));
  return ended_well(std::move(ended));
}

Result<std::string> Server::get_text(const std::string& target) {
  const auto response = call(request_of("GET", target, nullptr));
  if (const auto* file = std::get_if<rest::FileBody>(&response.body)) return read_all(file->fd.get());
  BERTH_TRY(const auto value, metadata(response));
  return value.is_string() ? value.get<std::string>() : value.dump();
}

Result<rest::Response> Server::fetch(const std::string& target) {
  auto response = call(request_of("GET", target, nullptr));
  if (response.status >= 400) BERTH_CHECK(metadata(response));
  return response;
}

Result<Json> metadata(const rest::Response& response) {
  if (response.status >= 400) {
    auto text = rest::metadata_of(response);
    if (!text) return std::move(text).error();
  }
  auto envelope = Json::parse(response.text(), nullptr, false);
  if (!envelope.is_object()) return Error{Code::Internal, "the answer is not the API's"};
  return std::move(envelope["metadata"]);
}

Result<Json> ended_well(Json operation) {
  const auto code = number_of(operation, "status_code");
  if (code == 200) return operation;
  auto message = text_of(operation, "err");
  if (message.empty()) message = code == 401 ? "The operation was cancelled" : "The operation failed";
  return Error{code == 401 ? Code::Cancelled : Code::Internal, std::move(message)};
}

}  // namespace berth::cli
