#include <sys/socket.h>
#include <sys/sysmacros.h>

#include <chrono>
#include <future>

#include "tests/unit/guest/guest_fixture.hpp"

namespace berth::testing_support {
namespace {

using ::testing::HasSubstr;

class FilesInAStoppedGuest : public GuestFilesTest {
 protected:
  ports::GuestPlace place() const { return {.init_pid = 0, .is_its_init = {}, .root = root()}; }
  Result<void> put(ports::GuestFileWrite request, const std::string& text = "") {
    const UniqueFd content = memory(text);
    return files_.write(place(), request, content.get(), {});
  }
  static std::function<bool()> never() {
    return [] { return false; };
  }
  /// The content, or the error's text.
  std::string get(const std::string& path, ports::GuestFileInfo* info = nullptr) {
    auto opened = files_.read(place(), path, true);
    if (!opened) return "ERROR " + opened.error().message;
    if (info != nullptr) *info = opened->info;
    std::string out;
    std::string chunk(1 << 16, '\0');
    for (ssize_t n; (n = ::read(opened->content.get(), chunk.data(), chunk.size())) > 0;)
      out.append(chunk, 0, static_cast<std::size_t>(n));
    const auto ended = opened->wait(never());
    return ended ? out : "ERROR " + ended.error().message;
  }
  void expect_error(const Result<void>& result, Code code, const std::string& words) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, code) << result.error().message;
    EXPECT_THAT(result.error().message, HasSubstr(words));
  }
};

