#include "daemon/supervisor/control_server.hpp"

#include <algorithm>
#include <vector>

namespace berth::supervisor {
namespace {

constexpr std::size_t kMaxClients = 300;  // every exec may have one waiting, and some to ask

}  // namespace

ControlServer::ControlServer(EventLoop& loop, Handler handler, Gone no_watchers)
    : loop_(loop), handler_(std::move(handler)), no_watchers_(std::move(no_watchers)) {}

ControlServer::~ControlServer() {
  for (const auto& [client, connection] : clients_) loop_.forget(connection.socket.get());
  if (listener_) loop_.forget(listener_.get());
}

Result<void> ControlServer::listen(const std::string& path) {
  BERTH_TRY(listener_, listen_packets(path));
  return loop_.watch(listener_.get(), [this] { accept(); });
}

void ControlServer::accept() {
  auto peer = accept_packets(listener_.get());
  if (!peer || !*peer || clients_.size() >= kMaxClients) return;
  const Client client = ++last_client_;
  const int fd = (*peer)->get();
  clients_[client].socket = std::move(**peer);
  if (!loop_.watch(fd, [this, client] { receive(client); })) clients_.erase(client);
}

void ControlServer::receive(Client client) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  auto packet = receive_packet(found->second.socket.get());
  if (!packet && packet.error().code == Code::Unavailable) return;  // nothing there after all
  if (!packet || !*packet) {
    close(client);
    return;
  }
  auto message = decode((*packet)->text);
  if (!message) {
    close(client);
    return;
  }
  handler_(client, *std::move(message), std::move((*packet)->fds));
}

void ControlServer::answer(Client client, const Message& message, std::span<const int> fds) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  if (!send_packet(found->second.socket.get(), encode(message), fds)) close(client);
}

void ControlServer::add_watcher(Client client) {
  if (const auto found = clients_.find(client); found != clients_.end()) found->second.watching = true;
}

void ControlServer::notify(const Message& message) {
  std::vector<Client> watchers;
  for (const auto& [client, connection] : clients_)
    if (connection.watching) watchers.push_back(client);
  for (const Client client : watchers) answer(client, message);
}

void ControlServer::close(Client client) {
  const auto found = clients_.find(client);
  if (found == clients_.end()) return;
  const bool watching = found->second.watching;
  loop_.forget(found->second.socket.get());
  clients_.erase(found);
  const bool others =
      std::any_of(clients_.begin(), clients_.end(), [](const auto& entry) { return entry.second.watching; });
  if (watching && !others) no_watchers_();
}

}  // namespace berth::supervisor
