#include "daemon/adapters/lxc/guest_networks.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/net_namespace.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "base/unique_fd.hpp"

namespace berth::lxc {
namespace {

/// One attribute of a netlink message.
struct Attribute {
  int type = 0;
  const char* data = nullptr;
  std::size_t size = 0;
  template <typename T>
  T as() const {
    T value{};
    std::memcpy(&value, data, std::min(size, sizeof value));
    return value;
  }
  std::string text() const { return {data, ::strnlen(data, size)}; }
};

constexpr std::size_t aligned(std::size_t size) { return (size + NLMSG_ALIGNTO - 1) & ~std::size_t{NLMSG_ALIGNTO - 1}; }

std::vector<Attribute> attributes(const char* data, std::size_t size) {
  std::vector<Attribute> found;
  while (size >= sizeof(rtattr)) {
    rtattr header{};
    std::memcpy(&header, data, sizeof header);
    if (header.rta_len < sizeof header || header.rta_len > size) break;
    found.push_back({header.rta_type & NLA_TYPE_MASK, data + sizeof header, header.rta_len - sizeof header});
    const std::size_t step = std::min(aligned(header.rta_len), size);
    data += step;
    size -= step;
  }
  return found;
}

/// A request: a fixed header, then 32-bit attributes.
class Request {
 public:
  template <typename Header>
  Request(std::uint16_t type, std::uint16_t flags, const Header& body) {
    header_.nlmsg_type = type;
    header_.nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | flags);
    bytes_.resize(aligned(sizeof header_) + aligned(sizeof body));
    std::memcpy(bytes_.data() + aligned(sizeof header_), &body, sizeof body);
  }
  void add(std::uint16_t type, std::int32_t value) {
    rtattr attribute{.rta_len = sizeof(rtattr) + sizeof value, .rta_type = type};
    const std::size_t at = bytes_.size();
    bytes_.resize(at + aligned(attribute.rta_len));
    std::memcpy(bytes_.data() + at, &attribute, sizeof attribute);
    std::memcpy(bytes_.data() + at + sizeof attribute, &value, sizeof value);
  }
  const std::vector<char>& bytes() {
    header_.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    std::memcpy(bytes_.data(), &header_, sizeof header_);
    return bytes_;
  }

 private:
  nlmsghdr header_{};
  std::vector<char> bytes_;
};

class Netlink {
 public:
  using Each = std::function<void(const char* body, std::size_t size)>;

  static Result<Netlink> open() {
    Netlink netlink;
    netlink.socket_.reset(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!netlink.socket_) return system_error("cannot open a netlink socket", errno);
    const int on = 1;  // without it a dump of addresses ignores its target namespace
    if (::setsockopt(netlink.socket_.get(), SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof on) != 0)
      return system_error("cannot prepare a netlink socket", errno);
    return netlink;
  }

  /// Sends, and gives the body of each answer to `each` until the answer is complete.
  Result<void> talk(Request request, const Each& each) {
    const auto& bytes = request.bytes();
    if (::send(socket_.get(), bytes.data(), bytes.size(), 0) < 0) return system_error("cannot ask the kernel", errno);
    std::vector<char> buffer(std::size_t{64} * 1024);
    for (;;) {
      const ssize_t got = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return system_error("the kernel does not answer", errno);
      BERTH_TRY(const bool complete, read_messages(buffer.data(), static_cast<std::size_t>(got), each));
      if (complete) return {};
    }
  }

