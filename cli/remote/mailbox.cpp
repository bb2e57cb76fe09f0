#include "cli/remote/mailbox.hpp"

#include <cstdint>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace berth::cli {

Mailbox::Mailbox(rest::PollLoop& loop) : bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  watch_ = loop.watch(bell_.get(), POLLIN, [this] { deliver(); });
}

void Mailbox::post(std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  letters_.push_back(std::move(work));
  const std::uint64_t one = 1;
  (void)!::write(bell_.get(), &one, sizeof one);
}

void Mailbox::deliver() {
  std::uint64_t count = 0;
  (void)!::read(bell_.get(), &count, sizeof count);
  std::vector<std::function<void()>> letters;
  {
    const std::lock_guard lock(mutex_);
    letters.swap(letters_);
  }
  for (auto& letter : letters) letter();
}

}  // namespace berth::cli
