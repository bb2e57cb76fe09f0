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

Result<int> edit_object(Context& context, const std::string& path, Shape shown, Shape put, const std::string& help) {
  BERTH_TRY(auto* const server, context.server());
  Tagged object;
  const bool interactive = is_terminal(STDIN_FILENO);
  if (interactive) {
    BERTH_TRY(auto read, server->get_tagged(path));
    object = std::move(read);
  }
  const auto text = interactive ? yaml_text(pick(object.value, shown), shown) : std::string();
  BERTH_CHECK(edit(help, text, [&](const std::string& edited) -> Result<void> {
    BERTH_TRY(const auto document, read_document(edited, put));
    if (const auto done = server->send("PUT", path, document, object.etag); !done) return done.error();
    return {};
  }));
  return 0;
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
