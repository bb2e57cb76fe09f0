#include "cli/context.hpp"

#include "cli/output/text.hpp"
#include "cli/terminal.hpp"

namespace berth::cli {

Result<Server*> Context::server() {
  if (!server_) {
    BERTH_TRY(auto server, Server::connect(globals_));
    server_ = std::move(server);
  }
  return server_.get();
}

void Context::tell(std::string_view line) const {
  if (!globals_.quiet) print(printable_lines(line) + '\n');
}

}  // namespace berth::cli