TEST_P(FilesInAStoppedGuest, ComeBackAsTheyWentIn) {
  const std::string text = std::string(300'000, 'x') + '\0' + "\xff";
  const auto put_in = put({.path = "/etc/new", .uid = 5, .gid = 6, .mode = 0604}, text);
  ASSERT_TRUE(put_in) << put_in.error().message;
  ports::GuestFileInfo info;
  EXPECT_EQ(get("/etc/new", &info), text);
  EXPECT_EQ(info.type, "file");
  EXPECT_EQ(info.uid, 5U);
  EXPECT_EQ(info.gid, 6U);
  EXPECT_EQ(info.mode, 0604U);
  EXPECT_EQ(info.size, text.size());
  EXPECT_EQ(look(changed("etc/new")).st_uid, 5U) << "ids on disk are the guest's";
}

TEST_P(FilesInAStoppedGuest, HaveTheGuestsRootForOwnerUnlessTold) {
  ASSERT_TRUE(put({.path = "/etc/new"}, "x"));
  ASSERT_TRUE(put({.path = "/etc/folder", .type = "directory"}));
  EXPECT_EQ(look(changed("etc/new")).st_mode, S_IFREG | 0640U);
  EXPECT_EQ(look(changed("etc/new")).st_uid, 0U);
  EXPECT_EQ(look(changed("etc/folder")).st_mode, S_IFDIR | 0750U);
}

TEST_P(FilesInAStoppedGuest, KeepOwnerAndModeWhenOverwritten) {
  ASSERT_EQ(chown(lower("etc/issue").c_str(), 1000, 1001), 0);
  ASSERT_EQ(chmod(lower("etc/issue").c_str(), 0600), 0);
  ASSERT_TRUE(put({.path = "/etc/issue"}, "new"));
  EXPECT_EQ(read(changed("etc/issue")), "new");
  EXPECT_EQ(look(changed("etc/issue")).st_uid, 1000U);
  EXPECT_EQ(look(changed("etc/issue")).st_mode, S_IFREG | 0600U);
  ASSERT_TRUE(put({.path = "/etc/issue", .append = true}, " more"));
  EXPECT_EQ(get("/etc/issue"), "new more");
}

TEST_P(FilesInAStoppedGuest, AreListedByFolder) {
  ASSERT_TRUE(put({.path = "/etc/b"}, ""));
  ASSERT_TRUE(put({.path = "/etc/a\n"}, ""));
  ports::GuestFileInfo info;
  EXPECT_EQ(get("/etc", &info), std::string("a\n\0b\0issue\0", 11));
  EXPECT_EQ(info.type, "directory");
  EXPECT_EQ(get("/tmp"), "");
}

TEST_P(FilesInAStoppedGuest, AreLookedAtWithoutTheirContent) {
  auto opened = files_.read(place(), "/etc/issue", false);
  ASSERT_TRUE(opened);
  char byte = 0;
  EXPECT_EQ(::read(opened->content.get(), &byte, 1), 0);
  EXPECT_EQ(opened->info.size, 22U);
  EXPECT_TRUE(opened->wait(never()));
}

TEST_P(FilesInAStoppedGuest, MayBeLinks) {
  ASSERT_TRUE(put({.path = "/etc/link", .type = "symlink"}, "/etc/issue"));
  ports::GuestFileInfo info;
  EXPECT_EQ(get("/etc/link", &info), "/etc/issue");
  EXPECT_EQ(info.type, "symlink");
  EXPECT_EQ(info.size, 10U);
  ASSERT_TRUE(put({.path = "/etc/link", .type = "symlink"}, "elsewhere"));
  EXPECT_EQ(get("/etc/link"), "elsewhere");
  expect_error(put({.path = "/etc/issue", .type = "symlink"}, "x"), Code::AlreadyExists, "`/etc/issue`");
  expect_error(put({.path = "/etc/bad", .type = "symlink"}, ""), Code::InvalidArgument, "empty");
  expect_error(put({.path = "/etc/bad", .type = "symlink"}, std::string(5000, 'x')), Code::InvalidArgument, "too long");
}

TEST_P(FilesInAStoppedGuest, AreDeletedButNoFolderWithContent) {
  ASSERT_TRUE(put({.path = "/etc/link", .type = "symlink"}, "/etc/issue"));
  ASSERT_TRUE(files_.remove(place(), "/etc/link"));
  EXPECT_EQ(get("/etc/issue"), "old text that is long\n");
  expect_error(files_.remove(place(), "/etc"), Code::FailedPrecondition, "not empty");
  ASSERT_TRUE(files_.remove(place(), "/etc/issue"));
  expect_error(files_.remove(place(), "/etc/issue"), Code::NotFound, "`/etc/issue`");
  ASSERT_TRUE(files_.remove(place(), "/etc/"));
  expect_error(files_.remove(place(), "/"), Code::InvalidArgument, "cannot be deleted");
  expect_error(files_.remove(place(), "/tmp/.."), Code::InvalidArgument, "cannot be deleted");
}

TEST_P(FilesInAStoppedGuest, AreNotFoundByName) {
  EXPECT_THAT(get("/etc/none"), HasSubstr("`/etc/none`"));
  expect_error(put({.path = "/no/such/x"}, ""), Code::NotFound, "`/no/such/x`");
  expect_error(put({.path = "/no/such", .type = "directory"}), Code::NotFound, "`/no`");
  ASSERT_TRUE(put({.path = "/etc", .type = "directory"})) << "a folder that is there is no error";
  expect_error(put({.path = "/etc/issue", .type = "directory"}), Code::FailedPrecondition, "is not a folder");
}

TEST_P(FilesInAStoppedGuest, LeadNowhereElse_Rule2) {
  const std::string outside = home_.path() + "/canary";
  std::filesystem::create_symlink(outside, lower("etc/absolute"));
  std::filesystem::create_symlink("../../canary", lower("etc/relative"));
  std::filesystem::create_directory_symlink(home_.path(), lower("out"));
  std::filesystem::create_directory_symlink("/proc/1/root", lower("magic"));
  for (const char* const path : {"/etc/absolute", "/etc/relative", "/out/canary", "/../canary", "/magic/tmp/hostile"}) {
    EXPECT_THAT(get(path), testing::Not(HasSubstr("untouched"))) << path;
    (void)put({.path = path}, "hostile").has_value();
    (void)files_.remove(place(), path).has_value();
  }
  (void)put({.path = "/out/made", .type = "directory"}).has_value();
  (void)put({.path = "/out/link", .type = "symlink"}, "x").has_value();
  EXPECT_FALSE(std::filesystem::exists(home_.path() + "/made"));
  EXPECT_FALSE(std::filesystem::exists(home_.path() + "/link"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/hostile"));
}

TEST_P(FilesInAStoppedGuest, DoNotHoldAnybodyUp_Rule2) {
  ASSERT_EQ(mkfifo(lower("etc/fifo").c_str(), 0666), 0);
  ASSERT_EQ(mknod(lower("etc/device").c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);
  for (const char* const path : {"/etc/fifo", "/etc/device"}) {
    EXPECT_THAT(get(path), HasSubstr("neither a file nor a folder nor a symlink"));
    EXPECT_EQ(put({.path = path}, "x").error().code, Code::FailedPrecondition);
  }
}

TEST_P(FilesInAStoppedGuest, HaveNoOwnerThatTheGuestLacks) {
  expect_error(put({.path = "/etc/new", .uid = 0xfffffffe}, "x"), Code::InvalidArgument, "no id that the container has");
}

TEST_P(FilesInAStoppedGuest, EndWithTheirReader) {
  ASSERT_TRUE(put({.path = "/etc/large"}, std::string(8 << 20, 'x')));
  auto opened = files_.read(place(), "/etc/large", true);
  ASSERT_TRUE(opened);
  opened->content.reset();
  const auto ended = opened->wait(never());
  EXPECT_TRUE(ended || ended.error().code == Code::Cancelled);
}

TEST_P(FilesInAStoppedGuest, AreReadNoMoreWhenCancelled) {
  ASSERT_TRUE(put({.path = "/etc/large"}, std::string(8 << 20, 'x')));
  auto opened = files_.read(place(), "/etc/large", true);
  ASSERT_TRUE(opened);
  const auto ended = opened->wait([] { return true; });
  ASSERT_FALSE(ended);
  EXPECT_EQ(ended.error().code, Code::Cancelled);
}

TEST_P(FilesInAStoppedGuest, StopBeingWrittenWhenCancelled) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
  const UniqueFd reading(ends[0]), writing(ends[1]);
  const auto written = files_.write(place(), {.path = "/etc/new"}, reading.get(), [] { return true; });
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().code, Code::Cancelled);
}

TEST_P(FilesInAStoppedGuest, AreOfNoProcessOfTheHost_Rule2) {
  const auto running = [](std::int32_t pid, bool its) {
    return ports::GuestPlace{.init_pid = pid, .is_its_init = [its](std::int32_t) { return its; }, .root = {}};
  };
  EXPECT_EQ(files_.read(running(getpid(), false), "/etc/passwd", true).error().code, Code::FailedPrecondition);
  const auto opened = files_.read(running(getpid(), true), "/etc/passwd", true);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message, HasSubstr("has the host's mounts"));
}

/// Sends one packet over a session's socket and gives its answer without the length, or "ERROR" when there is none.
std::string ask_sftp(int socket, const std::string& packet) {
  const auto number = [](std::size_t value) {
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return bytes;
  };
  const std::string whole = number(packet.size()) + packet;
  if (::send(socket, whole.data(), whole.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(whole.size())) return "ERROR";
  std::string answer;
  for (std::size_t wanted = 4; answer.size() < wanted;) {
    std::string chunk(wanted - answer.size(), '\0');
    const ssize_t n = ::read(socket, chunk.data(), chunk.size());
    if (n <= 0) return "ERROR";
    answer.append(chunk, 0, static_cast<std::size_t>(n));
    if (answer.size() == 4 && wanted == 4)
      for (std::size_t i = 0, size = 0; i < 4; ++i) wanted = 4 + (size = size << 8 | static_cast<unsigned char>(answer[i]));
  }
  return answer.substr(4);
}

TEST_P(FilesInAStoppedGuest, AreServedBySftpUntilItsClientGoes) {
  std::promise<void> ended;
  auto server = files_.serve_sftp(place(), [&ended] { ended.set_value(); });
  ASSERT_TRUE(server) << server.error().message;
  const std::string begin("\1\0\0\0\3", 5);
  EXPECT_THAT(ask_sftp(server->socket.get(), begin), HasSubstr("statvfs@openssh.com"));
  const std::string made("\16\0\0\0\1\0\0\0\4/new\0\0\0\0", 17);
  EXPECT_THAT(ask_sftp(server->socket.get(), made), HasSubstr("Success"));
  server->socket.reset();
  ASSERT_EQ(ended.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(look(changed("new")).st_mode, S_IFDIR | 0755U);
  EXPECT_EQ(look(changed("new")).st_uid, 0U) << "ids on disk are the guest's";
}

TEST_P(FilesInAStoppedGuest, AreNotServedLongerThanWanted) {
  std::promise<void> ended;
  auto server = files_.serve_sftp(place(), [&ended] { ended.set_value(); });
  ASSERT_TRUE(server);
  server->stop();
  ASSERT_EQ(ended.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(ask_sftp(server->socket.get(), std::string("\1\0\0\0\3", 5)), "ERROR");
  server->stop();  // again, and nothing happens
}

TEST_P(FilesInAStoppedGuest, AreServedToNobodyWhoSpeaksAnotherLanguage) {
  std::promise<void> ended;
  auto server = files_.serve_sftp(place(), [&ended] { ended.set_value(); });
  ASSERT_TRUE(server);
  EXPECT_EQ(::write(server->socket.get(), "GET / HTTP/1.1\r\n", 16), 16);
  EXPECT_EQ(ended.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

INSTANTIATE_TEST_SUITE_P(Plain, FilesInAStoppedGuest, ::testing::Values(RootSpec::Kind::Plain));
INSTANTIATE_TEST_SUITE_P(Overlay, FilesInAStoppedGuest, ::testing::Values(RootSpec::Kind::Overlay));

}  // namespace
}  // namespace berth::testing_support
