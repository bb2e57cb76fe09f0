#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/editor.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/url.hpp"

#include <unistd.h>

// `config metadata` and `config template`.

namespace berth::cli {
namespace {

std::string metadata_path(const Place& place) { return api_path("instances", place.name) + "/metadata"; }

std::string template_path(const Place& place, const std::string& name) {
  return metadata_path(place) + "/templates?path=" + rest::percent_encode(name);
}

Result<void> write_template(const Place& place, const std::string& name, const std::string& text) {
  rest::Request request;
  request.method = "POST";
  request.target = template_path(place, name);
  request.headers.add("Content-Type", "application/octet-stream");
  request.body = text;
  if (auto done = place.server->send(std::move(request), {}); !done) return std::move(done).error();
  return {};
}

/// A command whose first argument is an instance, and whose second one is a template.
Command verb(std::string name, std::string summary, std::string example, std::size_t count,
             std::function<Result<void>(const Place&, const Strings&)> work) {
  Command command{.name = std::move(name),
                  .arguments = count == 1 ? "[<remote>:]<instance>" : "[<remote>:]<instance> <template>",
                  .summary = std::move(summary),
                  .examples = std::move(example),
                  .least = count,
                  .most = count};
  command.run = [work = std::move(work)](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, context.named(arguments[0], "instance"));
    BERTH_CHECK(work(place, arguments));
    return 0;
  };
  return command;
}

Command show_metadata() {
  return verb("show", "Show instance metadata files", "berth config metadata show web", 1,
              [](const Place& place, const Strings&) -> Result<void> {
                BERTH_TRY(const auto metadata, place.server->get(metadata_path(place)));
                print(yaml_text(metadata, kMetadata));
                return {};
              });
}

constexpr const char* kMetadataHelp =
    R"(This is a YAML representation of the instance metadata.
Any line starting with a '#' will be ignored.

A sample configuration looks like:

architecture: x86_64
creation_date: 1477146654
properties:
  os: Debian
templates:
  /etc/hosts:
    when:
    - create
    create_only: false
    template: hosts.tpl
    properties: {})";

Command edit_metadata() {
  return verb("edit", "Edit instance metadata files",
              "berth config metadata edit web\n\nberth config metadata edit web < metadata.yaml", 1,
              [](const Place& place, const Strings&) -> Result<void> {
                const auto done = edit_object(*place.server, metadata_path(place), kMetadata, kMetadata, kMetadataHelp);
                if (!done) return done.error();
                return {};
              });
}

Command list_templates() {
  const auto format = std::make_shared<std::string>("table");
  auto command = verb("list", "List instance file templates", "berth config template list web", 1,
                      [format](const Place& place, const Strings&) -> Result<void> {
                        BERTH_TRY(const auto names, place.server->get(metadata_path(place) + "/templates"));
                        Listing listing{.header = {"FILENAME"}, .rows = {}, .objects = names, .shape = {}};
                        for (const auto& name : names)
                          if (name.is_string()) listing.rows.push_back({printable(name.get<std::string>())});
                        sort_rows(listing.rows);
                        const auto done = print_listing(listing, *format);
                        if (!done) return done.error();
                        return {};
                      });
  command.aliases = {"ls"};
  command.flags = {format_flag(format.get())};
  return command;
}

Command show_template() {
  return verb("show", "Show content of instance file templates", "berth config template show web hosts.tpl", 2,
              [](const Place& place, const Strings& arguments) -> Result<void> {
                BERTH_TRY(const auto text, place.server->get_text(template_path(place, arguments[1])));
                print_foreign(text);
                return {};
              });
}

Command create_template() {
  return verb("create", "Create new instance file templates", "berth config template create web motd.tpl", 2,
              [](const Place& place, const Strings& arguments) { return write_template(place, arguments[1], ""); });
}

Command edit_template() {
  return verb("edit", "Edit instance file templates",
              "berth config template edit web hosts.tpl\n\nberth config template edit web hosts.tpl < hosts.tpl", 2,
              [](const Place& place, const Strings& arguments) -> Result<void> {
                if (!is_terminal(STDIN_FILENO)) {
                  BERTH_TRY(const auto given, read_all(STDIN_FILENO));
                  return write_template(place, arguments[1], given);
                }
                BERTH_TRY(const auto text, place.server->get_text(template_path(place, arguments[1])));
                BERTH_TRY(const auto edited, edited_text(text));
                return edited == text ? Result<void>() : write_template(place, arguments[1], edited);
              });
}

Command delete_template() {
  auto command = verb("delete", "Delete instance file templates", "berth config template delete web motd.tpl", 2,
                      [](const Place& place, const Strings& arguments) -> Result<void> {
                        auto done = place.server->send("DELETE", template_path(place, arguments[1]), nullptr);
                        if (!done) return std::move(done).error();
                        return {};
                      });
  command.aliases = {"rm"};
  return command;
}

}  // namespace

Command metadata_command() {
  return group("metadata", "Manage instance metadata files", {show_metadata(), edit_metadata()});
}

Command template_command() {
  return group("template", "Manage instance file templates",
               {list_templates(), show_template(), create_template(), edit_template(), delete_template()});
}

}  // namespace berth::cli
