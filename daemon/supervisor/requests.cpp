// What the control socket can be asked: the second half of Supervisor.

#include <signal.h>
#include <unistd.h>

#include <utility>

#include "base/packet.hpp"
#include "daemon/supervisor/notify.hpp"
#include "daemon/supervisor/supervisor.hpp"

namespace berth::supervisor {

Message Supervisor::state() const {
  return {.type = std::string(type::kState), .id = plan_.uuid.str(), .pid = init_, .value = was_running_ ? 1 : 0};
}

void Supervisor::answer(ControlServer::Client client, const Result<void>& result) {
  control_.answer(client, result ? Message{.type = std::string(type::kOk)} : error_message(result.error()));
}

void Supervisor::handle(ControlServer::Client client, Message message, std::vector<UniqueFd> fds) {
  const std::string& kind = message.type;
  if (kind == type::kState) return control_.answer(client, state());
  if (kind == type::kWatch) {
    control_.add_watcher(client);
    return control_.answer(client, state());
  }
  if (kind == type::kList)
    return control_.answer(client, {.type = std::string(type::kList), .ids = execs_.ids()});
  if (kind == type::kConsole) return handle_console(client);
  if (kind == type::kShutdown) return handle_shutdown(client, message.value == 1);
  if (kind == type::kKill) {
    on_terminate();
    return answer(client, {});
  }
  const bool about_exec =
      kind == type::kExec || kind == type::kBegin || kind == type::kDrop || kind == type::kSignal;
  if (!about_exec) return;  // a newer daemon's word
  const auto id = Uuid::parse(message.id);
  if (!id) return answer(client, Error{Code::InvalidArgument, "an exec needs a uuid"});
  if (kind == type::kExec) return handle_exec(client, std::move(message), std::move(fds));
  if (kind == type::kBegin) return handle_begin(client, *id);
  if (kind == type::kDrop) return answer(client, execs_.drop(*id));
  answer(client, execs_.signal(*id, message.value));
}

void Supervisor::handle_exec(ControlServer::Client client, Message message, std::vector<UniqueFd> fds) {
  if (init_ == 0 || report_) return answer(client, Error{Code::FailedPrecondition, "the container does not run"});
  if (!message.exec) return answer(client, Error{Code::InvalidArgument, "an exec needs a command"});
  const auto id = Uuid::parse(message.id);
  if (!id) return;
  if (!lxc_) {
    auto opened = LxcHandle::open(plan_.uuid.str(), paths_.lxc());
    if (!opened) return answer(client, std::move(opened).error());
    lxc_ = *std::move(opened);
  }
  // The terminal's master has to go out with the answer, which comes when the command runs.
  const auto master = std::make_shared<UniqueFd>();
  const bool deferred = message.exec->deferred;
  auto added = execs_.add(*id, *std::move(message.exec), std::move(fds), *lxc_->get(),
                          [this, client, master, deferred](const Result<pid_t>& started) {
                            if (deferred) return;  // answered below
                            if (!started) return control_.answer(client, error_message(started.error()));
                            const Message ok{.type = std::string(type::kOk), .pid = *started};
                            const int fd = master->get();
                            control_.answer(client, ok, *master ? std::span(&fd, 1) : std::span<const int>{});
                            master->reset();
                          });
  if (!added) return control_.answer(client, error_message(added.error()));
  *master = *std::move(added);
  if (!deferred) return;
  const int fd = master->get();
  control_.answer(client, {.type = std::string(type::kOk)}, *master ? std::span(&fd, 1) : std::span<const int>{});
}

void Supervisor::handle_begin(ControlServer::Client client, const Uuid& id) {
  const auto begun = execs_.begin(id, [this, client](const Result<pid_t>& started) {
    control_.answer(client, started ? Message{.type = std::string(type::kOk), .pid = *started}
                                    : error_message(started.error()));
  });
  if (!begun) control_.answer(client, error_message(begun.error()));
}

void Supervisor::handle_console(ControlServer::Client client) {
  if (init_ == 0 || report_) return answer(client, Error{Code::FailedPrecondition, "the container does not run"});
  auto lxc = LxcHandle::open(plan_.uuid.str(), paths_.lxc());
  if (!lxc) return answer(client, std::move(lxc).error());
  // Whoever asks last has the console: liblxc gives it to one at a time, for as long as the keeper is open, and needs a
  // moment to notice that the one before was closed.
  console_keeper_.reset();
  int master = -1;
  for (int tries = 0; tries < 100 && !console_keeper_; ++tries) {
    int number = 0;
    console_keeper_.reset(lxc->get()->console_getfd(lxc->get(), &number, &master));
    if (!console_keeper_) (void)::usleep(1000);
  }
  const UniqueFd owned(master);
  if (!console_keeper_ || !owned) return answer(client, Error{Code::FailedPrecondition, "the container has no console"});
  const int fd = owned.get();
  control_.answer(client, {.type = std::string(type::kOk)}, std::span(&fd, 1));
}

void Supervisor::handle_shutdown(ControlServer::Client client, bool host) {
  if (init_ == 0 || report_) return answer(client, Error{Code::FailedPrecondition, "the container does not run"});
  if (host && !std::exchange(host_shutdown_, true)) {
    notify_longer_stop(plan_.host_shutdown_timeout);
    (void)loop_.at(EventLoop::Clock::now() + plan_.host_shutdown_timeout, [this] {
      if (!report_) kill_container();
    });
  }
  answer(client, halt());
}

Result<void> Supervisor::halt() {
  BERTH_TRY(LxcHandle lxc, LxcHandle::open(plan_.uuid.str(), paths_.lxc()));
  // liblxc finds out by itself whether init is systemd; a halt signal of the configuration wins.
  for (const auto& [key, value] : plan_.lxc_config)
    if (key == "lxc.signal.halt") BERTH_CHECK(lxc.set_item(key, value));
  if (!lxc.get()->shutdown(lxc.get(), 0)) return Error{Code::Internal, "liblxc cannot send the halt signal"};
  return {};
}

}  // namespace berth::supervisor
