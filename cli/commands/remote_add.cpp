#include "cli/commands/remote_add.hpp"

#include "base/base64.hpp"
#include "cli/certificate.hpp"
#include "cli/commands/commands.hpp"
#include "cli/context.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/remote/http_transport.hpp"
#include "cli/terminal.hpp"

#include <algorithm>
#include <iostream>
#include <optional>
#include <termios.h>
#include <unistd.h>

namespace berth::cli {
namespace {

struct Flags {
  std::string auth_type;
  std::string domain;
  std::string password;
  std::string project;
  std::string protocol;
  bool accept = false;
  bool is_public = false;
};

/// Reads a line; a password is not shown while it is typed.
Result<std::string> ask(const std::string& question, bool is_secret = false) {
  print(question);
  BERTH_CHECK(flush_output());
  termios before{};
  const bool hide = is_secret && ::tcgetattr(STDIN_FILENO, &before) == 0;
  if (hide) {
    auto silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::string answer;
  const bool given = static_cast<bool>(std::getline(std::cin, answer));
  if (hide) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    print("\n");
  }
  if (!given) return Error{Code::Cancelled, "no answer was given"};
  return answer;
}

/// Whether the user, a flag or a token vouches for the certificate that the server shows.
Result<void> confirm(const CertificateFacts& facts, const Flags& flags, const std::optional<JoinToken>& token) {
  if (token) {
    if (token->fingerprint == facts.fingerprint) return {};
    return Error{Code::AccessDenied,
                 "Certificate fingerprint mismatch between certificate token and server: the server "
                 "has " +
                     facts.fingerprint};
  }
  if (flags.accept) return {};
  print("Certificate fingerprint: " + facts.fingerprint + '\n');
  BERTH_TRY(const auto answer, ask("ok (y/n/[fingerprint])? "));
  if (answer == facts.fingerprint || upper(answer) == "Y" || upper(answer) == "YES") return {};
  return Error{Code::Cancelled, "Server certificate NACKed by user"};
}

/// Keeps the certificate of a server that no authority of the system vouches for.
Result<void> pin_certificate(const Configuration& configuration, const std::string& name, const Remote& remote,
                             const Flags& flags, const std::optional<JoinToken>& token) {
  if (!remote.address.starts_with("https://") || remote.protocol != "lxd") return {};
  BERTH_TRY(const auto shown, shown_certificate(remote.address));
  const auto pem = pem_of(shown.der);
  BERTH_TRY(const auto facts, read_certificate(pem));
  if (shown.trusted && !token) return {};
  BERTH_CHECK(confirm(facts, flags, token));
  return write_configuration_file(configuration.certificate_path(name), pem, 0644);
}

/// Makes the user known to the server, when it does not know him.
Result<void> introduce(Server& server, const std::string& name, const Flags& flags, const std::string& token) {
  BERTH_TRY(const auto before, server.get("/1.0"));
  if (flag_of(before, "public") || text_of(before, "auth") == "trusted") return {};
  const auto& methods = child_of(before, "auth_methods");
  if (methods.is_array() && std::find(methods.begin(), methods.end(), "tls") == methods.end())
    return Error{Code::NotSupported, "The server takes no client certificates, and Berth has no other authentication"};
  auto password = token.empty() ? flags.password : token;
  if (password.empty()) {
    BERTH_TRY(password, ask("Admin password (or token) for " + name + ": ", true));
  }
  Json body{{"type", "client"}, {"password", password}, {"name", ""}};
  if (!token.empty()) body["type"] = "";
  if (auto done = server.send("POST", "/1.0/certificates", body); !done) return std::move(done).error();
  BERTH_TRY(const auto after, server.get("/1.0"));
  if (text_of(after, "auth") != "trusted")
    return Error{Code::AccessDenied, "Server doesn't trust us after authentication"};
  print("Client certificate now trusted by server: " + printable(name) + '\n');
  return {};
}

/// The project of the remote: the one asked for, the default one, or the only one that the user may see.
Result<std::string> choose_project(Server& server, const Flags& flags) {
  if (!flags.project.empty()) {
    BERTH_CHECK(server.get(api_path("projects", flags.project)));
    return flags.project;
  }
  const auto projects = server.get("/1.0/projects");
  if (!projects || !projects->is_array() || projects->empty()) return std::string();
  Strings names;
  for (const auto& url : *projects)
    if (url.is_string()) names.push_back(name_in_url(url.get<std::string>()));
  if (names.empty() || std::find(names.begin(), names.end(), "default") != names.end()) return std::string();
  if (names.size() == 1) return names.front();
  std::string question = "Available projects:\n";
  for (const auto& name : names) question += " - " + printable(name) + '\n';
  BERTH_TRY(auto chosen, ask(question + "Name of the project to use for this remote: "));
  if (std::find(names.begin(), names.end(), chosen) == names.end())
    return Error{Code::NotFound, "There is no project \"" + chosen + '"'};
  return chosen;
}

/// Adds one remote whose address is known, and leaves nothing of it when that fails.
Result<void> add_one(Context& context, Configuration& configuration, const std::string& name, Remote remote,
                     const Flags& flags, const std::optional<JoinToken>& token, const std::string& secret) {
  const auto work = [&]() -> Result<void> {
    BERTH_CHECK(pin_certificate(configuration, name, remote, flags, token));
    configuration.remotes[name] = remote;
    if (remote.protocol == "simplestreams" || remote.is_local()) return {};
    // One of its own: the context would keep it for the next address of a token.
    BERTH_TRY(const auto server, Server::connect(context.globals(), configuration, name));
    BERTH_CHECK(introduce(*server, name, flags, secret));
    BERTH_TRY(const auto object, server->get("/1.0"));
    auto& made = configuration.remotes[name];
    made.is_public = flags.is_public || (flag_of(object, "public") && text_of(object, "auth") != "trusted");
    if (made.is_public) return {};
    BERTH_TRY(made.project, choose_project(*server, flags));
    return {};
  };
  auto done = work();
  if (!done) {
    configuration.remotes.erase(name);
    ::unlink(configuration.certificate_path(name).c_str());
    return done;
  }
  return configuration.save();
}

Result<int> add(Context& context, const Flags& flags, const Strings& arguments) {
  if (context.globals().force_local)
    return Error{Code::InvalidArgument, "--force-local knows no remotes; leave it out"};
  BERTH_TRY(auto* const configuration, context.configuration());
  const auto& address = arguments.back();
  const auto token = read_token(address);
  if (token && arguments.size() < 2)
    return Error{Code::InvalidArgument, "A token needs a name for the remote: berth remote add <name> <token>"};
  auto name = arguments.front();
  if (arguments.size() == 1) name = name.substr(name.find("://") == std::string::npos ? 0 : name.find("://") + 3);
  if (arguments.size() == 1) name = name.substr(0, name.find_first_of(":/"));
  BERTH_CHECK(check_remote_name(name));
  if (configuration->remotes.contains(name))
    return Error{Code::AlreadyExists, "Remote " + name + " exists as <" + configuration->remotes[name].address + '>'};
  if (!flags.auth_type.empty() && flags.auth_type != "tls")
    return Error{Code::NotSupported, "Berth authenticates by certificates alone; --auth-type is tls"};
  Remote remote{.auth_type = flags.auth_type,
                .protocol = flags.protocol.empty() ? "lxd" : flags.protocol,
                .domain = flags.domain,
                .is_public = flags.is_public};
  if (remote.protocol != "lxd" && remote.protocol != "simplestreams")
    return Error{Code::InvalidArgument, "Invalid protocol: " + remote.protocol};
  if (remote.protocol == "simplestreams") remote.is_public = true;
  if (!token) {
    BERTH_TRY(remote.address, complete_address(address, remote.protocol));
    if (remote.auth_type.empty() && remote.address.starts_with("https://") && remote.protocol == "lxd")
      remote.auth_type = "tls";
    BERTH_CHECK(add_one(context, *configuration, name, std::move(remote), flags, token, {}));
    return 0;
  }
  remote.auth_type = "tls";
  Error last{Code::Unavailable, "the token names no address"};
  for (const auto& one : token->addresses) {
    BERTH_TRY(remote.address, complete_address(one, remote.protocol));
    auto done = add_one(context, *configuration, name, remote, flags, token, address);
    if (done) return 0;
    last = std::move(done).error();
    // Another address of the same server knows no more of the token.
    if (last.code != Code::Unavailable) return last;
  }
  return last;
}

}  // namespace

std::optional<JoinToken> read_token(const std::string& text) {
  const auto bytes = berth::base64_decode(text);
  if (!bytes) return std::nullopt;
  const auto json = Json::parse(*bytes, nullptr, false);
  JoinToken token{
      .client_name = text_of(json, "client_name"), .fingerprint = text_of(json, "fingerprint"), .addresses = {}};
  for (const auto& address : child_of(json, "addresses"))
    if (address.is_string()) token.addresses.push_back(address.get<std::string>());
  if (text_of(json, "secret").empty() || token.fingerprint.empty()) return std::nullopt;
  return token;
}

Result<std::string> complete_address(const std::string& text, const std::string& protocol) {
  if (text.starts_with("unix:")) {
    auto path = text.substr(5);
    while (path.starts_with("//")) path.erase(0, 1);
    return path.empty() || path == "/" ? "unix://" : "unix://" + path;
  }
  if (text.starts_with("/")) return "unix://" + text;
  if (text.starts_with("http://")) return Error{Code::InvalidArgument, "URL for remote must be HTTPS: " + text};
  const auto rest = text.starts_with("https://") ? text.substr(8) : text;
  if (rest.empty() || rest.find("://") != std::string::npos)
    return Error{Code::InvalidArgument,
                 "Invalid address \"" + text + "\", expecting a host, a URL or the path of a socket"};
  if (protocol == "simplestreams") return "https://" + rest;
  const auto slash = rest.find('/');
  if (slash != std::string::npos && slash + 1 != rest.size())
    return Error{Code::InvalidArgument, "An address has no path: " + text};
  auto host = rest.substr(0, slash);
  const bool bare_ipv6 = host.front() != '[' && std::count(host.begin(), host.end(), ':') > 1;
  if (bare_ipv6) host = '[' + host + ']';
  const auto bracket = host.find(']');
  const auto colon = host.find(':', bracket == std::string::npos ? 0 : bracket);
  return "https://" + host + (colon == std::string::npos ? ":8443" : "");
}

Command remote_add_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "add",
          .aliases = {},
          .arguments = "[<remote>] <IP|FQDN|URL|token>",
          .summary = "Add new remote servers",
          .description =
              "The server's certificate is shown to be compared, and kept. The server is told of yours with a\n"
              "password (its core.trust_password) or by a token of its config trust add.",
          .examples = "berth remote add far 192.0.2.7\n\nberth remote add far eyJjbGllbnRfbmFtZSI6ImxhcHRvcCIs...",
          .least = 1,
          .most = 2,
          .flags = {{"--accept-certificate", &flags->accept, "Accept certificate"},
                    {"--auth-type", &flags->auth_type, "Server authentication type (tls)"},
                    {"--domain", &flags->domain, "Kept for other programs"},
                    {"--password", &flags->password, "Remote admin password"},
                    {"--project", &flags->project, "Project to use for the remote"},
                    {"--protocol", &flags->protocol, "Server protocol (lxd or simplestreams)"},
                    {"--public", &flags->is_public, "Public image server"}},
          .run = [flags](Context& context, const Strings& arguments) { return add(context, *flags, arguments); },
          .commands = {}};
}

}  // namespace berth::cli
