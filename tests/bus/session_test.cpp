// Who stands behind a connection of the REST bridge: the proof of an accepted socket, and every forgery that was tried.
// Security rule 12.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <fcntl.h>

#include "base/unique_fd.hpp"
#include "tests/bus/bench.hpp"
#include "tests/bus/client.hpp"
#include "tests/bus/fake_polkit.hpp"

namespace berth::bustest {
namespace {

using ::testing::SizeIs;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

UniqueFd listener_at(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(path);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 || ::listen(fd.get(), 16) != 0) return {};
  (void)::chmod(path.c_str(), 0666);
  return fd;
}

UniqueFd connect_to(const std::string& path) {
  UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const auto address = address_of(path);
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return {};
  return fd;
}

UniqueFd accept_on(const UniqueFd& listener) {
  pollfd wait{.fd = listener.get(), .events = POLLIN, .revents = 0};
  if (::poll(&wait, 1, 10'000) <= 0) return {};
  return UniqueFd(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
}

void send_fd(int channel, int fd) {
  char byte = 'f', control[CMSG_SPACE(sizeof(int))] = {};
  iovec data{.iov_base = &byte, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  auto* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof(int));
  std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  (void)::sendmsg(channel, &message, MSG_NOSIGNAL);
}

UniqueFd receive_fd(int channel) {
  char byte = 0, control[CMSG_SPACE(sizeof(int))] = {};
  iovec data{.iov_base = &byte, .iov_len = 1};
  msghdr message{};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = control;
  message.msg_controllen = sizeof control;
  if (::recvmsg(channel, &message, MSG_CMSG_CLOEXEC) <= 0 || CMSG_FIRSTHDR(&message) == nullptr) return {};
  int fd = -1;
  std::memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof fd);
  return UniqueFd(fd);
}

bool write_text(const char* path, const std::string& text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

class Session : public ::testing::Test {
 protected:
  Session() : path_(Bench::get().rest_socket()), listener_(listener_at(path_)), bridge_(kBridge) {}
  ~Session() override { (void)::unlink(path_.c_str()); }

  static Outcome assume(Client& who, int socket) {
    return who.call(kRoot, "org.berth.Berth1.Session", "AssumePeer",
                    [&](sd_bus_message* m) { (void)sd_bus_message_append(m, "h", socket); });
  }
  static Outcome add(Client& who, int socket) {
    return who.call(kRoot, "org.berth.Berth1.Session", "AddPeer",
                    [&](sd_bus_message* m) { (void)sd_bus_message_append(m, "h", socket); });
  }
  /// Whether the connection comes to be nobody's.
  bool ends() {
    Outcome after;
    for (int tries = 0; tries < 1000 && after.error != kDenied; ++tries) after = ask(bridge_);
    return after.error == kDenied;
  }
  static Outcome ask(Client& client) { return client.call(kRoot, kManager, "GetServerInfo"); }
  /// A connection to the listener by that user, from both sides.
  struct Pair {
    UniqueFd client, accepted;
  };
  Pair connect_as(uid_t uid) {
    Pair pair;
    {
      const ActAs user(uid);
      pair.client = connect_to(path_);
    }
    pair.accepted = accept_on(listener_);
    return pair;
  }
  void expect_refused(int socket) {
    const auto outcome = assume(bridge_, socket);
    EXPECT_EQ(outcome.error, kDenied) << outcome;
    EXPECT_EQ(ask(bridge_).error, kDenied) << "the connection is still the bridge's own";
  }

  const std::string path_;
  UniqueFd listener_;
  Client bridge_;
};

TEST_F(Session, JudgesTheClientOfAnAcceptedSocketAsItsProcessAndUser) {
  FakePolkit polkit(FakePolkit::Answer::Yes);
  const auto pair = connect_as(kNobody);
  const auto bound = assume(bridge_, pair.accepted.get());
  ASSERT_TRUE(bound.ok()) << bound;
  EXPECT_TRUE(ask(bridge_).ok());
  const auto questions = polkit.questions();
  ASSERT_THAT(questions, SizeIs(1));
  EXPECT_EQ(questions[0].subject, "unix-process");
  EXPECT_EQ(questions[0].uid, static_cast<std::int32_t>(kNobody));
  EXPECT_EQ(questions[0].pid, static_cast<std::uint32_t>(::getpid()));
}

TEST_F(Session, ServesRootBehindTheSocketWithoutAnAuthority) {
  const auto pair = connect_as(0);
  ASSERT_TRUE(assume(bridge_, pair.accepted.get()).ok());
  EXPECT_TRUE(ask(bridge_).ok());
}

TEST_F(Session, EndsForTheConnectionWhenItsClientHangsUp) {
  auto pair = connect_as(0);
  ASSERT_TRUE(assume(bridge_, pair.accepted.get()).ok());
  EXPECT_TRUE(ask(bridge_).ok());
  pair.client.reset();
  pair.accepted.reset();
  Outcome after;
  for (int tries = 0; tries < 1000 && after.error != kDenied; ++tries) after = ask(bridge_);
  EXPECT_EQ(after.error, kDenied);
  const auto again = connect_as(0);
  EXPECT_FALSE(assume(bridge_, again.accepted.get()).ok()) << "and it is never another's";
}

TEST_F(Session, BindsAConnectionOnce) {
  const auto first = connect_as(0), second = connect_as(0);
  ASSERT_TRUE(assume(bridge_, first.accepted.get()).ok());
  EXPECT_FALSE(assume(bridge_, second.accepted.get()).ok());
  EXPECT_FALSE(assume(bridge_, first.accepted.get()).ok());
}

TEST_F(Session, LastsUntilTheLastSocketOfItsClientHangsUp) {
  auto first = connect_as(0), second = connect_as(0);
  ASSERT_TRUE(assume(bridge_, first.accepted.get()).ok());
  ASSERT_TRUE(add(bridge_, second.accepted.get()).ok());
  first.client.reset();
  first.accepted.reset();
  // Two round trips later the daemon has seen the end of the first.
  for (int turn = 0; turn < 100; ++turn) ASSERT_TRUE(ask(bridge_).ok());
  second.client.reset();
  second.accepted.reset();
  EXPECT_TRUE(ends());
  const auto third = connect_as(0);
  EXPECT_EQ(add(bridge_, third.accepted.get()).error, kDenied) << "and nothing brings it back";
}

TEST_F(Session, AddsNoSocketOfAnotherUserOrProcess) {
  const auto own = connect_as(0), of_nobody = connect_as(kNobody);
  ASSERT_TRUE(assume(bridge_, own.accepted.get()).ok());
  EXPECT_EQ(add(bridge_, of_nobody.accepted.get()).error, kDenied);
  int hold[2];
  ASSERT_EQ(::pipe2(hold, O_CLOEXEC), 0);
  UniqueFd held_in(hold[0]), held_out(hold[1]);
  const pid_t child = ::fork();
  if (child == 0) {
    held_out.reset();
    const auto connected = connect_to(path_);
    char byte = 0;
    (void)!::read(held_in.get(), &byte, 1);  // alive until it has been judged
    ::_exit(0);
  }
  const auto accepted = accept_on(listener_);
  EXPECT_EQ(add(bridge_, accepted.get()).error, kDenied);
  int pair[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  const UniqueFd one(pair[0]), other(pair[1]);
  EXPECT_EQ(add(bridge_, one.get()).error, kDenied);
  held_out.reset();
  (void)::waitpid(child, nullptr, 0);
  EXPECT_TRUE(ask(bridge_).ok()) << "what was refused changes nothing";
}

TEST_F(Session, AddsToWhatIsBoundAlone) {
  FakePolkit polkit(FakePolkit::Answer::Yes);
  const auto pair = connect_as(0);
  EXPECT_EQ(add(bridge_, pair.accepted.get()).error, kDenied);
  Client nobody(kNobody), root;
  EXPECT_EQ(add(nobody, pair.accepted.get()).error, kDenied);
  EXPECT_EQ(add(root, pair.accepted.get()).error, kDenied);
}

TEST_F(Session, BelongsToTheBridgeAlone) {
  FakePolkit polkit(FakePolkit::Answer::Yes);
  const auto pair = connect_as(0);
  Client nobody(kNobody), root;
  EXPECT_EQ(assume(nobody, pair.accepted.get()).error, kDenied);
  EXPECT_EQ(assume(root, pair.accepted.get()).error, kDenied);
}

TEST_F(Session, RefusesASocketPairOfRoot) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd one(ends[0]), other(ends[1]);
  expect_refused(one.get());
}

TEST_F(Session, RefusesTheClientsEnd) {
  const auto pair = connect_as(kNobody);
  expect_refused(pair.client.get());
}

TEST_F(Session, RefusesTheListenerItself) { expect_refused(listener_.get()); }

TEST_F(Session, RefusesASocketAcceptedOnAnotherListener) {
  const auto path = Bench::get().folder() + "/run/other.socket";
  const auto other = listener_at(path);
  const auto client = connect_to(path);
  const auto accepted = accept_on(other);
  (void)::unlink(path.c_str());
  expect_refused(accepted.get());
}

TEST_F(Session, RefusesASocketAcceptedOnAListenerThatWasReplaced) {
  const auto pair = connect_as(0);
  // The old listener stays open, so that its inode is not used again.
  ASSERT_EQ(::unlink(path_.c_str()), 0);
  const auto next = listener_at(path_);
  ASSERT_TRUE(next);
  expect_refused(pair.accepted.get());
}

TEST_F(Session, RefusesAPeerThatHasEnded) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto connected = connect_to(path_);
    ::_exit(connected ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
  const auto accepted = accept_on(listener_);
  expect_refused(accepted.get());
}

TEST_F(Session, RefusesASocketOfThisPathInAnotherMountNamespace) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  const UniqueFd ours(ends[0]), theirs(ends[1]);
  const auto folder = path_.substr(0, path_.rfind('/'));
  const pid_t child = ::fork();
  if (child == 0) {
    // An unprivileged user, root in a namespace of its own, binds our path on a file system of its own.
    if (::setresgid(kNobody, kNobody, kNobody) != 0 || ::setresuid(kNobody, kNobody, kNobody) != 0) ::_exit(1);
    (void)::prctl(PR_SET_DUMPABLE, 1);
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) ::_exit(2);
    if (!write_text("/proc/self/setgroups", "deny") || !write_text("/proc/self/uid_map", "0 65534 1") ||
        !write_text("/proc/self/gid_map", "0 65534 1"))
      ::_exit(3);
    if (::mount("tmpfs", folder.c_str(), "tmpfs", 0, nullptr) != 0) ::_exit(4);
    const auto forged = listener_at(path_);
    const auto client = connect_to(path_);
    const auto accepted = accept_on(forged);
    if (!accepted) ::_exit(5);
    send_fd(theirs.get(), accepted.get());
    char byte = 0;
    (void)::read(theirs.get(), &byte, 1);  // alive until it has been judged
    ::_exit(0);
  }
  const auto accepted = receive_fd(ours.get());
  if (accepted) expect_refused(accepted.get());
  (void)::shutdown(ours.get(), SHUT_WR);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 2) GTEST_SKIP() << "this host lets nobody make user namespaces";
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(accepted);
}

TEST_F(Session, RefusesWhatIsNoStreamSocketOfThisHost) {
  const UniqueFd internet(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  expect_refused(internet.get());
  const UniqueFd datagram(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  expect_refused(datagram.get());
  const UniqueFd file(::open("/dev/null", O_RDWR | O_CLOEXEC));
  expect_refused(file.get());
  const UniqueFd path(::open(path_.c_str(), O_PATH | O_CLOEXEC));
  expect_refused(path.get());
}

TEST_F(Session, RefusesEverySocketWhileOthersCanReplaceTheListener) {
  const auto pair = connect_as(0);
  const auto folder = path_.substr(0, path_.rfind('/'));
  ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
  expect_refused(pair.accepted.get());
  ASSERT_EQ(::chmod(folder.c_str(), 0755), 0);
  ASSERT_EQ(::chown(folder.c_str(), kNobody, 0), 0);
  expect_refused(pair.accepted.get());
  ASSERT_EQ(::chown(folder.c_str(), 0, 0), 0);
  EXPECT_TRUE(assume(bridge_, pair.accepted.get()).ok());
}

}  // namespace
}  // namespace berth::bustest
