#include "daemon/services/operations.hpp"

#include "daemon/domain/size.hpp"
#include "daemon/domain/visibility.hpp"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>

namespace berth::services {
namespace {

constexpr std::size_t kRunningLimit = 1000;
constexpr std::chrono::seconds kKept{60};
constexpr std::chrono::milliseconds kPublishEvery{200};

/// One that lets a client in; the other kind opens an image.
bool is_trust_token(const OperationView& view) { return view.kind == "token" && !view.resources.contains("images"); }

/// Operations in a user's own project are there for that user and for root; tokens, which let others in, are nothing for
/// a restricted client.
bool is_visible(const Principal& who, const OperationView& view) {
  if (who.kind == PrincipalKind::Restricted && is_trust_token(view)) return false;
  return visible_to(who, view.project, view.owner_uid, view.owner_uid);
}

/// Whoever knows a token's secret can use it: what it opens is for whoever made it, and for whoever could make one.
void hide_secret(const Principal& who, OperationView& view) {
  if (who.kind == PrincipalKind::Restricted) return;  // it sees those of images alone, and of its projects
  const bool owner = who.kind == PrincipalKind::Local && who.uid == view.owner_uid;
  if (view.kind == "token" && !who.is_root() && !owner) view.metadata.erase("secret");
}

Error no_such_operation() { return Error{Code::NotFound, "Operation not found"}; }

}  // namespace

/// One operation. `order` is held from a change until the listener has heard of it, so that it hears changes in order;
/// `mutex` guards the fields and is never held while foreign code runs.
struct OperationEnd::Entry {
  Entry(OperationView first, std::function<void()> cancel) : view(std::move(first)), on_cancel(std::move(cancel)) {}

  std::mutex order;
  mutable std::mutex mutex;
  mutable std::condition_variable ended;
  OperationView view;
  std::function<void()> on_cancel;
  std::atomic<bool> cancelled{false};
  bool progress_pending = false;
  std::chrono::steady_clock::time_point published_at{};
  std::map<std::string, std::chrono::steady_clock::time_point> stages;  ///< when each began

  OperationView snapshot() const {
    const std::lock_guard lock(mutex);
    return view;
  }
};

class Operations::State : public std::enable_shared_from_this<Operations::State> {
 public:
  State(WorkerPool& pool, const ports::Clock& time) : workers(pool), clock(time) {}

  Result<std::shared_ptr<Entry>> add(OperationSpec spec, std::function<void()> on_cancel);
  std::shared_ptr<Entry> find(const OperationId& id) const;
  /// Changes the entry by `change` (under its mutex) and tells the listener.
  template <typename Change>
  void change(Entry& entry, Change change);
  void update(const std::shared_ptr<Entry>& entry, const std::function<void(OperationView&)>& change);
  void finish(const std::shared_ptr<Entry>& entry, Result<Document> outcome);
  std::vector<std::shared_ptr<Entry>> all() const;

  WorkerPool& workers;
  const ports::Clock& clock;
  OperationListener listener;
  mutable std::mutex mutex;
  std::map<OperationId, std::shared_ptr<Entry>> entries;
  std::atomic<std::size_t> running{0};
  std::atomic<bool> closed{false};
};

class Operations::Handle final : public OperationContext {
 public:
  Handle(std::shared_ptr<State> state, std::shared_ptr<Entry> entry)
      : state_(std::move(state)), entry_(std::move(entry)), id_(entry_->snapshot().id) {}

  const OperationId& id() const override { return id_; }
  bool cancelled() const override { return entry_->cancelled || state_->closed; }

  void set_metadata(const std::string& key, DocumentValue value) override {
    state_->update(entry_, [&](OperationView& view) { view.metadata[key] = std::move(value); });
  }

  void set_progress(const std::string& stage, const std::string& label, std::uint64_t bytes_done,
                    std::uint64_t bytes_total) override {
    const auto now = std::chrono::steady_clock::now();
    state_->update(entry_, [&](OperationView& view) {
      const auto began = entry_->stages.try_emplace(stage, now).first->second;
      const double seconds = std::max(std::chrono::duration<double>(now - began).count(), 0.001);
      const auto speed = static_cast<std::uint64_t>(static_cast<double>(bytes_done) / seconds);
      ConfigMap progress{{"stage", stage}, {"speed", std::to_string(speed)}};
      std::string text = label.empty() ? "" : label + ": ";
      if (bytes_total > 0) {
        const auto percent = std::to_string(std::min<std::uint64_t>(100, bytes_done * 100 / bytes_total));
        progress["percent"] = percent;
        text += percent + "%";
      } else {
        progress["processed"] = std::to_string(bytes_done);
        text += format_size(bytes_done);
      }
      view.metadata[stage + "_progress"] = text + " (" + format_size(speed) + "/s)";
      view.metadata["progress"] = std::move(progress);
    });
  }

