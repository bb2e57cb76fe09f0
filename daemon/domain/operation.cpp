#include "daemon/domain/operation.hpp"

namespace berth {

std::string_view operation_status_word(OperationStatus status) {
  switch (status) {
    case OperationStatus::Pending: return "Pending";
    case OperationStatus::Running: return "Running";
    case OperationStatus::Cancelling: return "Cancelling";
    case OperationStatus::Success: return "Success";
    case OperationStatus::Failure: return "Failure";
    case OperationStatus::Cancelled: return "Cancelled";
  }
  return "Failure";
}

}  // namespace berth
