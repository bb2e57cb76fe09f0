#include "daemon/domain/operation_document.hpp"

namespace berth {

Document operation_document(const OperationView& operation) {
  Document resources;
  for (const auto& [kind, names] : operation.resources) resources.emplace(kind, names);
  const auto& error = operation.error;
  return Document{
      {"id", operation.id.str()},
      {"class", operation.kind},
      {"description", operation.description},
      {"project", operation.project.str()},
      {"location", "none"},
      {"created_at", to_microseconds(operation.created_at)},
      {"updated_at", to_microseconds(operation.updated_at)},
      {"status", std::string(operation_status_word(operation.status))},
      {"status_code", static_cast<std::int64_t>(operation.status)},
      {"resources", std::move(resources)},
      {"metadata", operation.metadata},
      {"may_cancel", operation.cancellable},
      {"err", error ? error->message : std::string()},
      {"error_code", error ? std::string(error_row(error->code).dbus_name) : std::string()},
  };
}

}  // namespace berth
