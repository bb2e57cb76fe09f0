#include "cli/commands/commands.hpp"
#include "cli/commands/remote_add.hpp"
#include "cli/commands/shared.hpp"
#include "cli/output/text.hpp"
#include "cli/remotes.hpp"
#include "cli/terminal.hpp"

#include <cerrno>
#include <cstdio>
#include <unistd.h>

namespace berth::cli {
namespace {

Result<Configuration*> changeable(Context& context) {
  if (context.globals().force_local)
    return Error{Code::InvalidArgument, "--force-local knows no remotes; leave it out"};
  return context.configuration();
}

/// A remote that may be changed.
Result<Remote*> own_remote(Configuration& configuration, const std::string& name) {
  const auto found = configuration.remotes.find(name);
  if (found == configuration.remotes.end())
    return Error{Code::NotFound, "Remote " + printable(name) + " doesn't exist"};
  if (found->second.is_static)
    return Error{Code::FailedPrecondition, "Remote " + name + " is static and cannot be modified"};
  return &found->second;
}

std::string auth_text(const Remote& remote) {
  if (!remote.auth_type.empty()) return remote.auth_type;
  if (remote.address.starts_with("unix:")) return "file access";
  return remote.protocol == "simplestreams" ? "none" : "tls";
}

Result<int> list(Context& context, const std::string& format) {
  BERTH_TRY(const auto* const configuration, context.configuration());
  Listing listing{.header = {"NAME", "URL", "PROTOCOL", "AUTH TYPE", "PUBLIC", "STATIC", "GLOBAL"},
                  .rows = {},
                  .objects = Json::object(),
                  .shape = {}};
  for (const auto& [name, remote] : configuration->remotes) {
    listing.rows.push_back({printable(name) + (name == configuration->default_remote ? " (current)" : ""),
                            printable(remote.address), printable(remote.protocol), printable(auth_text(remote)),
                            remote.is_public ? "YES" : "NO", remote.is_static ? "YES" : "NO", "NO"});
    if (format == "yaml") {
      listing.objects[name] = remote_object(remote);
      continue;
    }
    listing.objects[name] = {{"Addr", remote.address},     {"AuthType", remote.is_static ? "" : remote.auth_type},
                             {"Domain", remote.domain},    {"Global", false},
                             {"Project", remote.project},  {"Protocol", remote.is_static ? "" : remote.protocol},
                             {"Public", remote.is_public}, {"Static", remote.is_static}};
  }
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

Command list_remotes() {
  const auto format = std::make_shared<std::string>("table");
  return {.name = "list",
          .aliases = {"ls"},
          .arguments = "",
          .summary = "List the available remotes",
          .description = "",
          .examples = "berth remote list",
          .least = 0,
          .most = 0,
          .flags = {format_flag(format.get())},
          .run = [format](Context& context, const Strings&) { return list(context, *format); },
          .commands = {}};
}

Command verb(std::string name, std::string arguments, std::string summary, std::string example, std::size_t count,
             std::function<Result<void>(Configuration&, const Strings&)> work) {
  Command command{.name = std::move(name),
                  .arguments = std::move(arguments),
                  .summary = std::move(summary),
                  .examples = std::move(example),
                  .least = count,
                  .most = count};
  command.run = [work = std::move(work)](Context& context, const Strings& given) -> Result<int> {
    BERTH_TRY(auto* const configuration, changeable(context));
    BERTH_CHECK(work(*configuration, given));
    BERTH_CHECK(configuration->save());
    return 0;
  };
  return command;
}

Command rename_remote() {
  auto command = verb("rename", "<remote> <new-name>", "Rename remotes", "berth remote rename far attic", 2,
                      [](Configuration& configuration, const Strings& arguments) -> Result<void> {
                        const auto &from = arguments[0], &to = arguments[1];
                        BERTH_CHECK(own_remote(configuration, from));
                        BERTH_CHECK(check_remote_name(to));
                        if (configuration.remotes.contains(to))
                          return Error{Code::AlreadyExists, "Remote " + to + " already exists"};
                        const auto old_file = configuration.certificate_path(from);
                        const auto new_file = configuration.certificate_path(to);
                        if (::rename(old_file.c_str(), new_file.c_str()) != 0 && errno != ENOENT)
                          return system_error("cannot rename " + old_file, errno);
                        auto entry = configuration.remotes.extract(from);
                        entry.key() = to;
                        configuration.remotes.insert(std::move(entry));
                        if (configuration.default_remote == from) configuration.default_remote = to;
                        return {};
                      });
  command.aliases = {"mv"};
  return command;
}

Command remove_remote() {
  auto command = verb("remove", "<remote>", "Remove remotes", "berth remote remove far", 1,
                      [](Configuration& configuration, const Strings& arguments) -> Result<void> {
                        BERTH_CHECK(own_remote(configuration, arguments[0]));
                        if (configuration.default_remote == arguments[0])
                          return Error{Code::FailedPrecondition, "Can't remove the default remote"};
                        configuration.remotes.erase(arguments[0]);
                        ::unlink(configuration.certificate_path(arguments[0]).c_str());
                        return {};
                      });
  command.aliases = {"rm"};
  return command;
}

Command switch_remote() {
  auto command = verb("switch", "<remote>", "Switch the default remote", "berth remote switch far", 1,
                      [](Configuration& configuration, const Strings& arguments) -> Result<void> {
                        if (!configuration.remotes.contains(arguments[0]))
                          return Error{Code::NotFound, "Remote " + printable(arguments[0]) + " doesn't exist"};
                        configuration.default_remote = arguments[0];
                        return {};
                      });
  command.aliases = {"set-default"};
  return command;
}

Command set_url() {
  return verb("set-url", "<remote> <URL>", "Set the URL for the remote",
              "berth remote set-url far https://192.0.2.7:8443", 2,
              [](Configuration& configuration, const Strings& arguments) -> Result<void> {
                BERTH_TRY(auto* const remote, own_remote(configuration, arguments[0]));
                BERTH_TRY(remote->address, complete_address(arguments[1], remote->protocol));
                return {};
              });
}

Command get_default() {
  return {.name = "get-default",
          .aliases = {},
          .arguments = "",
          .summary = "Show the default remote",
          .description = "",
          .examples = "berth remote get-default",
          .least = 0,
          .most = 0,
          .flags = {},
          .run = [](Context& context, const Strings&) -> Result<int> {
            BERTH_TRY(const auto* const configuration, context.configuration());
            print(printable(configuration->default_remote) + '\n');
            return 0;
          },
          .commands = {}};
}

}  // namespace

Command remote_command() {
  return group("remote", "Manage the list of remote servers",
               {remote_add_command(), list_remotes(), rename_remote(), remove_remote(), switch_remote(), set_url(),
                get_default()});
}

}  // namespace berth::cli