  void set_resource(const std::string& kind, std::vector<std::string> names) override {
    state_->change(*entry_, [&](OperationView& view) { view.resources[kind] = std::move(names); });
  }

 private:
  std::shared_ptr<State> state_;
  std::shared_ptr<Entry> entry_;
  OperationId id_;
};

template <typename Change>
void Operations::State::change(Entry& entry, Change change) {
  const std::lock_guard order(entry.order);
  std::optional<OperationView> view;
  {
    const std::lock_guard lock(entry.mutex);
    if (is_final(entry.view.status)) return;
    change(entry.view);
    entry.view.updated_at = clock.now();
    entry.published_at = std::chrono::steady_clock::now();
    entry.progress_pending = false;
    view = entry.view;
    if (is_final(view->status)) entry.ended.notify_all();
  }
  if (listener) listener(*view);
}

/// A change that may come often: told at once when the last one is old enough, else after a while with those in
/// between.
void Operations::State::update(const std::shared_ptr<Entry>& entry,
                               const std::function<void(OperationView&)>& change_view) {
  std::chrono::milliseconds wait{0};
  {
    const std::lock_guard lock(entry->mutex);
    if (is_final(entry->view.status)) return;
    const auto since = std::chrono::steady_clock::now() - entry->published_at;
    if (since < kPublishEvery) {
      change_view(entry->view);
      entry->view.updated_at = clock.now();
      if (entry->progress_pending) return;
      entry->progress_pending = true;
      wait = kPublishEvery - std::chrono::duration_cast<std::chrono::milliseconds>(since);
    }
  }
  if (wait == std::chrono::milliseconds{0}) return change(*entry, change_view);
  workers.submit_after(wait, [state = shared_from_this(), entry] {
    {
      const std::lock_guard lock(entry->mutex);
      if (!entry->progress_pending) return;
    }
    state->change(*entry, [](OperationView&) {});
  });
}

Result<std::shared_ptr<Operations::Entry>> Operations::State::add(OperationSpec spec, std::function<void()> on_cancel) {
  const auto now = clock.now();
  auto entry = std::make_shared<Entry>(OperationView{.id = spec.id ? *spec.id : new_uuid(),
                                                     .kind = std::move(spec.kind),
                                                     .description = std::move(spec.description),
                                                     .project = std::move(spec.project),
                                                     .owner_uid = spec.owner.uid,
                                                     .created_at = now,
                                                     .updated_at = now,
                                                     .cancellable = spec.cancellable,
                                                     .resources = std::move(spec.resources),
                                                     .metadata = std::move(spec.metadata)},
                                       std::move(on_cancel));
  {
    const std::lock_guard lock(mutex);
    if (closed) return Error{Code::Unavailable, "The server is shutting down"};
    if (running >= kRunningLimit)
      return Error{Code::LimitsExceeded,
                   std::to_string(kRunningLimit) + " operations run already: wait for some of them to end"};
    if (!entries.emplace(entry->view.id, entry).second)
      return Error{Code::AlreadyExists, "Operation " + entry->view.id.str() + " exists already"};
    ++running;
  }
  change(*entry, [](OperationView&) {});
  change(*entry, [](OperationView& view) { view.status = OperationStatus::Running; });
  return entry;
}

std::shared_ptr<Operations::Entry> Operations::State::find(const OperationId& id) const {
  const std::lock_guard lock(mutex);
  const auto found = entries.find(id);
  return found == entries.end() ? nullptr : found->second;
}

std::vector<std::shared_ptr<Operations::Entry>> Operations::State::all() const {
  const std::lock_guard lock(mutex);
  std::vector<std::shared_ptr<Entry>> found;
  for (const auto& [id, entry] : entries) found.push_back(entry);
  return found;
}

void Operations::State::finish(const std::shared_ptr<Entry>& entry, Result<Document> outcome) {
  bool ended = false;
  change(*entry, [&](OperationView& view) {
    ended = true;
    --running;  // whoever hears of the end finds it no longer counted
    view.cancellable = false;
    if (outcome) {
      for (auto& [key, value] : *outcome) view.metadata[key] = std::move(value);
      view.status = OperationStatus::Success;
      return;
    }
    view.error = std::move(outcome).error();
    const bool was_cancelled = view.status == OperationStatus::Cancelling || view.error->code == Code::Cancelled;
    view.status = was_cancelled ? OperationStatus::Cancelled : OperationStatus::Failure;
    if (was_cancelled) view.error->code = Code::Cancelled;
  });
  if (!ended) return;
  std::function<void()> let_go;
  const std::lock_guard lock(entry->mutex);
  let_go.swap(entry->on_cancel);
}

Operations::Operations(WorkerPool& workers, const ports::Clock& clock)
    : state_(std::make_shared<State>(workers, clock)) {}

Operations::~Operations() { shut_down(); }

void Operations::shut_down() { state_->closed = true; }

bool Operations::closing() const { return state_->closed; }

void Operations::listen(OperationListener listener) { state_->listener = std::move(listener); }

Result<OperationId> Operations::start(OperationSpec spec, OperationBody body) {
  BERTH_TRY(const auto entry, state_->add(std::move(spec), nullptr));
  const auto id = entry->snapshot().id;
  state_->workers.submit_long([state = state_, entry, body = std::move(body)] {
    Handle handle(state, entry);
    state->finish(entry, body(handle));
  });
  return id;
}

Result<OperationId> Operations::open(OperationSpec spec, std::function<void()> on_cancel) {
  spec.cancellable = static_cast<bool>(on_cancel);
  BERTH_TRY(const auto entry, state_->add(std::move(spec), std::move(on_cancel)));
  return entry->snapshot().id;
}

void Operations::finish(const OperationId& id, Result<Document> outcome) {
  if (const auto entry = state_->find(id)) state_->finish(entry, std::move(outcome));
}

void Operations::update_metadata(const OperationId& id, const std::string& key, DocumentValue value) {
  if (const auto entry = state_->find(id))
    state_->update(entry, [&](OperationView& view) { view.metadata[key] = std::move(value); });
}

OperationEnd Operations::end_of(const OperationId& id) const { return OperationEnd(state_->find(id)); }

Result<OperationView> OperationEnd::wait(const std::function<bool()>& give_up) const {
  if (!entry_) return no_such_operation();
  std::unique_lock lock(entry_->mutex);
  while (!is_final(entry_->view.status)) {
    if (give_up()) return Error{Code::Cancelled, "Nobody waits for the operation any more"};
    entry_->ended.wait_for(lock, kPublishEvery);
  }
  return entry_->view;
}

Result<OperationView> Operations::get(const Principal& who, const OperationId& id) const {
  const auto entry = state_->find(id);
  if (!entry) return no_such_operation();
  auto view = entry->snapshot();
  if (!is_visible(who, view)) return no_such_operation();
  hide_secret(who, view);
  return view;
}

std::vector<OperationView> Operations::list(const Principal& who, const std::optional<ProjectName>& project) const {
  std::vector<OperationView> views;
  for (const auto& entry : state_->all()) {
    auto view = entry->snapshot();
    if (project && view.project != *project) continue;
    if (!is_visible(who, view)) continue;
    hide_secret(who, view);
    views.push_back(std::move(view));
  }
  std::stable_sort(views.begin(), views.end(),
                   [](const OperationView& a, const OperationView& b) { return a.created_at < b.created_at; });
  return views;
}

Result<void> Operations::cancel(const Principal& who, const OperationId& id) {
  BERTH_TRY(const auto view, get(who, id));
  if (view.status != OperationStatus::Running)
    return Error{Code::FailedPrecondition, "Only running operations can be cancelled"};
  if (!view.cancellable) return Error{Code::FailedPrecondition, "This operation can't be cancelled"};
  const auto entry = state_->find(id);
  if (!entry) return no_such_operation();
  std::function<void()> on_cancel;
  bool first = false;
  state_->change(*entry, [&](OperationView& current) {
    first = current.status == OperationStatus::Running;
    current.status = OperationStatus::Cancelling;
    on_cancel = entry->on_cancel;
  });
  if (!first) return Error{Code::FailedPrecondition, "Only running operations can be cancelled"};
  entry->cancelled = true;
  if (on_cancel) on_cancel();
  return {};
}

std::vector<OperationId> Operations::expire() {
  const auto limit = state_->clock.now() - kKept;
  std::vector<OperationId> gone;
  const std::lock_guard lock(state_->mutex);
  for (auto entry = state_->entries.begin(); entry != state_->entries.end();) {
    const auto view = entry->second->snapshot();
    if (is_final(view.status) && view.updated_at <= limit) {
      gone.push_back(view.id);
      entry = state_->entries.erase(entry);
    } else {
      ++entry;
    }
  }
  return gone;
}

std::size_t Operations::running() const { return state_->running; }

}  // namespace berth::services
