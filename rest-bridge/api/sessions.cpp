#include "rest-bridge/api/sessions.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>

namespace berth::rest {
namespace {

constexpr std::size_t kMostSessions = 512;
constexpr std::size_t kMostSessionsOfOneOwner = 128;
constexpr auto kBeginWithin = std::chrono::seconds(30);
/// How long a finished local operation stays readable.
constexpr auto kRemember = std::chrono::seconds(60);

}  // namespace

struct Sessions::Entry {
  std::string owner;
  Json fds;                                                   ///< what its owner is shown
  std::vector<std::pair<std::string, std::string>> secrets;   ///< unused ones: secret, stream
  std::shared_ptr<ExecSession> waiting;                       ///< until it has begun
  std::weak_ptr<ExecSession> session;
  std::unique_ptr<Loop::Watch> deadline;
};

class Sessions::Registration final : public Listener {
 public:
  using List = std::list<std::pair<std::string, std::function<void(Json)>>>;
  Registration(const std::shared_ptr<List>& list, List::iterator place) : list_(list), place_(place) {}
  ~Registration() override {
    if (const auto list = list_.lock()) list->erase(place_);
  }

 private:
  std::weak_ptr<List> list_;
  List::iterator place_;
};

Sessions::Sessions(Loop& loop) : loop_(loop), listeners_(std::make_shared<Registration::List>()) {}
/// A console that waits here ends its operation when it goes, so it goes while all else is there.
Sessions::~Sessions() { entries_.clear(); }

Result<Json> Sessions::add(const std::shared_ptr<ExecSession>& session, const std::string& owner) {
  purge();
  const auto mine = std::count_if(entries_.begin(), entries_.end(), [&](const auto& e) { return e.second->owner == owner; });
  if (entries_.size() >= kMostSessions || static_cast<std::size_t>(mine) >= kMostSessionsOfOneOwner)
    return Error{Code::LimitsExceeded, "too many commands wait for their websockets; connect or end some first"};
  auto entry = std::make_unique<Entry>();
  entry->owner = owner;
  entry->fds = Json::object();
  for (const auto& [name, stream] : session->streams()) {
    BERTH_TRY(auto secret, new_secret());
    entry->fds[name] = secret;
    entry->secrets.emplace_back(std::move(secret), name);
  }
  BERTH_TRY(auto control, new_secret());
  entry->fds["control"] = control;
  entry->secrets.emplace_back(std::move(control), "control");
  entry->waiting = session;
  entry->session = session;
  const auto id = session->operation_id();
  entry->deadline = loop_.after(kBeginWithin, [this, id] {
    const auto found = entries_.find(id);
    if (found == entries_.end()) return;
    const auto dropped = std::move(found->second);  // the timer dies with it, after this frame
    entries_.erase(found);
    finish_local(id);
  });
  auto shown = entry->fds;
  entries_[id] = std::move(entry);
  return shown;
}

Result<Sessions::Opened> Sessions::redeem(std::string_view operation_id, std::string_view secret) {
  const auto found = entries_.find(operation_id);
  if (found == entries_.end()) return Error{Code::NotFound, "Operation not found"};
  auto& entry = *found->second;
  auto place = entry.secrets.end();
  for (auto candidate = entry.secrets.begin(); candidate != entry.secrets.end(); ++candidate)
    if (equal_in_constant_time(candidate->first, secret)) place = candidate;
  if (place == entry.secrets.end()) return Error{Code::AccessDenied, "permission denied"};
  Opened opened{.session = entry.session.lock(), .name = place->second};
  if (!opened.session) return Error{Code::NotFound, "Operation not found"};
  entry.secrets.erase(place);
  return opened;
}

Json Sessions::shown_to(std::string_view operation_id, std::string_view owner) const {
  const auto found = entries_.find(operation_id);
  if (found == entries_.end() || found->second->owner != owner) return nullptr;
  return found->second->fds;
}

void Sessions::begun(const std::string& operation_id) {
  const auto found = entries_.find(operation_id);
  if (found == entries_.end()) return;
  found->second->waiting.reset();
  found->second->deadline.reset();
}

void Sessions::purge() {
  std::erase_if(entries_, [](const auto& entry) { return entry.second->session.expired(); });
}

void Sessions::add_local(Json row, const std::string& owner) {
  const auto id = row.at("id").get<std::string>();
  locals_[id] = LocalOperation{.row = std::move(row), .owner = owner};
  announce(locals_[id]);
}

void Sessions::finish_local(const std::string& operation_id, const std::string& failure) {
  const auto found = locals_.find(operation_id);
  if (found == locals_.end() || found->second.row.at("status_code") != 103) return;
  found->second.row["status_code"] = failure.empty() ? 200 : 400;
  found->second.row["err"] = failure;
  found->second.row["updated_at"] = now_microseconds();
  announce(found->second);
  forgetting_[operation_id] = loop_.after(kRemember, [this, operation_id] {
    locals_.erase(operation_id);
    const auto timer = forgetting_.extract(operation_id);
  });
}

const Sessions::LocalOperation* Sessions::local(std::string_view operation_id, std::string_view owner) const {
  const auto found = locals_.find(operation_id);
  return found == locals_.end() || found->second.owner != owner ? nullptr : &found->second;
}

std::vector<Json> Sessions::locals(std::string_view owner) const {
  std::vector<Json> rows;
  for (const auto& [id, operation] : locals_)
    if (operation.owner == owner) rows.push_back(operation.row);
  return rows;
}

std::unique_ptr<Sessions::Listener> Sessions::listen(std::string owner, std::function<void(Json)> event) {
  listeners_->emplace_back(std::move(owner), std::move(event));
  return std::make_unique<Registration>(listeners_, std::prev(listeners_->end()));
}

void Sessions::announce(const LocalOperation& operation) {
  const Json event{{"type", "operation"},
                   {"timestamp", now_microseconds()},
                   {"project", operation.row.value("project", "default")},
                   {"metadata", operation.row}};
  for (const auto& [owner, listener] : *listeners_)
    if (owner == operation.owner) listener(event);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  if (a.size() != b.size()) return false;
  volatile unsigned char difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference = static_cast<unsigned char>(difference | (static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i])));
  return difference == 0;
}

Result<std::string> new_secret() {
  std::array<unsigned char, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return system_error("cannot make a secret", errno);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string secret;
  for (const auto byte : bytes) {
    secret += kDigits[byte >> 4U];
    secret += kDigits[byte & 15U];
  }
  return secret;
}

std::uint64_t now_microseconds() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

}  // namespace berth::rest