 private:
  static Result<bool> read_messages(const char* data, std::size_t size, const Each& each) {
    while (size >= sizeof(nlmsghdr)) {
      nlmsghdr header{};
      std::memcpy(&header, data, sizeof header);
      if (header.nlmsg_len < sizeof header || header.nlmsg_len > size) break;
      const char* body = data + aligned(sizeof header);
      if (header.nlmsg_type == NLMSG_DONE) return true;
      if (header.nlmsg_type == NLMSG_ERROR) {
        int code = 0;
        std::memcpy(&code, body, sizeof code);
        if (code != 0) return system_error("the kernel refuses", -code);
        return true;
      }
      each(body, header.nlmsg_len - aligned(sizeof header));
      if ((header.nlmsg_flags & NLM_F_MULTI) == 0) return true;
      const std::size_t step = std::min(aligned(header.nlmsg_len), size);
      data += step;
      size -= step;
    }
    return false;
  }
  UniqueFd socket_;
};

Result<std::optional<std::int32_t>> known_id(Netlink& netlink, int space) {
  Request request(RTM_GETNSID, 0, rtgenmsg{});
  request.add(NETNSA_FD, space);
  std::int32_t id = -1;
  BERTH_CHECK(netlink.talk(std::move(request), [&id](const char* body, std::size_t size) {
    const std::size_t head = aligned(sizeof(rtgenmsg));
    if (size < head) return;
    for (const auto& attribute : attributes(body + head, size - head))
      if (attribute.type == NETNSA_NSID) id = attribute.as<std::int32_t>();
  }));
  return id < 0 ? std::optional<std::int32_t>{} : std::optional<std::int32_t>{id};
}

/// The id by which this network namespace knows that of `init`; none when they are the same.
Result<std::optional<std::int32_t>> namespace_id(Netlink& netlink, pid_t init) {
  const UniqueFd space(::open(("/proc/" + std::to_string(init) + "/ns/net").c_str(), O_RDONLY | O_CLOEXEC));
  if (!space) return system_error("cannot open the container's network namespace", errno);
  struct stat theirs {};
  struct stat ours {};
  if (::fstat(space.get(), &theirs) == 0 && ::stat("/proc/self/ns/net", &ours) == 0 && theirs.st_ino == ours.st_ino)
    return std::optional<std::int32_t>{};
  BERTH_TRY(const std::optional<std::int32_t> known, known_id(netlink, space.get()));
  if (known) return known;
  Request request(RTM_NEWNSID, NLM_F_ACK, rtgenmsg{});
  request.add(NETNSA_FD, space.get());
  request.add(NETNSA_NSID, -1);
  auto made = netlink.talk(std::move(request), [](const char*, std::size_t) {});  // another thread may be first
  BERTH_TRY(const std::optional<std::int32_t> id, known_id(netlink, space.get()));
  if (id) return id;
  BERTH_CHECK(std::move(made));
  return Error{Code::Internal, "the kernel gives the container's network namespace no id"};
}

std::string hardware_address(const Attribute& attribute) {
  constexpr std::array kDigits{'0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'};
  std::string text;
  bool any = false;
  for (std::size_t i = 0; i < attribute.size; ++i) {
    const auto byte = static_cast<unsigned char>(attribute.data[i]);
    any = any || byte != 0;
    if (i > 0) text += ':';
    text += kDigits.at(byte >> 4U);
    text += kDigits.at(byte & 0xfU);
  }
  return any ? text : std::string();
}

std::string type_of(unsigned flags) {
  if ((flags & IFF_LOOPBACK) != 0) return "loopback";
  if ((flags & IFF_POINTOPOINT) != 0) return "point-to-point";
  return (flags & IFF_BROADCAST) != 0 ? "broadcast" : "unknown";
}

std::string scope_of(unsigned char scope) {
  if (scope == RT_SCOPE_HOST) return "local";
  return scope == RT_SCOPE_LINK ? "link" : "global";
}

bool is_veth(const Attribute& info) {
  for (const auto& attribute : attributes(info.data, info.size))
    if (attribute.type == IFLA_INFO_KIND) return attribute.text() == "veth";
  return false;
}

struct Link {
  std::string name;
  ports::NetworkInterface interface;
};

Link link_of(const ifinfomsg& head, const std::vector<Attribute>& all) {
  Link link;
  auto& out = link.interface;
  out.state = (head.ifi_flags & IFF_UP) != 0 ? "up" : "down";
  out.type = type_of(head.ifi_flags);
  unsigned peer = 0;
  bool veth = false;
  for (const auto& attribute : all) {
    if (attribute.type == IFLA_IFNAME) link.name = attribute.text();
    if (attribute.type == IFLA_MTU) out.mtu = attribute.as<std::uint32_t>();
    if (attribute.type == IFLA_ADDRESS) out.hwaddr = hardware_address(attribute);
    if (attribute.type == IFLA_LINK) peer = attribute.as<std::uint32_t>();
    if (attribute.type == IFLA_LINKINFO) veth = is_veth(attribute);
    if (attribute.type == IFLA_STATS64) {
      const auto stats = attribute.as<rtnl_link_stats64>();
      out.bytes_received = stats.rx_bytes;
      out.bytes_sent = stats.tx_bytes;
      out.packets_received = stats.rx_packets;
      out.packets_sent = stats.tx_packets;
      out.errors_received = stats.rx_errors;
      out.errors_sent = stats.tx_errors;
      out.dropped_inbound = stats.rx_dropped;
      out.dropped_outbound = stats.tx_dropped;
    }
  }
  std::array<char, IF_NAMESIZE> host{};
  if (veth && peer != 0 && ::if_indextoname(peer, host.data()) != nullptr) out.host_name = host.data();
  return link;
}

ports::NetworkAddress address_of(const ifaddrmsg& head, const std::vector<Attribute>& all) {
  ports::NetworkAddress address{.family = head.ifa_family == AF_INET ? "inet" : "inet6",
                                .netmask = std::to_string(head.ifa_prefixlen),
                                .scope = scope_of(head.ifa_scope)};
  // IFA_LOCAL is this side's address where the two sides have different ones.
  const Attribute* chosen = nullptr;
  for (const auto& attribute : all)
    if (attribute.type == IFA_LOCAL || (attribute.type == IFA_ADDRESS && chosen == nullptr)) chosen = &attribute;
  const std::size_t wanted = head.ifa_family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (chosen != nullptr && chosen->size >= wanted &&
      ::inet_ntop(head.ifa_family, chosen->data, text.data(), text.size()) != nullptr)
    address.address = text.data();
  return address;
}

/// Splits an answer into its fixed head and its attributes.
template <typename Head, typename Use>
Netlink::Each each_of(Use use) {
  return [use](const char* body, std::size_t size) {
    if (size < sizeof(Head)) return;
    Head head{};
    std::memcpy(&head, body, sizeof head);
    const std::size_t skip = std::min(aligned(sizeof head), size);
    use(head, attributes(body + skip, size - skip));
  };
}

}  // namespace

