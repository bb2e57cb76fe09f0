// Bytes of HTTP connections, as they come over the socket: requests one after the other, uploads, and websockets with their
// frames. A line `%%` begins another connection at the same time. Every connection must end when its client has gone.
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>  // Boost 1.81 uses std::exchange without it

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "rest-bridge/api/sessions.hpp"
#include "rest-bridge/http/connection.hpp"
#include "tests/fuzz/fake_bus.hpp"

namespace berth::rest {

/// Stands in for identity/identities.cpp: everybody is the same client, on a bus connection of its own.
struct Identity {
  std::unique_ptr<Bus> bus;
  std::unique_ptr<Api> api;
};
struct Identities::Waiting {};

Identities::Identities(Loop& loop, std::shared_ptr<Sessions> sessions, IdentityLimits limits)
    : loop_(loop), sessions_(std::move(sessions)), limits_(limits) {}
Identities::~Identities() = default;
Identities::Lease::Lease(std::shared_ptr<Identity> identity, Identities& owner) : identity_(std::move(identity)), owner_(owner) {}
Identities::Lease::~Lease() {
  owner_.loop_.post([last = std::move(identity_)] {});
}
Api& Identities::Lease::api() { return *identity_->api; }
void Identities::Lease::share(const Place&) {}
void Identities::acquire(const std::shared_ptr<Place>& place, Ready ready) {
  if (!place->identity) {
    auto identity = std::make_shared<Identity>();
    identity->bus = *Bus::open(loop_);
    identity->api = std::make_unique<Api>(*identity->bus, sessions_, "unix:1000");
    place->identity = std::move(identity);
  }
  ready(std::make_shared<Lease>(place->identity, *this));
}
void Identities::leave(Place& place) {
  loop_.post([last = std::move(place.identity)] {});
}

}  // namespace berth::rest

namespace berth::fuzz {
namespace {

namespace asio = boost::asio;
constexpr int kMostConnections = 8;

/// The bridge, once for all inputs.
struct Bridge {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> never_out_of_work{context.get_executor()};
  rest::AsioLoop loop{context};
  std::shared_ptr<rest::Sessions> sessions = std::make_shared<rest::Sessions>(loop);
  rest::Identities identities{loop, sessions};
  rest::Shared shared{.loop = loop, .identities = identities, .limits = {}, .browser = {}, .connections = 0};
};

Bridge& bridge() {
  static auto* const one = new Bridge;  // outlives the frames that refer to it
  return *one;
}

/// The client's end: everything is written at once, and the answers are read and forgotten.
struct Client {
  UniqueFd socket;
  bool ended = false;
};

void begin(Client& client, std::string_view bytes) {
  int pair[2] = {-1, -1};
  demand(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) == 0, "a socketpair");
  client.socket.reset(pair[0]);
  (void)::send(pair[0], bytes.data(), bytes.size(), MSG_NOSIGNAL);
  (void)::shutdown(pair[0], SHUT_WR);
  auto& all = bridge();
  rest::Socket socket(all.context, asio::local::stream_protocol(), pair[1]);
  asio::co_spawn(all.context, rest::serve_connection(std::move(socket), all.shared),
                 [&client](const std::exception_ptr& failure) {
                   demand(!failure, "no exception leaves a connection");
                   client.ended = true;
                 });
}

void run(std::string_view text) {
  restart_randomness();
  plan() = {};
  static constexpr std::string_view kNext = "\n%%\n";
  std::vector<std::unique_ptr<Client>> clients;
  while (clients.size() < kMostConnections) {
    const auto end = text.find(kNext);
    clients.push_back(std::make_unique<Client>());
    begin(*clients.back(), text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + kNext.size());
  }
  auto& context = bridge().context;
  std::string answers(65536, '\0');
  for (const auto& client : clients)
    while (!client->ended) {
      while (context.poll() > 0) {
      }
      for (const auto& other : clients)
        while (::recv(other->socket.get(), answers.data(), answers.size(), 0) > 0) {
        }
      // libFuzzer's own deadline is that of a connection which does not end.
      if (!client->ended) context.run_one_for(std::chrono::milliseconds(1));
    }
  clients.clear();
  while (context.poll() > 0) {
  }
  demand(bridge().shared.connections == 0, "connections that have ended are not counted");
}

}  // namespace
}  // namespace berth::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  (void)std::signal(SIGPIPE, SIG_IGN);
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  berth::fuzz::run({reinterpret_cast<const char*>(data), size});
  return 0;
}
