// Event streams of the running daemon.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "tests/bus/bench.hpp"
#include "tests/bus/client.hpp"
#include "tests/bus/fake_polkit.hpp"

namespace berth::bustest {
namespace {

using ::testing::HasSubstr;

class Events : public ::testing::Test {
 protected:
  Events() { (void)Bench::get(); }
  static UniqueFd subscribe(Client& client, const char* type = nullptr) {
    const auto said = client.call(kRoot, kManager, "Subscribe", [&](sd_bus_message* m) {
      if (type == nullptr) (void)sd_bus_message_append(m, "a{sv}", 0);
      else (void)sd_bus_message_append(m, "a{sv}", 1, "types", "as", 1, type);
    });
    EXPECT_TRUE(said.ok()) << said;
    return said.ok() ? UniqueFd(::fcntl(said.descriptor(), F_DUPFD_CLOEXEC, 3)) : UniqueFd();
  }
  /// The next packet; empty at the end of the stream.
  static std::string next(const UniqueFd& stream) {
    pollfd wait{.fd = stream.get(), .events = POLLIN, .revents = 0};
    if (::poll(&wait, 1, 10'000) <= 0) return "nothing came";
    std::string packet(256 << 10, '\0');
    const auto size = ::recv(stream.get(), packet.data(), packet.size(), 0);
    packet.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return packet;
  }
  static bool ended(const UniqueFd& stream) {
    pollfd wait{.fd = stream.get(), .events = 0, .revents = 0};
    return ::poll(&wait, 1, 0) > 0 && (wait.revents & POLLHUP) != 0;
  }
  static void make_an_event(Client& root) {
    const auto changed = root.call(std::string(kDefaultProject) + "/profile/default", "org.berth.Berth1.Profile", "Update",
                                   [](sd_bus_message* m) { (void)sd_bus_message_append(m, "a{sv}a{sv}", 1, "description", "s", "x", 0); });
    EXPECT_TRUE(changed.ok()) << changed;
  }
};

TEST_F(Events, OfASubscriberThatDoesNotReadEndAndThoseOfTheOthersGoOn) {  // rule 20
  Client root;
  const auto lazy = subscribe(root, "lifecycle"), reader = subscribe(root, "lifecycle");
  constexpr int kEnough = 20000;
  int made = 0;
  while (!ended(lazy) && made < kEnough) {
    make_an_event(root);
    ++made;
    ASSERT_THAT(next(reader), HasSubstr("profile-updated")) << "after " << made;
  }
  EXPECT_LT(made, kEnough) << "it was never cut";
  make_an_event(root);
  EXPECT_THAT(next(reader), HasSubstr("profile-updated"));
}

TEST_F(Events, EndWithTheConnectionThatSubscribed) {
  auto client = std::make_unique<Client>(0);
  const auto stream = subscribe(*client);
  client.reset();
  EXPECT_EQ(next(stream), "");
}

TEST_F(Events, HaveAtMostSixtyFourStreamsAUserAndOthersStillGetOne) {
  FakePolkit polkit(FakePolkit::Answer::Yes);
  Client nobody(kNobody), root;
  std::vector<UniqueFd> streams;
  for (int i = 0; i < 64; ++i) streams.push_back(subscribe(nobody));
  const auto refused = nobody.call(kRoot, kManager, "Subscribe", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "a{sv}", 0); });
  EXPECT_EQ(refused.error, "org.berth.Berth1.Error.LimitsExceeded") << refused;
  EXPECT_TRUE(subscribe(root));
}

TEST_F(Events, EndWhenBerthdEndsAndItEndsWell) {
  Client root;
  const auto stream = subscribe(root);
  EXPECT_TRUE(Bench::get().stop_daemon());
  EXPECT_EQ(next(stream), "");
  Bench::get().start_daemon();
  EXPECT_TRUE(subscribe(root));
}

}  // namespace
}  // namespace berth::bustest
