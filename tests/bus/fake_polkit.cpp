#include "tests/bus/fake_polkit.hpp"

#include <poll.h>
#include <sys/eventfd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace berth::bustest {
namespace {

constexpr auto kInterface = "org.freedesktop.PolicyKit1.Authority";
constexpr auto kPath = "/org/freedesktop/PolicyKit1/Authority";

Question read_question(sd_bus_message* m) {
  Question question;
  const char *text = nullptr, *value = nullptr;
  sd_bus_message_enter_container(m, 'r', "sa{sv}");
  sd_bus_message_read(m, "s", &text);
  question.subject = text;
  sd_bus_message_enter_container(m, 'a', "{sv}");
  while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
    sd_bus_message_read(m, "s", &text);
    if (std::strcmp(text, "name") == 0 && sd_bus_message_read(m, "v", "s", &value) > 0) question.bus_name = value;
    else if (std::strcmp(text, "pid") == 0) sd_bus_message_read(m, "v", "u", &question.pid);
    else if (std::strcmp(text, "uid") == 0) sd_bus_message_read(m, "v", "i", &question.uid);
    else sd_bus_message_skip(m, "v");
    sd_bus_message_exit_container(m);
  }
  sd_bus_message_exit_container(m);
  sd_bus_message_exit_container(m);
  sd_bus_message_read(m, "s", &text);
  question.action = text;
  sd_bus_message_enter_container(m, 'a', "{ss}");
  while (sd_bus_message_read(m, "{ss}", &text, &value) > 0) question.details[text] = value;
  sd_bus_message_exit_container(m);
  sd_bus_message_read(m, "u", &question.flags);
  return question;
}

}  // namespace

FakePolkit::FakePolkit(Answer answer) : answer_(answer), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (sd_bus_new(&bus_) < 0 || sd_bus_set_address(bus_, std::getenv("DBUS_SYSTEM_BUS_ADDRESS")) < 0 ||
      sd_bus_set_bus_client(bus_, 1) < 0 || sd_bus_start(bus_) < 0)
    throw std::runtime_error("the fake polkit cannot connect");
  sd_bus_add_object(bus_, nullptr, kPath,
                    [](sd_bus_message* m, void* self, sd_bus_error*) { return static_cast<FakePolkit*>(self)->on_message(m); }, this);
  if (const int r = sd_bus_request_name(bus_, "org.freedesktop.PolicyKit1", 0); r < 0)
    throw std::runtime_error(std::string("the fake polkit gets no name: ") + std::strerror(-r));
  thread_ = std::thread([this] { run(); });
}

FakePolkit::~FakePolkit() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  (void)eventfd_write(wake_.get(), 1);
  thread_.join();
  held_.clear();
  sd_bus_flush_close_unref(bus_);
}

void FakePolkit::run() {
  for (;;) {
    while (sd_bus_process(bus_, nullptr) > 0) {
    }
    {
      const std::lock_guard lock(mutex_);
      if (stop_) return;
      if (job_) {
        job_();
        job_ = nullptr;
        changed_.notify_all();
      }
    }
    (void)sd_bus_flush(bus_);
    pollfd wait[2] = {{sd_bus_get_fd(bus_), static_cast<short>(sd_bus_get_events(bus_)), 0}, {wake_.get(), POLLIN, 0}};
    (void)::poll(wait, 2, -1);
    eventfd_t count = 0;
    (void)eventfd_read(wake_.get(), &count);
  }
}

void FakePolkit::in_thread(const std::function<void()>& job) {
  std::unique_lock lock(mutex_);
  job_ = job;
  (void)eventfd_write(wake_.get(), 1);
  changed_.wait(lock, [this] { return !job_; });
}

int FakePolkit::on_message(sd_bus_message* message) {
  if (sd_bus_message_is_method_call(message, kInterface, "CheckAuthorization") <= 0) return 0;
  auto question = read_question(message);
  // Before the question is counted: who waited for it may release it.
  if (answer_ == Answer::Hold) held_.emplace_back(sd_bus_message_ref(message));
  {
    const std::lock_guard lock(mutex_);
    questions_.push_back(std::move(question));
  }
  changed_.notify_all();
  switch (answer_.load()) {
    case Answer::Yes: reply(message, true); break;
    case Answer::No: reply(message, false); break;
    case Answer::Hold: break;
    case Answer::WrongType: (void)sd_bus_reply_method_return(message, "s", "yes"); break;
    case Answer::Error:
      (void)sd_bus_reply_method_errorf(message, "org.freedesktop.PolicyKit1.Error.Failed", "the process has been replaced");
      break;
  }
  return 1;
}

void FakePolkit::reply(sd_bus_message* message, bool allowed) {
  (void)sd_bus_reply_method_return(message, "(bba{ss})", allowed ? 1 : 0, 0, 0);
}

void FakePolkit::release(bool allowed) {
  in_thread([this, allowed] {
    for (const auto& message : held_) reply(message.get(), allowed);
    held_.clear();
  });
}

void FakePolkit::say_changed() {
  in_thread([this] { (void)sd_bus_emit_signal(bus_, kPath, kInterface, "Changed", ""); });
  // The bus keeps the order of what one connection sends: once it has answered, the signal is with its listeners, and a
  // call that is made afterwards comes behind it.
  in_thread([this] {
    sd_bus_message* reply = nullptr;
    (void)sd_bus_call_method(bus_, "org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus", "GetId", nullptr, &reply, "");
    sd_bus_message_unref(reply);
  });
}

std::vector<Question> FakePolkit::questions() {
  const std::lock_guard lock(mutex_);
  return questions_;
}

void FakePolkit::forget_questions() {
  const std::lock_guard lock(mutex_);
  questions_.clear();
}

bool FakePolkit::wait_for_questions(std::size_t count) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return questions_.size() >= count; });
}

}  // namespace berth::bustest
