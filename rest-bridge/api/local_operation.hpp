#pragma once

#include <memory>
#include <string>

#include "base/names.hpp"
#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/sessions.hpp"

namespace berth::rest {

/// An operation of the bridge's own, for what the daemon has no operation for: a console. It ends as failed when it is destroyed before `finish()`.
class LocalOperation {
 public:
  LocalOperation(Sessions& sessions, const std::string& owner, std::string_view kind, std::string description,
                 std::string project, Strings instances)
      : sessions_(sessions), id_(new_uuid().str()) {
    const auto now = now_microseconds();
    row_ = Json{{"id", id_},
                {"class", kind},
                {"description", std::move(description)},
                {"created_at", now},
                {"updated_at", now},
                {"status_code", 103},
                {"resources", {{"instances", std::move(instances)}}},
                {"metadata", Json::object()},
                {"may_cancel", false},
                {"err", ""},
                {"project", std::move(project)}};
    sessions_.add_local(row_, owner);
  }
  ~LocalOperation() { finish("the client left before all of it had ended"); }
  LocalOperation(const LocalOperation&) = delete;
  LocalOperation& operator=(const LocalOperation&) = delete;

  const std::string& id() const noexcept { return id_; }
  /// In the daemon's form.
  const Json& row() const noexcept { return row_; }
  /// Ends it; an empty `failure` is success. The first call counts.
  void finish(const std::string& failure) { sessions_.finish_local(id_, failure); }

 private:
  Sessions& sessions_;
  std::string id_;
  Json row_;
};

}  // namespace berth::rest
