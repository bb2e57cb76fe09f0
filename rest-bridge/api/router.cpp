#include "rest-bridge/api/router.hpp"

#include <charconv>
#include <utility>

namespace berth::rest {
namespace {

struct Pattern {
  const Route* route;
  std::vector<std::string_view> segments;
};

std::vector<std::string_view> split(std::string_view pattern) {
  std::vector<std::string_view> segments;
  pattern.remove_prefix(1);
  while (!pattern.empty()) {
    const auto slash = pattern.find('/');
    segments.push_back(pattern.substr(0, slash));
    if (slash == std::string_view::npos) break;
    pattern.remove_prefix(slash + 1);
  }
  return segments;
}

const std::vector<Pattern>& patterns() {
  static const auto compiled = [] {
    std::vector<Pattern> list;
    for (const auto& route : all_routes()) list.push_back({.route = &route, .segments = split(route.pattern)});
    return list;
  }();
  return compiled;
}

bool fits(const Pattern& pattern, const std::vector<std::string>& segments, Match& match) {
  std::map<std::string, std::string, std::less<>> parameters;
  const auto& wanted = pattern.segments;
  std::string collection = "instances";
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (i >= segments.size()) return false;
    const auto want = wanted[i];
    if (!want.starts_with('{')) {
      if (want == segments[i]) continue;
      if (i != 1 || want != "instances" || segments[i] != "containers") return false;
      collection = "containers";
    } else if (want.ends_with("...}")) {
      std::string rest = segments[i];
      for (std::size_t j = i + 1; j < segments.size(); ++j) rest += '/' + segments[j];
      if (rest.empty()) return false;
      parameters.emplace(want.substr(1, want.size() - 5), std::move(rest));
      match.parameters = std::move(parameters);
      match.collection = std::move(collection);
      return true;
    } else {
      if (segments[i].empty()) return false;
      parameters.emplace(want.substr(1, want.size() - 2), segments[i]);
    }
  }
  if (segments.size() != wanted.size()) return false;
  match.parameters = std::move(parameters);
  match.collection = std::move(collection);
  return true;
}

}  // namespace

int Context::recursion() const {
  const auto text = query.get("recursion");
  int value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

const std::vector<Route>& all_routes() {
  static const auto routes = [] {
    std::vector<Route> list;
    for (const auto part : {server_routes(), instance_routes(), instance_state_routes(), snapshot_routes(), exec_routes(), console_routes(),
                            instance_file_routes(), instance_metadata_routes(),
                            // "aliases" is no fingerprint, so it is looked for first.
                            alias_routes(), image_routes(), image_transfer_routes(), backup_routes(), profile_routes(), project_routes(), storage_pool_routes(), resource_routes(), certificate_routes(), operation_routes(),
                            event_routes(), openapi_routes(), missing_routes()})
      list.insert(list.end(), part.begin(), part.end());
    return list;
  }();
  return routes;
}

Match find_route(std::string_view method, const std::vector<std::string>& segments) {
  Match match;
  for (const auto& pattern : patterns()) {
    if (!fits(pattern, segments, match)) continue;
    match.known_path = true;
    if (pattern.route->method != method) continue;
    match.route = pattern.route;
    return match;
  }
  return match;
}

BodyKind body_kind(std::string_view method, std::string_view target) {
  const auto path = target.substr(0, target.find('?'));
  if (method != "POST") return BodyKind::Text;
  if (path == "/1.0/images") return BodyKind::UploadOrJson;
  if (path == "/1.0/instances" || path == "/1.0/containers") return BodyKind::Backup;
  const bool instance = path.starts_with("/1.0/instances/") || path.starts_with("/1.0/containers/");
  return instance && path.ends_with("/files") ? BodyKind::Upload : BodyKind::Text;
}

std::string routes_text() {
  std::string text;
  const auto column = [&](std::string_view word, std::size_t width) {
    text.append(word);
    text.append(word.size() < width ? width - word.size() : 1, ' ');
  };
  for (const auto& route : all_routes()) {
    column(route.method, 8);
    column(route.pattern, 58);
    if (route.handler) {
      column(route.call, 46);
      text.append(route.action);
    } else {
      text.append("501: ").append(route.call);
    }
    text += '\n';
  }
  return text;
}

}  // namespace berth::rest
