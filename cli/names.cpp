#include "cli/names.hpp"

#include "cli/terminal.hpp"
#include "rest-bridge/api/url.hpp"

#include <unistd.h>

namespace berth::cli {

Result<Pair> pair_of(const std::string& argument) {
  const auto equals = argument.find('=');
  if (equals == std::string::npos) return Error{Code::InvalidArgument, "Bad key=value pair: " + argument};
  return Pair(argument.substr(0, equals), argument.substr(equals + 1));
}

Result<std::vector<Pair>> settings_of(const std::vector<std::string>& arguments) {
  std::vector<Pair> pairs;
  if (arguments.size() == 2 && arguments.front().find('=') == std::string::npos) {
    pairs.emplace_back(arguments[0], arguments[1]);
  } else {
    for (const auto& argument : arguments) {
      BERTH_TRY(auto pair, pair_of(argument));
      pairs.push_back(std::move(pair));
    }
  }
  for (auto& [key, value] : pairs) {
    if (value != "-" || is_terminal(STDIN_FILENO)) continue;
    BERTH_TRY(auto text, read_all(STDIN_FILENO));
    value = std::move(text);
  }
  return pairs;
}

std::string name_in_url(std::string_view url) {
  url = url.substr(0, url.find('?'));
  const auto last = url.substr(url.rfind('/') + 1);
  return rest::percent_decode(last).value_or(std::string(last));
}

bool is_snapshot_name(std::string_view name) noexcept { return name.find('/') != std::string_view::npos; }

std::string instance_path(std::string_view name) {
  const auto slash = name.find('/');
  const auto path = api_path("instances", name.substr(0, slash));
  if (slash == std::string_view::npos) return path;
  return path + "/snapshots/" + rest::percent_encode(name.substr(slash + 1));
}

std::string api_path(std::string_view collection, std::string_view name) {
  return "/1.0/" + std::string(collection) + '/' + rest::percent_encode(name);
}

}  // namespace berth::cli
