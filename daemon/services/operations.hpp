#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/operation.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/ports/clock.hpp"
#include "daemon/services/worker_pool.hpp"

namespace berth::services {

/// What an operation is, before it runs.
struct OperationSpec {
  std::string kind = "task";  ///< task, websocket, token
  std::string description;    ///< LXD's text of its type
  ProjectName project;
  Principal owner;
  std::map<std::string, std::vector<std::string>> resources;
  bool cancellable = false;
  Document metadata;                 ///< shown from the start
  std::optional<OperationId> id;     ///< an exec found again after a restart keeps its id
};

/// An operation as its own body sees it. Any thread.
class OperationContext {
 public:
  virtual ~OperationContext() = default;
  virtual const OperationId& id() const = 0;
  virtual bool cancelled() const = 0;
  /// Replaces one key of the metadata; published at most 5 times a second, the last value always.
  virtual void set_metadata(const std::string& key, DocumentValue value) = 0;
  /// LXD's two forms at once: `<stage>_progress`, text that begins with `label` ("Unpack: 42% (33.90MB/s)"), and the
  /// `progress` map {stage, percent, speed, processed}. `bytes_total` 0: not known.
  virtual void set_progress(const std::string& stage, const std::string& label, std::uint64_t bytes_done,
                            std::uint64_t bytes_total) = 0;
  virtual void set_resource(const std::string& kind, std::vector<std::string> names) = 0;
};

/// The work itself; the returned document is merged over the metadata when it ends. An error after a cancel ends the
/// operation Cancelled.
using OperationBody = std::function<Result<Document>(OperationContext&)>;
/// Told of every change, in order for one operation. Any thread; must not block, and changes no operation itself.
using OperationListener = std::function<void(const OperationView&)>;

/// The end of one operation, however long that is ago when somebody asks. Any thread.
class OperationEnd {
 public:
  /// Waits for it; asks `give_up` five times a second. Errors: Cancelled when that said so, NotFound when there was none.
  Result<OperationView> wait(const std::function<bool()>& give_up) const;

 private:
  friend class Operations;
  struct Entry;
  explicit OperationEnd(std::shared_ptr<const Entry> entry) : entry_(std::move(entry)) {}
  std::shared_ptr<const Entry> entry_;
};

/// Every operation that runs or ended less than 60 s ago. Any thread.
class Operations {
 public:
  Operations(WorkerPool& workers, const ports::Clock& clock);
  /// As shut_down().
  ~Operations();
  Operations(const Operations&) = delete;
  Operations& operator=(const Operations&) = delete;

  /// Call once, before the first start.
  void listen(OperationListener listener);

  /// Begins the body on a worker at once; the operation is Running when this returns. LimitsExceeded when 1,000 run already.
  Result<OperationId> start(OperationSpec spec, OperationBody body);
  /// An operation that something else ends (an exec): Running until finish(). `on_cancel` empty = not cancellable.
  Result<OperationId> open(OperationSpec spec, std::function<void()> on_cancel);
  void finish(const OperationId& id, Result<Document> outcome);
  void update_metadata(const OperationId& id, const std::string& key, DocumentValue value);

  /// To wait for it.
  OperationEnd end_of(const OperationId& id) const;

  /// NotFound also for those the principal may not see.
  Result<OperationView> get(const Principal& who, const OperationId& id) const;
  std::vector<OperationView> list(const Principal& who, const std::optional<ProjectName>& project) const;
  /// FailedPrecondition "Only running operations can be cancelled" / "This operation can't be cancelled".
  Result<void> cancel(const Principal& who, const OperationId& id);
  /// Removes what ended more than 60 s ago and returns their ids; the daemon calls it from a timer.
  std::vector<OperationId> expire();
  std::size_t running() const;
  /// From now on every body sees cancelled(), and nothing new starts (Unavailable): so that the pool can be stopped.
  void shut_down();
  bool closing() const;

 private:
  using Entry = OperationEnd::Entry;
  class Handle;
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace berth::services
