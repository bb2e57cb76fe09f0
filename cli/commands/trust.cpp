#include "base/base64.hpp"
#include "cli/certificate.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/json.hpp"
#include "cli/output/text.hpp"
#include "cli/output/units.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

#include <array>
#include <filesystem>
#include <iostream>
#include <optional>

namespace berth::cli {
namespace {

struct Flags {
  std::string name;
  std::string type = "client";
  std::string projects;
  bool restricted = false;
};

Result<int> list_clients(Context& context, const std::string& format, const Strings& arguments) {
  BERTH_TRY(const auto place, context.place(arguments.empty() ? "" : arguments.front()));
  BERTH_TRY(const auto certificates, place.server->get("/1.0/certificates?recursion=1"));
  Listing listing{.header = {"TYPE", "NAME", "COMMON NAME", "FINGERPRINT", "ISSUE DATE", "EXPIRY DATE"},
                  .rows = {},
                  .objects = certificates,
                  .shape = kCertificate};
  for (const auto& certificate : certificates) {
    const auto facts = read_certificate(text_of(certificate, "certificate"));
    const auto known = facts ? *facts : CertificateFacts{};
    listing.rows.push_back({printable(text_of(certificate, "type")), printable(text_of(certificate, "name")),
                            printable(known.common_name), printable(text_of(certificate, "fingerprint")).substr(0, 12),
                            day_text(known.issued_at), day_text(known.expires_at)});
  }
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

constexpr std::array kTokenFields{Field{"client_name"}, Field{"fingerprint"}, Field{"addresses", Kind::Texts},
                                  Field{"secret"}, Field{"expires_at", Kind::Time}};
// A list of tokens, for programs: YAML has its names in lower case.
constexpr std::array kJsonFields{Field{"ClientName"}, Field{"Token"}, Field{"ExpiresAt"}};
constexpr std::array kYamlFields{Field{"clientname"}, Field{"token"}, Field{"expiresat"}};

std::string expiry_of(const Json& operation) { return text_of(child_of(operation, "metadata"), "expiresAt"); }

/// What a client needs to be let in: base64 of a small JSON object.
std::string token_of(const Json& operation) {
  const auto& details = child_of(operation, "metadata");
  Json token{{"client_name", text_of(child_of(details, "request"), "name")},
             {"fingerprint", text_of(details, "fingerprint")},
             {"addresses", child_of(details, "addresses")},
             {"secret", text_of(details, "secret")}};
  if (const auto expiry = expiry_of(operation); !expiry.empty()) token["expires_at"] = expiry;
  auto text = json_line(token, kTokenFields);
  while (text.ends_with('\n')) text.pop_back();
  return berth::base64_encode(text);
}

/// Operations that stand for tokens which nobody has used yet.
Result<Json> tokens_of(Server& server) {
  BERTH_TRY(const auto by_status, server.get("/1.0/operations?recursion=1"));
  auto tokens = Json::array();
  for (const auto& operations : by_status)
    for (const auto& operation : operations)
      if (text_of(operation, "class") == "token" && number_of(operation, "status_code") == 103 &&
          child_of(child_of(operation, "metadata"), "request").is_object())
        tokens.push_back(operation);
  return tokens;
}

Result<int> list_tokens(Context& context, const std::string& format, const Strings& arguments) {
  BERTH_TRY(const auto place, context.place(arguments.empty() ? "" : arguments.front()));
  BERTH_TRY(const auto tokens, tokens_of(*place.server));
  const auto shape = format == "yaml" ? Shape(kYamlFields) : Shape(kJsonFields);
  Listing listing{.header = {"NAME", "TOKEN", "EXPIRES AT"}, .rows = {}, .objects = Json::array(), .shape = shape};
  for (const auto& operation : tokens) {
    const auto name = text_of(child_of(child_of(operation, "metadata"), "request"), "name");
    const auto token = token_of(operation);
    const auto expiry = minute_text(expiry_of(operation));
    listing.rows.push_back({printable(name), token, expiry});
    listing.objects.push_back(Json{{shape[0].name, name}, {shape[1].name, token}, {shape[2].name, expiry}});
  }
  sort_rows(listing.rows);
  return print_listing(listing, format);
}

Result<int> revoke_token(Context& context, const Strings& arguments) {
  BERTH_TRY(const auto named, split_last(context, arguments));
  BERTH_TRY(const auto tokens, tokens_of(*named.server));
  for (const auto& operation : tokens) {
    if (text_of(child_of(child_of(operation, "metadata"), "request"), "name") != named.name) continue;
    BERTH_CHECK(named.server->send("DELETE", api_path("operations", text_of(operation, "id")), nullptr));
    context.tell("Certificate add token for " + named.name + " deleted");
    return 0;
  }
  return Error{Code::NotFound, "No certificate add token for member " + named.name + " on remote: " + named.remote};
}

Result<Json> request_of(const Flags& flags, const std::string& path) {
  Json body{{"type", flags.type}, {"restricted", flags.restricted}};
  if (!flags.projects.empty()) body["projects"] = split(flags.projects, ',');
  body["name"] = flags.name;
  if (flags.type != "client" && flags.type != "metrics")
    return Error{Code::InvalidArgument, "Unknown certificate type \"" + flags.type + '"'};
  if (!path.empty()) {
    auto text = read_configuration_file(path);
    if (!text) return Error{Code::NotFound, "cannot read the certificate " + path + ": " + text.error().message};
    BERTH_TRY(const auto facts, read_certificate(*text));
    body["certificate"] = berth::base64_encode(facts.der);
    if (flags.name.empty()) body["name"] = std::filesystem::path(path).filename().string();
    return body;
  }
  if (flags.type == "metrics")
    return Error{Code::InvalidArgument, "Cannot use metrics type certificate when using a token"};
  if (flags.name.empty()) {
    print("Please provide client name: ");
    BERTH_CHECK(flush_output());
    std::string name;
    std::getline(std::cin, name);
    if (name.empty()) return Error{Code::InvalidArgument, "A client needs a name; give it with --name"};
    body["name"] = name;
  }
  body["token"] = true;
  return body;
}

Result<int> add(Context& context, const Flags& flags, const Strings& arguments) {
  const bool with_remote = !arguments.empty() && arguments.front().ends_with(':');
  BERTH_TRY(const auto place, context.place(with_remote ? arguments.front() : ""));
  if (arguments.size() > 1 && !with_remote) return Error{Code::InvalidArgument, "Invalid number of arguments"};
  const auto path = arguments.size() > (with_remote ? 1 : 0) ? arguments.back() : std::string();
  BERTH_TRY(const auto body, request_of(flags, path));
  if (!path.empty()) {
    BERTH_CHECK(place.server->send("POST", "/1.0/certificates", body));
    return 0;
  }
  BERTH_TRY(const auto operation, place.server->start("POST", "/1.0/certificates", body));
  context.tell("Client " + text_of(body, "name") + " certificate add token:");
  print(token_of(operation) + '\n');
  return 0;
}

Command on_fingerprint(std::string name, std::string summary, std::string example,
                       std::function<Result<int>(const Place&)> work) {
  Command command{.name = std::move(name),
                  .arguments = "[<remote>:]<fingerprint>",
                  .summary = std::move(summary),
                  .examples = std::move(example),
                  .least = 1,
                  .most = 2};
  command.run = [work = std::move(work)](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, split_last(context, arguments));
    return work(place);
  };
  return command;
}

Command list_command_of(std::string name, std::string summary, std::string example,
                        Result<int> (*work)(Context&, const std::string&, const Strings&)) {
  const auto format = std::make_shared<std::string>("table");
  Command command{.name = std::move(name),
                  .arguments = "[<remote>:]",
                  .summary = std::move(summary),
                  .examples = std::move(example),
                  .most = 1,
                  .flags = {format_flag(format.get())}};
  command.run = [format, work](Context& context, const Strings& arguments) {
    return work(context, *format, arguments);
  };
  return command;
}

Command add_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "add",
          .aliases = {},
          .arguments = "[<remote>:] [<cert>]",
          .summary = "Add new trusted client",
          .description =
              "Without a certificate a token is made, which lets one client in, once:\n"
              "  berth remote add <name> <token>\n\n"
              "Types of certificates are client (default) and metrics.",
          .examples = "berth config trust add --name laptop\n\nberth config trust add laptop.crt",
          .least = 0,
          .most = 2,
          .flags = {{"--name", &flags->name, "Alternative certificate name"},
                    {"--projects", &flags->projects, "List of projects to restrict the certificate to"},
                    {"--restricted", &flags->restricted, "Restrict the certificate to one or more projects"},
                    {"--type", &flags->type, "Type of certificate"}},
          .run = [flags](Context& context, const Strings& arguments) { return add(context, *flags, arguments); },
          .commands = {}};
}

