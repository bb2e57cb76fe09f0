#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "base/names.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// Values are LXD's status codes.
enum class OperationStatus { Pending = 105, Running = 103, Cancelling = 104, Success = 200, Failure = 400, Cancelled = 401 };

std::string_view operation_status_word(OperationStatus status);  ///< "Running"
constexpr bool is_final(OperationStatus status) { return static_cast<int>(status) >= 200; }

/// A piece of long work as everybody sees it. A snapshot: the live object is services/operations'.
struct OperationView {
  OperationId id;
  std::string kind;         ///< LXD's class: `task`, `websocket`, `token`
  std::string description;  ///< LXD's fixed text of its type: "Creating instance"
  ProjectName project;
  std::uint32_t owner_uid = 0;
  OperationStatus status = OperationStatus::Pending;
  Timestamp created_at{};
  Timestamp updated_at{};
  bool cancellable = false;
  /// Kind ("instances", "images", "profiles") → names within `project`. The bridge makes URLs of them.
  std::map<std::string, std::vector<std::string>> resources;
  Document metadata;           ///< progress and result: `fingerprint`, `size`, `return`, `unpack_progress`...
  std::optional<Error> error;  ///< set when status is Failure or Cancelled
};

}  // namespace berth
