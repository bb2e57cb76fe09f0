#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/document.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/units.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/url.hpp"

#include <unistd.h>

namespace berth::cli {
namespace {

using Work = std::function<Result<void>(Context&, const Place&, const Strings& rest)>;

/// A command whose first argument is a project.
Command verb(std::string name, std::string arguments, std::string summary, std::string examples, std::size_t least,
             std::size_t most, Work work) {
  Command command{.name = std::move(name),
                  .arguments = "[<remote>:]<project>" + (arguments.empty() ? "" : ' ' + arguments),
                  .summary = std::move(summary),
                  .examples = std::move(examples),
                  .least = least,
                  .most = most};
  command.run = [work = std::move(work)](Context& context, const Strings& given) -> Result<int> {
    BERTH_TRY(const auto place, context.named(given.front(), "project"));
    BERTH_CHECK(work(context, place, Strings(given.begin() + 1, given.end())));
    return 0;
  };
  return command;
}

std::string path_of(const Place& place) { return api_path("projects", place.name); }

std::string yes_or_no(const Json& project, const char* feature) {
  const auto value = text_of(child_of(project, "config"), std::string("features.") + feature);
  return rest::is_true(value) ? "YES" : "NO";
}

Result<int> list(Context& context, const std::string& format, const Strings& arguments) {
  BERTH_TRY(const auto place, context.place(arguments.empty() ? "" : arguments.front()));
  BERTH_TRY(const auto projects, place.server->get("/1.0/projects?recursion=1"));
  Listing listing{.header = {"NAME", "IMAGES", "PROFILES", "STORAGE VOLUMES", "NETWORKS", "DESCRIPTION", "USED BY"},
                  .rows = {},
                  .objects = projects,
                  .shape = kProject};
  for (const auto& project : projects) {
    const auto name = text_of(project, "name");
    listing.rows.push_back(
        {printable(name) + (name == place.server->project() ? " (current)" : ""), yes_or_no(project, "images"),
         yes_or_no(project, "profiles"), yes_or_no(project, "storage.volumes"), yes_or_no(project, "networks"),
         printable(text_of(project, "description")), std::to_string(child_of(project, "used_by").size())});
  }
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

Command list_projects() {
  const auto format = std::make_shared<std::string>("table");
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "[<remote>:]",
          .summary = "List projects",
          .description = "",
          .examples = "berth project list",
          .least = 0,
          .most = 1,
          .flags = {format_flag(format.get())},
          .run = [format](Context& context, const Strings& arguments) { return list(context, *format, arguments); },
          .commands = {}};
}

Command show_project() {
  return verb("show", "", "Show project options", "berth project show shop", 1, 1,
              [](Context&, const Place& place, const Strings&) -> Result<void> {
                BERTH_TRY(const auto project, place.server->get(path_of(place)));
                print(yaml_text(project, kProject));
                return {};
              });
}

Command create_project() {
  const auto config = std::make_shared<Strings>();
  auto command = verb("create", "", "Create projects",
                      "berth project create shop -c features.images=false\n\nberth project create shop < shop.yaml", 1,
                      1, [config](Context& context, const Place& place, const Strings&) -> Result<void> {
                        auto body = Json::object();
                        if (!is_terminal(STDIN_FILENO)) {
                          BERTH_TRY(const auto text, read_all(STDIN_FILENO));
                          BERTH_TRY(body, read_document(text, kProjectPut));
                        }
                        body["name"] = place.name;
                        if (!body.contains("config")) body["config"] = Json::object();
                        for (const auto& argument : *config) {
                          BERTH_TRY(const auto pair, pair_of(argument));
                          set_key(body["config"], pair.first, pair.second);
                        }
                        if (auto done = place.server->send("POST", "/1.0/projects", body); !done)
                          return std::move(done).error();
                        context.tell("Project " + place.name + " created");
                        return {};
                      });
  command.flags = {{"-c,--config", config.get(), "Config key/value to apply to the new project"}};
  return command;
}

Command delete_project() {
  auto command = verb("delete", "", "Delete projects", "berth project delete shop", 1, 1,
                      [](Context& context, const Place& place, const Strings&) -> Result<void> {
                        if (auto done = place.server->send("DELETE", path_of(place), nullptr); !done)
                          return std::move(done).error();
                        context.tell("Project " + place.name + " deleted");
                        // Nobody goes on working in what is not there any more.
                        BERTH_TRY(auto* const configuration, context.configuration());
                        auto& remote = configuration->remotes.at(place.remote);
                        if (remote.project != place.name || context.globals().force_local) return {};
                        remote.project.clear();
                        return configuration->save();
                      });
  command.aliases = {"rm"};
  return command;
}

Command rename_project() {
  auto command = verb("rename", "<new-name>", "Rename projects", "berth project rename shop store", 2, 2,
                      [](Context& context, const Place& place, const Strings& rest) -> Result<void> {
                        auto done = place.server->send("POST", path_of(place), Json{{"name", rest[0]}});
                        if (!done) return std::move(done).error();
                        context.tell("Project " + place.name + " renamed to " + rest[0]);
                        return {};
                      });
  command.aliases = {"mv"};
  return command;
}

constexpr const char* kHelp =
    R"(This is a YAML representation of the project.
Any line starting with a '#' will be ignored.

A project consists of a set of features and a description.

An example would look like:
config:
  features.images: "true"
  features.profiles: "true"
description: My own project

Note that the name is shown but cannot be changed)";

Command edit_project() {
  return verb("edit", "", "Edit project configurations as YAML",
              "berth project edit shop\n\nberth project edit shop < shop.yaml", 1, 1,
              [](Context&, const Place& place, const Strings&) -> Result<void> {
                const auto done = edit_object(*place.server, path_of(place), kProject, kProjectPut, kHelp);
                if (!done) return done.error();
                return {};
              });
}

Command get_project() {
  return verb("get", "<key>", "Get values for project configuration keys", "berth project get shop features.images", 2,
              2, [](Context&, const Place& place, const Strings& rest) -> Result<void> {
                BERTH_TRY(const auto project, place.server->get(path_of(place)));
                print_foreign(text_of(child_of(project, "config"), rest[0]) + '\n');
                return {};
              });
}

Command set_project() {
  return verb("set", "<key>=<value>...", "Set project configuration keys",
              "berth project set shop features.images=false", 2, Command::kAny,
              [](Context&, const Place& place, const Strings& rest) -> Result<void> {
                BERTH_TRY(const auto pairs, settings_of(rest));
                return change_object(*place.server, path_of(place), kProjectPut, [&](Json& object) -> Result<void> {
                  for (const auto& [key, value] : pairs) set_key(object["config"], key, value);
                  return {};
                });
              });
}

Command unset_project() {
  return verb("unset", "<key>", "Unset project configuration keys", "berth project unset shop limits.instances", 2, 2,
              [](Context&, const Place& place, const Strings& rest) -> Result<void> {
                return change_object(*place.server, path_of(place), kProjectPut, [&](Json& object) -> Result<void> {
                  object["config"].erase(rest[0]);
                  return {};
                });
              });
}

Command switch_project() {
  return verb("switch", "", "Switch the current project", "berth project switch shop", 1, 1,
              [](Context& context, const Place& place, const Strings&) -> Result<void> {
                if (context.globals().force_local)
                  return Error{Code::InvalidArgument, "--force-local has no project to switch"};
                BERTH_TRY(const auto project, place.server->get(path_of(place)));
                BERTH_TRY(auto* const configuration, context.configuration());
                configuration->remotes.at(place.remote).project = text_of(project, "name");
                return configuration->save();
              });
}

std::string amount_text(const std::string& resource, std::int64_t amount) {
  if (amount < 0) return "UNLIMITED";
  return resource == "memory" || resource == "disk" ? size_text(amount) : std::to_string(amount);
}

/// LXD writes these members in capitals.
std::int64_t amount_of(const Json& object, const char* name, const char* otherwise) {
  return number_of(object, child_of(object, name).is_number() ? name : otherwise);
}

Command info_project() {
  const auto format = std::make_shared<std::string>("table");
  auto command =
      verb("info", "", "Get a summary of resource allocations", "berth project info shop", 1, 2,
           [format](Context&, const Place& place, const Strings&) -> Result<void> {
             BERTH_TRY(const auto state, place.server->get(path_of(place) + "/state"));
             Listing listing{.header = {"RESOURCE", "LIMIT", "USAGE"}, .rows = {}, .objects = state, .shape = {}};
             if (const auto& resources = child_of(state, "resources"); resources.is_object())
               for (const auto& [name, one] : resources.items())
                 listing.rows.push_back({upper(printable(name)), amount_text(name, amount_of(one, "Limit", "limit")),
                                         amount_text(name, amount_of(one, "Usage", "usage"))});
             sort_rows(listing.rows);
             const auto done = print_listing(listing, *format);
             if (!done) return done.error();
             return {};
           });
  command.flags = {format_flag(format.get())};
  return command;
}

}  // namespace

Command project_command() {
  return group("project", "Manage projects",
               {list_projects(), show_project(), create_project(), delete_project(), rename_project(), edit_project(),
                get_project(), set_project(), unset_project(), switch_project(), info_project()});
}

}  // namespace berth::cli
