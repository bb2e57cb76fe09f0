#include "cli/commands/shared.hpp"

#include "cli/document.hpp"
#include "cli/editor.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace berth::cli {

Result<int> print_listing(const Listing& listing, const std::string& format) {
  BERTH_TRY(const auto text, render(listing, format));
  print(text);
  return 0;
}

Flag format_flag(std::string* format) { return {"-f,--format", format, "Format (csv|json|table|yaml|compact)"}; }

Result<void> change_object(Server& server, const std::string& path, Shape put,
                           const std::function<Result<void>(Json&)>& change) {
  BERTH_TRY(const auto object, server.get_tagged(path));
  auto part = pick(object.value, put);
  BERTH_CHECK(change(part));
  if (const auto done = server.send("PUT", path, part, object.etag); !done) return done.error();
  return {};
}

Result<Filters> filters_of(Context& context, const Strings& arguments) {
  Filters asked{.server = nullptr, .filters = arguments};
  std::string remote;
  if (!arguments.empty() && arguments.front().find(':') != std::string::npos &&
      arguments.front().find('=') == std::string::npos) {
    BERTH_TRY(auto named, context.split(arguments.front()));
    remote = std::move(named.remote);
    asked.filters.front() = std::move(named.name);
    if (asked.filters.front().empty()) asked.filters.erase(asked.filters.begin());
  }
  BERTH_TRY(asked.server, context.server(remote));
  return asked;
}

Result<Place> split_last(Context& context, const Strings& arguments) {
  if (arguments.size() == 1) return context.named(arguments[0], "object's");
  if (!arguments[0].ends_with(':')) return Error{Code::InvalidArgument, "Invalid number of arguments"};
  BERTH_TRY(auto place, context.place(arguments[0]));
  place.name = arguments[1];
  return place;
}

Result<int> edit_object(Server& server, const std::string& path, Shape shown, Shape put, const std::string& help) {
  Tagged object;
  const bool interactive = is_terminal(STDIN_FILENO);
  if (interactive) {
    BERTH_TRY(auto read, server.get_tagged(path));
    object = std::move(read);
  }
  const auto text = interactive ? yaml_text(pick(object.value, shown), shown) : std::string();
  BERTH_CHECK(edit(help, text, [&](const std::string& edited) -> Result<void> {
    BERTH_TRY(const auto document, read_document(edited, put));
    if (const auto done = server.send("PUT", path, document, object.etag); !done) return done.error();
    return {};
  }));
  return 0;
}

std::string hinted_name(Context& context, const Place& place) {
  const auto configuration = context.configuration();
  const bool is_default = configuration && (*configuration)->default_remote == place.remote;
  return is_default ? place.name : place.remote + ':' + place.name;
}

Error with_hint(Error error, const std::string& hinted) {
  error.message += "\nTry `berth info --show-log " + hinted + "` for more info";
  return error;
}

void set_key(Json& map, const std::string& key, const std::string& value) {
  if (!map.is_object()) map = Json::object();
  map[key] = value;
}

Result<void> unset_key(Json& map, const std::string& key) {
  if (!map.is_object() || !map.contains(key))
    return Error{Code::NotFound, "Can't unset key '" + key + "', it's not currently set"};
  map.erase(key);
  return {};
}

}  // namespace berth::cli