Result<std::map<std::string, ports::NetworkInterface>> guest_networks(pid_t init) {
  BERTH_TRY(Netlink netlink, Netlink::open());
  BERTH_TRY(const std::optional<std::int32_t> space, namespace_id(netlink, init));
  std::map<int, Link> links;
  Request link_request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
  if (space) link_request.add(IFLA_TARGET_NETNSID, *space);
  BERTH_CHECK(netlink.talk(std::move(link_request),
                           each_of<ifinfomsg>([&links](const ifinfomsg& head, const std::vector<Attribute>& all) {
                             links[head.ifi_index] = link_of(head, all);
                           })));
  const auto add_address = [&links](const ifaddrmsg& head, const std::vector<Attribute>& all) {
    const auto found = links.find(static_cast<int>(head.ifa_index));
    if (found == links.end()) return;
    auto address = address_of(head, all);
    if (!address.address.empty()) found->second.interface.addresses.push_back(std::move(address));
  };
  for (const auto family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {  // a dump of both at once ignores its target namespace
    Request request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{.ifa_family = family});
    if (space) request.add(IFA_TARGET_NETNSID, *space);
    BERTH_CHECK(netlink.talk(std::move(request), each_of<ifaddrmsg>(add_address)));
  }
  std::map<std::string, ports::NetworkInterface> result;
  for (auto& [index, link] : links) result[link.name] = std::move(link.interface);
  return result;
}

}  // namespace berth::lxc
