#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/instance_texts.hpp"

namespace berth::services {

enum class InstanceDetail { Config, State, Full };

/// A row of Manager.ListInstances.
struct InstanceRow {
  ProjectName project;
  InstanceName name;
  std::string type;
  InstanceStatus status;
  std::string architecture;
  bool ephemeral;
  Timestamp created_at;
  std::int32_t init_pid;
};

/// Reads, never changes. Blocking; workers only.
class InstanceQuery {
 public:
  explicit InstanceQuery(Context& context) : context_(context), texts_(context.store) {}
  Result<std::vector<InstanceRow>> list(const Principal& who, const std::optional<ProjectName>& project);
  /// Sorted by name; `names` given: exactly these, NotFound when one is absent. State of all in as few system calls as can be.
  /// JSON as InstanceRowsText writes it.
  Result<std::string> describe(const Principal& who, const std::optional<ProjectName>& project,
                               const std::optional<std::vector<InstanceName>>& names, InstanceDetail detail);
  Result<Document> config(const Principal& who, const ProjectName& project, const InstanceName& name);
  Result<Document> state(const Principal& who, const ProjectName& project, const InstanceName& name);
  Result<InstanceRow> by_pid(const Principal& who, std::int32_t pid);
  Result<InstanceRow> row(const Principal& who, const ProjectName& project, const InstanceName& name);

 private:
  Context& context_;
  InstanceTexts texts_;
};

}  // namespace berth::services
