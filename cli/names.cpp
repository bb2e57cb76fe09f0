#include "cli/names.hpp"

#include "cli/output/text.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/url.hpp"

#include <unistd.h>

namespace berth::cli {

Result<std::string> local_name(std::string_view argument) {
  const auto colon = argument.find(':');
  if (colon == std::string_view::npos) return std::string(argument);
  if (argument.substr(0, colon) == "local") return std::string(argument.substr(colon + 1));
  return Error{Code::NotFound, "The remote \"" + printable(argument.substr(0, colon)) +
                                   "\" doesn't exist: there are no other servers yet, only local: (this machine)"};
}

Result<std::string> required_name(std::string_view argument, std::string_view what) {
  BERTH_TRY(auto name, local_name(argument));
  if (name.empty()) return Error{Code::InvalidArgument, "Missing " + std::string(what) + " name"};
  return name;
}

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

std::string api_path(std::string_view collection, std::string_view name) {
  return "/1.0/" + std::string(collection) + '/' + rest::percent_encode(name);
}

}  // namespace berth::cli
