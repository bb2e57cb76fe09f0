#include "cli/context.hpp"

#include "cli/output/text.hpp"
#include "cli/terminal.hpp"

namespace berth::cli {

Result<Configuration*> Context::configuration() {
  if (!configuration_ && globals_.force_local) configuration_ = Configuration::only_local();
  if (!configuration_) {
    BERTH_TRY(auto loaded, Configuration::load());
    configuration_ = std::move(loaded);
  }
  return &*configuration_;
}

Result<Server*> Context::server(const std::string& remote) {
  BERTH_TRY(auto* const configuration, this->configuration());
  const auto& name = remote.empty() ? configuration->default_remote : remote;
  auto& server = servers_[name];
  if (!server) {
    BERTH_TRY(auto connected, Server::connect(globals_, *configuration, name));
    server = std::move(connected);
  }
  return server.get();
}

Result<RemoteName> Context::split(std::string_view argument) {
  BERTH_TRY(auto* const configuration, this->configuration());
  return configuration->split(argument);
}

Result<Place> Context::place(std::string_view argument) {
  BERTH_TRY(auto named, split(argument));
  BERTH_TRY(auto* const server, this->server(named.remote));
  return Place{.server = server, .remote = std::move(named.remote), .name = std::move(named.name)};
}

Result<Place> Context::named(std::string_view argument, std::string_view what) {
  BERTH_TRY(const auto named, split(argument));
  if (named.name.empty()) return Error{Code::InvalidArgument, "Missing " + std::string(what) + " name"};
  return place(argument);
}

void Context::tell(std::string_view line) const {
  if (!globals_.quiet) print(printable_lines(line) + '\n');
}

}  // namespace berth::cli
