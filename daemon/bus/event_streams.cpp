#include "daemon/bus/event_streams.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.hpp"
#include "daemon/domain/document_json.hpp"
#include "daemon/domain/visibility.hpp"

namespace berth::bus {
namespace {

/// Of no project, though it stands in `default`.
bool is_of_the_server(const services::Event& event) {
  if (event.type == "logging") return true;
  const auto kind = event.metadata.find("kind");
  if (event.type != "lifecycle" || kind == event.metadata.end()) return false;
  const auto* text = std::get_if<std::string>(&kind->second.value);
  return text != nullptr && (*text == "certificate" || *text == "config" || *text == "storage-pool");
}

bool may_see(const Principal& who, const services::Event& event) {
  if (who.kind == PrincipalKind::Restricted && is_of_the_server(event)) return false;
  return visible_to(who, event.project, event.owner_uid, event.owner_uid);
}

bool wants(const EventFilter& filter, const services::Event& event) {
  return (filter.types.empty() || filter.types.count(event.type) != 0) &&
         (!filter.project || *filter.project == event.project);
}

std::string packet_of(const services::Event& event) {
  Document packet;
  packet["type"] = event.type;
  packet["timestamp"] = to_microseconds(event.at);
  packet["project"] = event.project.str();
  packet["metadata"] = event.metadata;
  return to_json(packet);
}

}  // namespace

void EventStreams::publish(services::Event event) {
  (void)loop_.post([this, event = std::move(event)] { deliver(event); });
}

void EventStreams::deliver(const services::Event& event) {
  for (const auto& listener : listeners_) listener(event);
  if (streams_.empty()) return;
  std::string packet;
  streams_.remove_if([&](const Stream& stream) {
    if (!wants(stream.filter, event) || !may_see(stream.who, event)) return false;
    if (packet.empty()) packet = packet_of(event);
    if (packet.size() > kEventLimit) {
      log::warning("An event of " + std::to_string(packet.size()) + " bytes was not sent", {{"BERTH_EVENT_TYPE", event.type}});
      return false;
    }
    return send(stream.fd.get(), packet.data(), packet.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0;
  });
}

Result<UniqueFd> EventStreams::subscribe(const Principal& who, EventFilter filter) {
  const auto same_user = [&](const Stream& stream) {
    return stream.who.kind == who.kind && stream.who.uid == who.uid && stream.who.fingerprint == who.fingerprint;
  };
  if (streams_.size() >= kInAll ||
      static_cast<std::size_t>(std::count_if(streams_.begin(), streams_.end(), same_user)) >= kPerUser)
    return Error{Code::LimitsExceeded, "too many event streams are open; close one"};
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return system_error("cannot make an event stream", errno);
  UniqueFd ours{ends[0]}, theirs{ends[1]};
  (void)setsockopt(ours.get(), SOL_SOCKET, SO_SNDBUF, &kBacklogBytes, sizeof kBacklogBytes);
  (void)shutdown(ours.get(), SHUT_RD);

  streams_.push_back(Stream{who, std::move(filter), std::move(ours), {}});
  const auto place = std::prev(streams_.end());
  auto hang_up = loop_.watch(place->fd.get(), EPOLLHUP, [this, place](std::uint32_t) { streams_.erase(place); });
  if (!hang_up) {
    streams_.erase(place);
    return std::move(hang_up).error();
  }
  place->hang_up = *std::move(hang_up);
  return theirs;
}

void EventStreams::close_for(const std::string& bus_name) {
  streams_.remove_if([&](const Stream& stream) { return stream.who.bus_name == bus_name; });
}

}  // namespace berth::bus
