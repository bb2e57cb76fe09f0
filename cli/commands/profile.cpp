#include "cli/commands/commands.hpp"
#include "cli/commands/profile_members.hpp"
#include "cli/commands/shared.hpp"
#include "cli/document.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

#include <unistd.h>

namespace berth::cli {
namespace {

using Work = std::function<Result<void>(Context&, Server&, const std::string& profile, const Strings& rest)>;

/// A command whose first argument is a profile.
Command verb(std::string name, std::string arguments, std::string summary, std::string examples, std::size_t least,
             std::size_t most, Work work) {
  return {.name = std::move(name),
          .aliases = {},
          .arguments = "[<remote>:]<profile>" + (arguments.empty() ? "" : ' ' + arguments),
          .summary = std::move(summary),
          .description = "",
          .examples = std::move(examples),
          .least = least,
          .most = most,
          .flags = {},
          .run = [work = std::move(work)](Context& context, const Strings& given) -> Result<int> {
            BERTH_TRY(const auto place, context.named(given.front(), "profile"));
            BERTH_CHECK(work(context, *place.server, place.name, Strings(given.begin() + 1, given.end())));
            return 0;
          },
          .commands = {}};
}

Result<int> list(Context& context, const std::string& format, const Strings& arguments) {
  BERTH_TRY(const auto place, context.place(arguments.empty() ? "" : arguments.front()));
  BERTH_TRY(const auto profiles, place.server->get("/1.0/profiles?recursion=1"));
  Listing listing{.header = {"NAME", "DESCRIPTION", "USED BY"}, .rows = {}, .objects = profiles, .shape = kProfile};
  for (const auto& profile : profiles)
    listing.rows.push_back({printable(text_of(profile, "name")), printable(text_of(profile, "description")),
                            std::to_string(child_of(profile, "used_by").size())});
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

Command list_profiles() {
  const auto format = std::make_shared<std::string>("table");
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "[<remote>:]",
          .summary = "List profiles",
          .description = "",
          .examples = "berth profile list",
          .least = 0,
          .most = 1,
          .flags = {format_flag(format.get())},
          .run = [format](Context& context, const Strings& arguments) { return list(context, *format, arguments); },
          .commands = {}};
}

Command show_profile() {
  return verb("show", "", "Show profile configurations", "berth profile show default", 1, 1,
              [](Context&, Server& server, const std::string& profile, const Strings&) -> Result<void> {
                BERTH_TRY(const auto object, server.get(api_path("profiles", profile)));
                print(yaml_text(object, kProfile));
                return {};
              });
}

Command create_profile() {
  return verb(
      "create", "", "Create profiles",
      "berth profile create web\n\nberth profile create web < web.yaml\n    With the configuration from web.yaml.", 1,
      1, [](Context& context, Server& server, const std::string& profile, const Strings&) -> Result<void> {
        auto body = Json::object();
        if (!is_terminal(STDIN_FILENO)) {
          BERTH_TRY(const auto text, read_all(STDIN_FILENO));
          BERTH_TRY(auto document, read_document(text, kProfilePut));
          body = std::move(document);
        }
        body["name"] = profile;
        if (const auto done = server.send("POST", "/1.0/profiles", body); !done) return done.error();
        context.tell("Profile " + profile + " created");
        return {};
      });
}

Command delete_profile() {
  auto command = verb("delete", "", "Delete profiles", "berth profile delete web", 1, 1,
                      [](Context& context, Server& server, const std::string& profile, const Strings&) -> Result<void> {
                        if (const auto done = server.send("DELETE", api_path("profiles", profile), nullptr); !done)
                          return done.error();
                        context.tell("Profile " + profile + " deleted");
                        return {};
                      });
  command.aliases = {"rm"};
  return command;
}

Command rename_profile() {
  auto command =
      verb("rename", "<new-name>", "Rename profiles", "berth profile rename web shop", 2, 2,
           [](Context& context, Server& server, const std::string& profile, const Strings& rest) -> Result<void> {
             if (const auto done = server.send("POST", api_path("profiles", profile), Json{{"name", rest[0]}}); !done)
               return done.error();
             context.tell("Profile " + profile + " renamed to " + rest[0]);
             return {};
           });
  command.aliases = {"mv"};
  return command;
}

Command copy_profile() {
  const auto project = std::make_shared<std::string>();
  auto command =
      verb("copy", "[<remote>:]<profile>", "Copy profiles", "berth profile copy web shop", 2, 2,
           [project](Context& context, Server& server, const std::string& profile, const Strings& rest) -> Result<void> {
             BERTH_TRY(const auto object, server.get(api_path("profiles", profile)));
             BERTH_TRY(const auto target, context.named(rest[0], "profile"));
             if (!project->empty()) target.server->use_project(*project);
             auto body = pick(object, kProfilePut);
             body["name"] = target.name;
             if (const auto done = target.server->send("POST", "/1.0/profiles", body); !done) return done.error();
             return {};
           });
  command.aliases = {"cp"};
  command.flags.push_back({"--target-project", project.get(), "Copy to a project different from the source"});
  return command;
}

Command edit_profile() {
  Command command = verb(
      "edit", "", "Edit profile configurations as YAML",
      "berth profile edit web\n\nberth profile edit web < web.yaml\n    Update a profile using the content of web.yaml",
      1, 1, {});
  command.run = [](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, context.named(arguments.front(), "profile"));
    return edit_object(
        *place.server, api_path("profiles", place.name), kProfile, kProfilePut,
        "This is a YAML representation of the profile.\nAny line starting with a '#' will be ignored.\n\n"
        "A profile consists of a set of configuration items followed by a set of\ndevices.\n\n"
        "An example would look like:\nconfig:\n  limits.cpu: \"2\"\ndevices:\n  data:\n    path: /srv\n"
        "    source: /share/web\n    type: disk\n\nNote that the name is shown but cannot be changed");
  };
  return command;
}

Command get_profile() {
  return verb("get", "<key>", "Get values for profile configuration keys", "berth profile get default limits.cpu", 2, 2,
              [](Context&, Server& server, const std::string& profile, const Strings& rest) -> Result<void> {
                BERTH_TRY(const auto object, server.get(api_path("profiles", profile)));
                print_foreign(text_of(child_of(object, "config"), rest[0]) + '\n');
                return {};
              });
}

Command set_profile() {
  return verb(
      "set", "<key>=<value>...", "Set profile configuration keys", "berth profile set default limits.cpu=2", 2,
      Command::kAny, [](Context&, Server& server, const std::string& profile, const Strings& rest) -> Result<void> {
        BERTH_TRY(const auto pairs, settings_of(rest));
        return change_object(server, api_path("profiles", profile), kProfilePut, [&](Json& object) -> Result<void> {
          for (const auto& [key, value] : pairs) set_key(object["config"], key, value);
          return {};
        });
      });
}

Command unset_profile() {
  return verb("unset", "<key>", "Unset profile configuration keys", "berth profile unset default limits.cpu", 2, 2,
              [](Context&, Server& server, const std::string& profile, const Strings& rest) -> Result<void> {
                return change_object(server, api_path("profiles", profile), kProfilePut,
                                     [&](Json& object) -> Result<void> {
                                       object["config"].erase(rest[0]);
                                       return {};
                                     });
              });
}

}  // namespace

Command profile_command() {
  return group("profile", "Manage profiles",
               {list_profiles(), show_profile(), create_profile(), delete_profile(), rename_profile(), copy_profile(),
                edit_profile(), get_profile(), set_profile(), unset_profile(), add_profile(), remove_profile(),
                assign_profiles(), device_command(true)});
}

}  // namespace berth::cli
