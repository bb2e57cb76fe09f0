#include <array>
#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/names.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/server_image.hpp"

// Images of a server that speaks the LXD API, and of one that names a file and its hash in headers.

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr std::size_t kLargestAnswer = 4 << 20;

Error not_understood(const std::string& url) {
  return Error{Code::InvalidArgument, "the answer of " + shown(url) + " is not understood"};
}

/// A path of the API with the query's project and secret.
std::string address(const ServerQuery& query, const std::string& path) {
  std::string url = query.server + "/1.0/" + path;
  char separator = '?';
  const auto add = [&](const char* name, const std::string& value) {
    if (value.empty()) return;
    url += separator + std::string(name) + '=' + url_escape(value);
    separator = '&';
  };
  add("project", query.project);
  add("secret", query.secret);
  return url;
}

/// The metadata of a GET.
Result<json> ask(HttpsClient& client, const std::string& url) {
  BERTH_TRY(const std::string text, client.read({.url = url}, kLargestAnswer));
  json answer = json::parse(text, nullptr, false);
  if (!answer.is_object() || !answer.contains("metadata")) return not_understood(url);
  return std::move(answer["metadata"]);
}

std::string text_of(const json& object, const char* name) {
  return object.contains(name) && object[name].is_string() ? object[name].get<std::string>() : std::string();
}

bool is_fingerprint_prefix(const std::string& text) {
  return !text.empty() && text.size() <= 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

}  // namespace

std::int64_t seconds_of_time(std::string_view text) {
  const std::string copy(text.substr(0, 40));
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d", &year, &month, &day, &hour, &minute, &second) < 3) return 0;
  using namespace std::chrono;
  const year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || year < 1970 || year > 9999 || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
    return 0;
  return (sys_days(date).time_since_epoch() + hours(hour) + minutes(minute) + seconds(second)) / seconds(1);
}

Result<ServerImage> find_lxd_image(HttpsClient& client, const ServerQuery& query) {
  std::string reference = query.reference;
  ServerImage out;
  if (query.secret.empty()) {
    const auto alias = ask(client, address(query, "images/aliases/" + url_escape(reference)));
    if (alias) {
      reference = text_of(*alias, "target");
      out.by_alias = true;
    } else if (alias.error().code != Code::NotFound || !is_fingerprint_prefix(reference)) {
      return Error(alias.error()).within("Failed getting remote image info");
    }
  }
  if (!is_fingerprint_prefix(reference)) return Error{Code::NotFound, "Failed getting remote image info: Image not found"};
  const auto url = address(query, "images/" + reference);
  auto image = ask(client, url);
  if (!image) return std::move(image).error().within("Failed getting remote image info");
  if (!image->is_object()) return not_understood(url);
  if (const auto type = text_of(*image, "type"); type == "virtual-machine")
    return Error{Code::NotSupported, "the image is of a virtual machine, and Berth runs containers"};
  out.fingerprint = text_of(*image, "fingerprint");
  out.architecture = text_of(*image, "architecture");
  out.filename = text_of(*image, "filename");
  if (image->contains("size") && (*image)["size"].is_number_unsigned()) out.size = (*image)["size"].get<std::uint64_t>();
  out.created_at = seconds_of_time(text_of(*image, "created_at"));
  out.expires_at = seconds_of_time(text_of(*image, "expires_at"));
  if (image->contains("properties") && (*image)["properties"].is_object())
    for (const auto& [name, value] : (*image)["properties"].items())
      if (value.is_string()) out.properties[name] = value.get<std::string>();
  out.files.push_back({address(query, "images/" + out.fingerprint + "/export"), out.size});
  return out;
}

Result<ServerImage> find_direct_image(HttpsClient& client, const ServerQuery& query) {
  std::string architectures;
  for (const auto& name : query.architectures) architectures += (architectures.empty() ? "" : ", ") + name;
  ServerImage out;
  BERTH_CHECK(client.transfer({.url = query.server,
                               .headers = {"LXD-Server-Architectures: " + architectures, "LXD-Server-Version: 5.0.2"},
                               .follow = true,
                               .head = true},
                              [&](const HttpsHead& head) -> Result<void> {
                                if (head.status != 200) return refusal(head.status, {});
                                const auto header = [&](const char* name) {
                                  const auto found = head.headers.find(name);
                                  return found == head.headers.end() ? std::string() : found->second;
                                };
                                out.fingerprint = header("lxd-image-hash");
                                out.files.push_back({header("lxd-image-url"), 0});
                                return {};
                              },
                              [](std::string_view) -> Result<void> { return {}; }));
  if (out.fingerprint.empty()) return Error{Code::InvalidArgument, "Missing LXD-Image-Hash header"};
  if (out.files.front().url.empty()) return Error{Code::InvalidArgument, "Missing LXD-Image-URL header"};
  const auto& url = out.files.front().url;
  out.filename = url.substr(url.rfind('/') + 1);
  return out;
}

}  // namespace berth::helpers