Command remove_command() {
  auto command = on_fingerprint("remove", "Remove trusted client", "berth config trust remove 4e1f6ab4c26c",
                                [](const Place& place) -> Result<int> {
                                  auto done =
                                      place.server->send("DELETE", api_path("certificates", place.name), nullptr);
                                  if (!done) return std::move(done).error();
                                  return 0;
                                });
  command.aliases = {"rm"};
  return command;
}

Command show_command() {
  return on_fingerprint("show", "Show trust configurations", "berth config trust show 4e1f6ab4c26c",
                        [](const Place& place) -> Result<int> {
                          BERTH_TRY(const auto object, place.server->get(api_path("certificates", place.name)));
                          print(yaml_text(object, kCertificate));
                          return 0;
                        });
}

constexpr const char* kHelp =
    R"(This is a YAML representation of the certificate.
Any line starting with a '#' will be ignored.

Note that the fingerprint is shown but cannot be changed)";

Command edit_command() {
  return on_fingerprint(
      "edit", "Edit trust configurations as YAML", "berth config trust edit 4e1f6ab4c26c", [](const Place& place) {
        return edit_object(*place.server, api_path("certificates", place.name), kCertificate, kCertificatePut, kHelp);
      });
}

Command revoke_command() {
  return {.name = "revoke-token",
          .aliases = {},
          .arguments = "[<remote>:] <name>",
          .summary = "Revoke certificate add token",
          .description = "",
          .examples = "berth config trust revoke-token laptop",
          .least = 1,
          .most = 2,
          .flags = {},
          .run = revoke_token,
          .commands = {}};
}

}  // namespace

Command trust_command() {
  auto list = list_command_of("list", "List trusted clients", "berth config trust list", list_clients);
  list.aliases = {"ls"};
  return group("trust", "Manage trusted clients",
               {std::move(list), add_command(), remove_command(), show_command(), edit_command(),
                list_command_of("list-tokens", "List all active certificate add tokens",
                                "berth config trust list-tokens", list_tokens),
                revoke_command()});
}

}  // namespace berth::cli
