#include "rest-bridge/api/envelope.hpp"

#include <array>
#include <cstdio>
#include <utility>

namespace berth::rest {
namespace {

Response json_answer(int status, std::string text) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = std::move(text);
  return response;
}

std::string success(std::string_view type, std::string_view status, int status_code, std::string_view operation,
                    std::string_view metadata) {
  std::string text;
  text.reserve(metadata.size() + 192);
  text.append(R"({"type":")").append(type).append(R"(","status":")").append(status).append(R"(","status_code":)");
  text.append(std::to_string(status_code)).append(R"(,"operation":")").append(operation);
  text.append(R"(","error_code":0,"error":"","metadata":)").append(metadata).append("}\n");
  return text;
}

Response sync_text(int status, std::string_view metadata) {
  return json_answer(status, success("sync", "Success", 200, "", metadata));
}

}  // namespace

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Response sync_answer(const Json& metadata) { return sync_text(200, dump(metadata)); }
Response sync_text_answer(std::string_view metadata) { return sync_text(200, metadata); }
Response empty_answer() { return sync_text(200, "{}"); }

Response created_answer(std::string location) {
  auto response = sync_text(201, "null");
  response.headers.add("Location", std::move(location));
  return response;
}

Response async_answer(const Json& operation) {
  const auto url = "/1.0/operations/" + operation.at("id").get<std::string>();
  auto response = json_answer(202, success("async", "Operation created", 100, url, dump(operation)));
  response.headers.add("Location", url);
  return response;
}

Response error_answer(int status, std::string_view message) {
  std::string text = R"({"type":"error","status":"","status_code":0,"operation":"","error_code":)";
  text.append(std::to_string(status)).append(R"(,"error":)").append(dump(Json(message))).append(",\"metadata\":null}\n");
  auto response = json_answer(status, std::move(text));
  static const std::string kNoGuessing = "X-Content-Type-Options";
  response.headers.add(kNoGuessing, "nosniff");
  return response;
}

Response error_answer(const Error& error) { return error_answer(error_row(error.code).http_status, error.message); }

Response raw_answer(UniqueFd fd, std::string_view content_type) {
  Response response;
  response.headers.add("Content-Type", std::string(content_type));
  response.body = FileBody{.fd = std::move(fd), .size = std::nullopt};
  return response;
}

Response with_etag(Response response, const std::string& etag) {
  response.headers.add("ETag", '"' + etag + '"');
  return response;
}

std::string etag_of(const Json& parts) { return etag_of_text(dump(parts)); }

std::string etag_of_text(std::string_view text) {
  std::string tag;
  for (std::uint64_t lane = 0; lane < 4; ++lane) {
    std::uint64_t hash = 0xcbf29ce484222325U ^ (lane * 0x9e3779b97f4a7c15U);
    for (const char c : text) {
      hash ^= static_cast<unsigned char>(c);
      hash *= 0x100000001b3U;
      hash ^= hash >> (29U + lane);
    }
    std::array<char, 17> digits{};
    std::snprintf(digits.data(), digits.size(), "%016llx", static_cast<unsigned long long>(hash));
    tag += digits.data();
  }
  return tag;
}

}  // namespace berth::rest
