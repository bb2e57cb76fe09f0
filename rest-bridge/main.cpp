#include <getopt.h>
#include <sys/resource.h>

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "base/log.hpp"
#include "rest-bridge/api/openapi/document.hpp"
#include "rest-bridge/api/router.hpp"
#include "rest-bridge/http/listener.hpp"
#include "rest-bridge/http/tls_front.hpp"

namespace {

constexpr const char* kHelp = R"(usage: berth-rest [--socket PATH [--group GROUP]] | --routes | --openapi | --version

Serves the LXD REST API on a unix socket, over D-Bus to berthd. systemd gives the socket; --socket makes one. Where the
server key core.https_address is set, HTTPS is served on the sockets that the daemon gives.
  --group GROUP  group of the socket of --socket (mode 0660)
  --routes       prints the routes, the D-Bus calls they make and the actions that guard them
  --openapi      prints the API that is served, as a document of OpenAPI 3.0 (also GET /1.0/openapi.json)
)";

/// A connection has a socket here and one at the daemon, a bus connection, and pipes for its streams.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

berth::Result<berth::UniqueFd> find_listener(const std::string& path, const std::string& group) {
  BERTH_TRY(auto inherited, berth::rest::inherited_listener());
  if (inherited) return *std::move(inherited);
  if (path.empty())
    return berth::Error{berth::Code::InvalidArgument, "no socket was given; start by berth-rest.socket, or name one with --socket"};
  return berth::rest::listen_at(path, group);
}

int serve(const std::string& path, const std::string& group) {
  auto listener = find_listener(path, group);
  if (!listener) {
    std::cerr << "berth-rest: " << listener.error().message << '\n';
    return 1;
  }
  raise_descriptor_limit();
  ::signal(SIGPIPE, SIG_IGN);
  boost::asio::io_context context(1);
  berth::rest::AsioLoop loop(context);
  const auto sessions = std::make_shared<berth::rest::Sessions>(loop);
  berth::rest::Identities identities(loop, sessions);
  berth::rest::Shared shared{.loop = loop, .identities = identities, .limits = {}, .browser = {}, .connections = 0};
  berth::rest::TlsFront https(context.get_executor(), shared);
  const berth::rest::HttpsSource https_source(loop, [&https](berth::rest::HttpsSetup setup) { https.apply(std::move(setup)); });
  boost::asio::signal_set stop(context, SIGTERM, SIGINT);
  stop.async_wait([&context](boost::system::error_code, int) { context.stop(); });
  boost::asio::co_spawn(context, berth::rest::accept_connections(*std::move(listener), shared), boost::asio::detached);
  context.run();
  // The connections' frames hold references to what stands above; the process ends with all of them.
  std::_Exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  static constexpr option kOptions[] = {{"socket", required_argument, nullptr, 's'},
                                        {"group", required_argument, nullptr, 'g'},
                                        {"routes", no_argument, nullptr, 'r'},
                                        {"openapi", no_argument, nullptr, 'o'},
                                        {"version", no_argument, nullptr, 'v'},
                                        {"help", no_argument, nullptr, 'h'},
                                        {nullptr, 0, nullptr, 0}};
  std::string path;
  std::string group;
  for (;;) {
    switch (::getopt_long(argc, argv, "", kOptions, nullptr)) {
      case 's': path = optarg; continue;
      case 'g': group = optarg; continue;
      case 'r': std::cout << berth::rest::routes_text(); return 0;
      case 'o': std::cout << berth::rest::openapi_document().dump(1) << '\n'; return 0;
      case 'v': std::cout << BERTH_VERSION << '\n'; return 0;
      case 'h': std::cout << kHelp; return 0;
      case -1: break;
      default: std::cerr << kHelp; return 2;
    }
    break;
  }
  if (optind != argc) {
    std::cerr << kHelp;
    return 2;
  }
  try {
    return serve(path, group);
  } catch (const std::exception& failure) {
    std::cerr << "berth-rest: " << failure.what() << '\n';
    return 1;
  }
}
