#include "daemon/adapters/polkit/polkit_authority.hpp"

#include <utility>

#include "base/log.hpp"

namespace berth::polkit {
namespace {

/// A client behind a socket is its process, as the kernel named it; a direct caller is its bus name. Certificates and guests
/// are nobody polkit knows.
Result<ports::PolkitSubject> subject_of(const Principal& who) {
  if (who.kind != PrincipalKind::Local) return Error{Code::AccessDenied, "not a user of this host"};
  ports::PolkitSubject subject;
  if (who.pid > 0) {
    subject.pid = static_cast<std::uint32_t>(who.pid);
    subject.start_time = who.start_time;
    subject.uid = who.uid;
  } else if (!who.bus_name.empty()) {
    subject.bus_name = who.bus_name;
  } else {
    return Error{Code::AccessDenied, "neither process nor bus name is known"};
  }
  return subject;
}

}  // namespace

PolkitAuthority::PolkitAuthority(ports::PolkitCalls& calls) : state_(std::make_shared<State>(State{calls, {}, {}})) {}

void PolkitAuthority::check(ports::AuthorityQuestion question, std::function<void(bool allowed)> answer) {
  auto& lane = question.interactive ? state_->prompting : state_->quiet;
  Waiting waiting{std::move(question), std::move(answer)};
  if (lane.in_flight < kInFlight) return send(state_, lane, std::move(waiting));
  if (lane.queue.size() >= kQueueLimit) return waiting.answer(false);
  lane.queue.push_back(std::move(waiting));
}

void PolkitAuthority::send(const std::shared_ptr<State>& state, Lane& lane, Waiting waiting) {
  const auto subject = subject_of(waiting.question.who);
  if (!subject) return waiting.answer(false);
  ++lane.in_flight;
  const auto details = std::move(waiting.question.details);
  const auto action = std::move(waiting.question.action);
  state->calls.check_authorization(
      *subject, action, details, waiting.question.interactive,
      [weak = std::weak_ptr(state), &lane, action, answer = std::move(waiting.answer)](const Result<bool>& said) {
        const auto alive = weak.lock();
        if (alive == nullptr) return answer(false);
        --lane.in_flight;
        if (!said) log::warning("polkit did not answer about " + action + ", which is a denial: " + said.error().message);
        answer(said && *said);
        while (!lane.queue.empty() && lane.in_flight < kInFlight) {
          auto next = std::move(lane.queue.front());
          lane.queue.pop_front();
          send(alive, lane, std::move(next));
        }
      });
}

}  // namespace berth::polkit
