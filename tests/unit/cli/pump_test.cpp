#include "cli/pump.hpp"

#include <gtest/gtest.h>

#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <utility>

namespace berth::cli {
namespace {

struct Pipe {
  UniqueFd read;
  UniqueFd write;
};

Pipe make_pipe() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {.read = UniqueFd(ends[0]), .write = UniqueFd(ends[1])};
}

std::string read_to_end(int fd) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const auto size = ::read(fd, buffer, sizeof buffer);
    if (size <= 0) return text;
    text.append(buffer, static_cast<std::size_t>(size));
  }
}

bool ends(const Pump& pump) {
  pollfd wait{.fd = pump.ended_fd(), .events = POLLIN, .revents = 0};
  return ::poll(&wait, 1, 10'000) == 1;
}

class PumpTest : public ::testing::Test {
 protected:
  PumpTest() { ::signal(SIGPIPE, SIG_IGN); }
};

TEST_F(PumpTest, CarriesEveryByteAndPassesTheEndOn) {
  auto from = make_pipe();
  auto to = make_pipe();
  Pump pump(from.read.get(), std::move(to.write), Pump::AtStop::Leave);
  std::string sent;
  for (int i = 0; i < 3'000'000; ++i) sent += static_cast<char>(i * 7);
  std::thread writer([&] {
    for (std::size_t at = 0; at < sent.size();) {
      const auto size = ::write(from.write.get(), sent.data() + at, sent.size() - at);
      if (size <= 0) return;
      at += static_cast<std::size_t>(size);
    }
    from.write.reset();
  });
  const auto seen = read_to_end(to.read.get());
  writer.join();
  EXPECT_TRUE(seen == sent);
  EXPECT_TRUE(ends(pump));
}

TEST_F(PumpTest, WritesToAFileThatIsOpenedForAppending) {
  auto from = make_pipe();
  char name[] = "/tmp/berth-pump-XXXXXX";
  const UniqueFd made(::mkstemp(name));
  const UniqueFd file(::open(name, O_WRONLY | O_APPEND | O_CLOEXEC));
  ::unlink(name);
  ASSERT_EQ(::write(from.write.get(), "text", 4), 4);
  from.write.reset();
  {
    Pump pump(std::move(from.read), file.get(), Pump::AtStop::Drain);
    EXPECT_TRUE(ends(pump));
  }
  EXPECT_EQ(read_to_end(made.get()), "text");
}

TEST_F(PumpTest, DrainsWhatIsThereWhenItIsStoppedAlthoughTheStreamStaysOpen) {
  auto from = make_pipe();
  auto to = make_pipe();
  ASSERT_EQ(::write(from.write.get(), "late", 4), 4);
  {
    Pump pump(std::move(from.read), to.write.get(), Pump::AtStop::Drain);
    pump.stop();
    EXPECT_TRUE(ends(pump));
  }
  to.write.reset();
  EXPECT_EQ(read_to_end(to.read.get()), "late");
}

TEST_F(PumpTest, StopsWhileNobodyReads) {
  auto from = make_pipe();
  auto to = make_pipe();
  const std::string much(60'000, 'x');
  ASSERT_EQ(::write(from.write.get(), much.data(), much.size()), 60'000);
  Pump pump(from.read.get(), std::move(to.write), Pump::AtStop::Leave);
  pump.stop();
  EXPECT_TRUE(ends(pump));
}

TEST_F(PumpTest, ClosesItsSourceWhenTheReaderIsGone) {
  auto from = make_pipe();
  auto to = make_pipe();
  to.read.reset();
  ASSERT_EQ(::write(from.write.get(), "x", 1), 1);
  Pump pump(std::move(from.read), to.write.get(), Pump::AtStop::Drain);
  EXPECT_TRUE(ends(pump));
  EXPECT_EQ(::write(from.write.get(), "y", 1), -1);
}

TEST_F(PumpTest, EndsWhenTheOneWhoLooksSaysSo) {
  auto from = make_pipe();
  auto to = make_pipe();
  std::string looked;
  ASSERT_EQ(::write(from.write.get(), "quit", 4), 4);
  {
    Pump pump(from.read.get(), std::move(to.write), Pump::AtStop::Leave, [&](std::string_view text) {
      looked = text;
      return false;
    });
    EXPECT_TRUE(ends(pump));
  }
  EXPECT_EQ(looked, "quit");
  EXPECT_EQ(read_to_end(to.read.get()), "");
}

}  // namespace
}  // namespace berth::cli
