#include "daemon/bus/guard.hpp"

#include <exception>

#include "base/log.hpp"
#include "base/text.hpp"

namespace berth::bus {
namespace {

constexpr std::chrono::seconds kViewMemory{5};
/// Connections times projects whose `view` is remembered; beyond, all is asked anew.
constexpr std::size_t kViewLimit = 4096;

/// LXD's words, which scripts look for; the caller knows what it called.
Error denied() { return Error{Code::AccessDenied, "not authorized"}; }

/// A name that is none is no project of anybody's.
bool may_enter(const Principal& who, const std::string& project) {
  const auto name = ProjectName::parse(project);
  return name && who.may_enter(*name);
}

Principal stranger(Principal who) {
  who.kind = PrincipalKind::Guest;
  who.uid = Principal{}.uid;
  who.projects.clear();
  return who;
}

Error unexpected(const Call& call, const char* what) {
  log::error("An exception left the handler of " + call.interface + "." + call.member + ": " + what);
  return Error{Code::Internal, "internal error; the journal has the details"};
}

}  // namespace

sdbus::Error to_bus_error(const Error& error) {
  // What names a thing may hold bytes of anybody's making (a path's element, a program's output). The bus carries text
  // alone, and an error that cannot be sent would leave its caller waiting.
  return sdbus::Error(std::string(error_row(error.code).dbus_name), as_text(error.message));
}

void Guard::admit(Call call, Where where, Work work, Refuse refuse) {
  ++pending_;
  // However a call ends, it is answered once, by one of these two, on the loop.
  const auto refused = [this, refuse = std::move(refuse)](const Error& error) {
    --pending_;
    run_guarded("an error reply", [&] { refuse(error); });
  };
  if (closed_) return refused(Error{Code::Unavailable, "berthd is ending; call again"});
  const auto* row = find_access_row(call.interface, call.member);
  if (row == nullptr) return refused(denied());

  principals_.resolve(call.sender, [this, call, row, where, work = std::move(work), refused](Result<Principal> resolved) {
    if (!resolved) return refused(resolved.error());
    auto who = *std::move(resolved);
    who.may_prompt = call.interactive;
    // Outside its projects a restricted client is a stranger. (What names no project is judged row by row.)
    if (who.kind == PrincipalKind::Restricted && !call.project.empty() && !may_enter(who, call.project))
      who = stranger(std::move(who));
    if ((row->kinds & kind_bit(who.kind)) == 0) return refused(denied());
    judge(call, *row, who, [this, call, row, where, who, work, refused](bool allowed) {
      if (!allowed) return refused(denied());
      if (closed_) return refused(Error{Code::Unavailable, "berthd is ending; call again"});
      start(*row, where, who, [this, call, work, refused](const Principal& caller) -> Deliver {
        Deliver deliver;
        try {
          deliver = work(caller);
        } catch (const std::exception& caught) {
          deliver = [refused, error = unexpected(call, caught.what())] { refused(error); };
          return deliver;
        } catch (...) {
          deliver = [refused, error = unexpected(call, "of unknown type")] { refused(error); };
          return deliver;
        }
        return [this, call, refused, deliver = std::move(deliver)] {
          try {
            deliver();
            --pending_;
          } catch (const std::exception& caught) {  // a value that no message can carry: nothing was sent yet
            refused(unexpected(call, caught.what()));
          }
        };
      });
    });
  });
}

void Guard::judge(const Call& call, const AccessRow& row, const Principal& who, std::function<void(bool)> then) {
  if (row.action == action::kKindDecides || who.is_root()) return then(true);
  // Neither is anybody on this host. Its kind's place in the row is all there is to ask.
  if (who.kind == PrincipalKind::Guest || who.kind == PrincipalKind::Restricted) return then(true);
  if (who.kind != PrincipalKind::Local) return then(false);
  if (row.also == action::kKindDecides) return ask(call, row.action, who, std::move(then));
  ask(call, row.action, who, [this, call, also = row.also, who, then = std::move(then)](bool allowed) {
    if (!allowed) return then(false);
    ask(call, also, who, then);
  });
}

void Guard::ask(const Call& call, std::string_view action, const Principal& who, std::function<void(bool)> then) {
  const bool view = action == action::kView;
  const auto key = std::pair(call.sender, call.project);
  if (view) {
    const auto found = views_.find(key);
    if (found != views_.end() && Clock::now() < found->second) return then(true);
  }
  ports::AuthorityQuestion question{.who = who, .action = std::string(action), .details = {}, .interactive = call.interactive};
  question.details = {{"verb", call.member}, {"project", call.project}, {"object", call.object}};
  authority_.check(std::move(question), [this, view, key, asked_in = generation_, then = std::move(then)](bool allowed) {
    // An answer from before polkit's Changed may be out of date. (One for a name that has vanished since is harmless: the
    // bus never gives a unique name again.)
    if (allowed && view && asked_in == generation_) {
      if (views_.size() >= kViewLimit) views_.clear();
      views_[key] = Clock::now() + kViewMemory;
    }
    then(allowed);
  });
}

void Guard::start(const AccessRow& row, Where where, const Principal& who, Work work) {
  if (where == Where::Loop) return run_guarded("a reply", work(who));
  // The request goes back to the loop with its answer, so that its message dies there.
  auto job = [this, who, work = std::move(work)]() mutable {
    auto deliver = work(who);
    (void)loop_.post([deliver = std::move(deliver), work = std::move(work)] { deliver(); });
  };
  if (row.waits == Waits::ForOthers || (row.waits == Waits::ForAPerson && who.may_prompt)) {
    workers_.submit_long(std::move(job));
  } else {
    workers_.submit(std::move(job));
  }
}

void Guard::authorizations_changed() {
  ++generation_;
  views_.clear();
}

void Guard::forget_views(const std::string& name) {
  auto at = views_.lower_bound({name, std::string()});
  while (at != views_.end() && at->first.first == name) at = views_.erase(at);
}

}  // namespace berth::bus
