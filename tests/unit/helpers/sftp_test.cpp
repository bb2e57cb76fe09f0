#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <vector>

#include "daemon/helpers/sftp_session.hpp"
#include "tests/unit/store/temporary_folder.hpp"

namespace berth::helpers::sftp {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using testing_support::TemporaryFolder;

/// A request's bytes after its type and id.
struct Words {
  std::string bytes;
  Words& number(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
    return *this;
  }
  Words& large(std::uint64_t value) {
    return number(static_cast<std::uint32_t>(value >> 32)).number(static_cast<std::uint32_t>(value));
  }
  Words& text(std::string_view value) {
    number(static_cast<std::uint32_t>(value.size()));
    bytes += value;
    return *this;
  }
};

std::string packet(Type type, const Words& words, std::uint32_t id = 7) {
  return std::string(1, static_cast<char>(type)) + Words().number(id).bytes + words.bytes;
}

/// A session about a folder that has a canary beside it.
class AnSftpSession : public ::testing::Test {
 protected:
  AnSftpSession() {
    fs::create_directories(inside("etc"));
    std::ofstream(home_.path() + "/canary") << "untouched";
    std::ofstream(inside("etc/issue")) << "hello";
    root_.reset(::open(inside("").c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    session_.emplace(root_.get());
    std::string out;
    EXPECT_TRUE(session_->answer(std::string(1, 1) + Words().number(3).bytes, out));
    EXPECT_THAT(out, HasSubstr("posix-rename@openssh.com"));
  }
  void TearDown() override {
    std::ifstream canary(home_.path() + "/canary");
    EXPECT_EQ(std::string(std::istreambuf_iterator<char>(canary), {}), "untouched");
  }

  std::string inside(const std::string& path) const { return home_.path() + "/rootfs/" + path; }

  struct Answer {
    Type type = Type::Init;
    std::string body;  ///< after the id
    Reader reader() const { return Reader(body); }
    Status status() const { return type == Type::Status ? static_cast<Status>(reader().number()) : Status::Ok; }
    std::string text() const { return std::string(reader().text()); }
  };
  Answer ask(Type type, const Words& words) {
    std::string out;
    EXPECT_TRUE(session_->answer(packet(type, words), out));
    Reader reader(out);
    EXPECT_EQ(reader.number(), out.size() - 4) << "one answer, whole";
    Answer answer{.type = static_cast<Type>(reader.byte()), .body = {}};
    EXPECT_EQ(reader.number(), 7U) << "the request's id";
    answer.body = out.substr(9);
    return answer;
  }
  Status status(Type type, const Words& words) { return ask(type, words).status(); }
  enum Open : std::uint32_t { kRead = 1, kWrite = 2, kAppend = 4, kCreate = 8, kTruncate = 16, kExclusive = 32 };
  Answer open(const std::string& path, std::uint32_t flags) {
    return ask(Type::Open, Words().text(path).number(flags).number(0));
  }
  std::string get(const std::string& path) {
    const auto opened = open(path, kRead);
    if (opened.type != Type::Handle) return "ERROR";
    const auto handle = opened.text();
    const auto data = ask(Type::Read, Words().text(handle).large(0).number(1 << 20));
    EXPECT_EQ(status(Type::Close, Words().text(handle)), Status::Ok);
    return data.type == Type::Data ? data.text() : "";
  }
  Status put(const std::string& path, const std::string& text) {
    const auto opened = open(path, kWrite | kCreate | kTruncate);
    if (opened.type != Type::Handle) return opened.status();
    const auto handle = opened.text();
    EXPECT_EQ(status(Type::Write, Words().text(handle).large(0).text(text)), Status::Ok);
    return status(Type::Close, Words().text(handle));
  }
  struct stat look(const std::string& path) const {
    struct stat info {};
    EXPECT_EQ(lstat(inside(path).c_str(), &info), 0) << path;
    return info;
  }

  TemporaryFolder home_;
  UniqueFd root_;
  std::optional<Session> session_;
};

TEST_F(AnSftpSession, ReadsAndWritesFilesAtAnyPlaceInThem) {
  EXPECT_EQ(get("/etc/issue"), "hello");
  const auto handle = open("etc/new", kRead | kWrite | kCreate).text();
  EXPECT_EQ(status(Type::Write, Words().text(handle).large(3).text("def")), Status::Ok);
  EXPECT_EQ(status(Type::Write, Words().text(handle).large(0).text("abc")), Status::Ok);
  EXPECT_EQ(ask(Type::Read, Words().text(handle).large(2).number(3)).text(), "cde");
  EXPECT_EQ(status(Type::Read, Words().text(handle).large(6).number(3)), Status::Eof);
  auto info = ask(Type::Fstat, Words().text(handle));
  EXPECT_EQ(info.reader().attributes().size, 6U);
  EXPECT_EQ(look("etc/new").st_mode, S_IFREG | 0644U);
}

TEST_F(AnSftpSession, KeepsToWhatAnOpenAsksFor) {
  EXPECT_EQ(open("/etc/none", kRead).status(), Status::NoSuchFile);
  EXPECT_EQ(open("/etc/issue", kWrite | kCreate | kExclusive).status(), Status::Failure);
  EXPECT_EQ(open("/etc/issue", 0).status(), Status::Failure);
  EXPECT_EQ(open("/etc", kRead).status(), Status::Failure);
  const auto handle = open("/etc/issue", kWrite | kAppend).text();
  EXPECT_EQ(status(Type::Write, Words().text(handle).large(0).text(" more")), Status::Ok);
  EXPECT_EQ(get("/etc/issue"), "hello more");
  EXPECT_EQ(ask(Type::Read, Words().text(handle).large(0).number(1)).status(), Status::Failure) << "it is not open for that";
}

TEST_F(AnSftpSession, ListsFoldersToTheirEnd) {
  for (int n = 0; n < 300; ++n) std::ofstream(inside("etc/f" + std::to_string(n))) << n;
  const auto handle = ask(Type::Opendir, Words().text("/etc")).text();
  std::set<std::string> names;
  for (;;) {
    const auto some = ask(Type::Readdir, Words().text(handle));
    if (some.type == Type::Status) {
      EXPECT_EQ(some.status(), Status::Eof);
      break;
    }
    auto reader = some.reader();
    for (auto count = reader.number(); count > 0; --count) {
      const std::string name(reader.text());
      EXPECT_THAT(std::string(reader.text()), HasSubstr(name));
      EXPECT_TRUE(reader.attributes().permissions);
      names.insert(name);
    }
    ASSERT_TRUE(reader.good());
  }
  EXPECT_EQ(names.size(), 303U) << "with . and ..";
  EXPECT_TRUE(names.contains("issue"));
  EXPECT_EQ(status(Type::Readdir, Words().text("none")), Status::Failure);
}

TEST_F(AnSftpSession, MakesMovesAndRemovesThings) {
  EXPECT_EQ(status(Type::Mkdir, Words().text("/srv").number(4).number(0700)), Status::Ok);
  EXPECT_EQ(look("srv").st_mode, S_IFDIR | 0700U);
  EXPECT_EQ(status(Type::Mkdir, Words().text("/srv").number(0)), Status::Failure);
  EXPECT_EQ(put("/srv/a", "a"), Status::Ok);
  EXPECT_EQ(put("/srv/b", "b"), Status::Ok);
  EXPECT_EQ(status(Type::Rename, Words().text("/srv/a").text("/srv/b")), Status::Failure) << "the draft's does not replace";
  EXPECT_EQ(status(Type::Extended, Words().text("posix-rename@openssh.com").text("/srv/a").text("/srv/b")), Status::Ok);
  EXPECT_EQ(get("/srv/b"), "a");
  EXPECT_EQ(status(Type::Extended, Words().text("hardlink@openssh.com").text("/srv/b").text("/srv/c")), Status::Ok);
  EXPECT_EQ(look("srv/c").st_nlink, 2U);
  EXPECT_EQ(status(Type::Symlink, Words().text("b").text("/srv/link")), Status::Ok) << "the target comes first";
  EXPECT_EQ(fs::read_symlink(inside("srv/link")), "b");
  const auto target = ask(Type::Readlink, Words().text("/srv/link"));
  EXPECT_EQ(std::string(Reader(std::string_view(target.body).substr(4)).text()), "b");
  EXPECT_EQ(status(Type::Readlink, Words().text("/srv/b")), Status::Failure);
  EXPECT_EQ(status(Type::Rmdir, Words().text("/srv")), Status::Failure) << "it is not empty";
  for (const char* const name : {"/srv/b", "/srv/c", "/srv/link"}) EXPECT_EQ(status(Type::Remove, Words().text(name)), Status::Ok);
  EXPECT_EQ(status(Type::Rmdir, Words().text("/srv")), Status::Ok);
  EXPECT_EQ(status(Type::Remove, Words().text("/..")), Status::Failure);
}

TEST_F(AnSftpSession, ChangesAttributesOfWhatTheyAreAskedFor) {
  EXPECT_EQ(status(Type::Setstat, Words().text("/etc/issue").number(1 | 4 | 8).large(2).number(0600).number(100).number(200)), Status::Ok);
  EXPECT_EQ(look("etc/issue").st_size, 2);
  EXPECT_EQ(look("etc/issue").st_mode, S_IFREG | 0600U);
  EXPECT_EQ(look("etc/issue").st_mtime, 200);
  fs::create_symlink("issue", inside("etc/link"));
  EXPECT_EQ(status(Type::Extended, Words().text("lsetstat@openssh.com").text("/etc/link").number(8).number(1).number(2)), Status::Ok);
  EXPECT_EQ(look("etc/link").st_mtime, 2);
  EXPECT_EQ(look("etc/issue").st_mtime, 200) << "the link, not what it leads to";
  EXPECT_EQ(ask(Type::Lstat, Words().text("/etc/link")).reader().attributes().size, 5U);
  EXPECT_EQ(ask(Type::Stat, Words().text("/etc/link")).reader().attributes().size, 2U);
  const auto handle = open("/etc/issue", kRead | kWrite).text();
  EXPECT_EQ(status(Type::Fsetstat, Words().text(handle).number(1).large(1)), Status::Ok);
  EXPECT_EQ(status(Type::Extended, Words().text("fsync@openssh.com").text(handle)), Status::Ok);
  EXPECT_EQ(get("/etc/issue"), "h");
}

TEST_F(AnSftpSession, TellsPathsSpaceAndLimits) {
  const auto path = ask(Type::Realpath, Words().text("etc/./../etc//x/.."));
  EXPECT_EQ(std::string(Reader(std::string_view(path.body).substr(4)).text()), "/etc");
  auto space = ask(Type::Extended, Words().text("statvfs@openssh.com").text("/etc"));
  ASSERT_EQ(space.type, Type::ExtendedReply);
  EXPECT_EQ(space.body.size(), 11U * 8);
  EXPECT_EQ(ask(Type::Extended, Words().text("limits@openssh.com")).body.size(), 4U * 8);
  EXPECT_EQ(status(Type::Extended, Words().text("other@example.com")), Status::Unsupported);
}

TEST_F(AnSftpSession, LeadsNowhereElse_Rule2) {
  const std::string outside = home_.path() + "/canary";
  fs::create_symlink(outside, inside("etc/absolute"));
  fs::create_symlink("../../canary", inside("etc/relative"));
  fs::create_directory_symlink(home_.path(), inside("out"));
  fs::create_directory_symlink("/proc/self/root", inside("magic"));
  for (const std::string path : {"/etc/absolute", "/etc/relative", "/out/canary", "/../canary", "../canary", "/magic/tmp/x"}) {
    EXPECT_NE(get(path), "untouched") << path;
    (void)put(path, "hostile");
    (void)status(Type::Setstat, Words().text(path).number(1).large(0));
    (void)status(Type::Remove, Words().text(path));
    (void)status(Type::Rename, Words().text(path).text("/etc/stolen"));
    (void)status(Type::Extended, Words().text("posix-rename@openssh.com").text("/etc/issue").text(path));
    (void)status(Type::Extended, Words().text("hardlink@openssh.com").text(path).text("/etc/stolen2"));
    (void)status(Type::Mkdir, Words().text(path + "/made").number(0));
  }
  EXPECT_FALSE(fs::exists(home_.path() + "/made"));
}

TEST_F(AnSftpSession, OpensNothingThatCouldBlockOrAct_Rule2) {
  if (geteuid() != 0) GTEST_SKIP() << "needs root";
  ASSERT_EQ(mkfifo(inside("etc/fifo").c_str(), 0666), 0);
  ASSERT_EQ(mknod(inside("etc/device").c_str(), S_IFCHR | 0666, makedev(1, 5)), 0);
  for (const char* const path : {"/etc/fifo", "/etc/device"}) {
    EXPECT_EQ(open(path, kRead).status(), Status::PermissionDenied);
    EXPECT_EQ(open(path, kWrite | kTruncate).status(), Status::PermissionDenied);
    EXPECT_EQ(status(Type::Setstat, Words().text(path).number(4).number(0600)), Status::Unsupported);
  }
}

TEST_F(AnSftpSession, HasNoMoreHandlesThanItMay_Rule20) {
  for (std::size_t n = 0; n < Session::kMaxHandles; ++n) {
    const auto opened = open("/etc/issue", kRead);
    if (opened.type != Type::Handle) return;  // this machine allows fewer open files; that is a bound, too
  }
  EXPECT_EQ(open("/etc/issue", kRead).status(), Status::Failure);
}

TEST_F(AnSftpSession, IsOverForWhoDoesNotBeginWell) {
  Session fresh(root_.get());
  std::string out;
  EXPECT_FALSE(fresh.answer(packet(Type::Stat, Words().text("/")), out));
  EXPECT_FALSE(session_->answer(std::string(1, 1) + Words().number(3).bytes, out)) << "a second beginning";
  EXPECT_FALSE(fresh.answer("", out));
  EXPECT_EQ(out, "");
}

TEST_F(AnSftpSession, OutlivesPacketsThatAreCutAnywhere_Rule20) {
  const auto handle = open("/etc/issue", kRead | kWrite).text();
  const std::vector<std::string> whole{
      packet(Type::Open, Words().text("/etc/x").number(kWrite | kCreate).number(15 | 0x80000000U).large(1).number(0).number(0)
                             .number(0644).number(1).number(2).number(1).text("a").text("b")),
      packet(Type::Write, Words().text(handle).large(0).text("data")),
      packet(Type::Read, Words().text(handle).large(0).number(10)),
      packet(Type::Setstat, Words().text("/etc/issue").number(4).number(0644)),
      packet(Type::Rename, Words().text("/etc/a").text("/etc/b")),
      packet(Type::Extended, Words().text("statvfs@openssh.com").text("/")),
  };
  for (const auto& one : whole)
    for (std::size_t size = 5; size < one.size(); ++size) {
      std::string out;
      EXPECT_TRUE(session_->answer(std::string_view(one).substr(0, size), out));
      EXPECT_GT(out.size(), 9U) << "each request has an answer";
    }
}

TEST_F(AnSftpSession, OutlivesRandomBytes_Rule20) {
  std::mt19937 random(4711);  // NOLINT: the same bytes each time
  constexpr int kRounds = 20000;
  for (int round = 0; round < kRounds; ++round) {
    std::string bytes;
    const auto size = 5 + random() % 60;
    for (std::size_t i = 0; i < size; ++i) bytes += static_cast<char>(random() % 4 == 0 ? random() : 0);
    // Mostly verbs that are there, and lengths that could be.
    if (round % 2 == 0) bytes[0] = static_cast<char>(3 + random() % 18);
    bytes[8 % bytes.size()] = static_cast<char>(random() % 16);
    std::string out;
    (void)session_->answer(bytes, out);
    ASSERT_LT(out.size(), std::size_t{1} << 20);
  }
  EXPECT_NE(get("/etc/none"), "untouched");
}

TEST(APath, IsCleanedWithoutALookAtTheDisk) {
  for (const auto& [given, clean] : std::map<std::string, std::string>{
           {"", "/"}, {"/", "/"}, {".", "/"}, {"..", "/"}, {"a/b/../c", "/a/c"}, {"//a///b/", "/a/b"}, {"/../../x", "/x"}})
    EXPECT_EQ(clean_path(given), clean) << given;
}

TEST(ALongName, IsWhatLsShows) {
  struct stat info {};
  info.st_mode = S_IFDIR | S_ISVTX | 0777;
  info.st_nlink = 2;
  EXPECT_THAT(long_name("tmp", info), HasSubstr("drwxrwxrwt    2 0        0"));
  info.st_mode = S_IFREG | S_ISUID | 0655;
  EXPECT_TRUE(long_name("su", info).starts_with("-rwSr-xr-x"));
}

}  // namespace
}  // namespace berth::helpers::sftp
