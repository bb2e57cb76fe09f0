#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/domain/document.hpp"
#include "daemon/domain/project.hpp"
#include "daemon/domain/project_policy.hpp"
#include "daemon/domain/reference.hpp"

namespace berth {

/// A project's row: `name`, `description`, `config`, `revision`, `created_at`, `used_by`.
Document project_document(const Project& project, const std::vector<Reference>& used_by);

/// `resources`: name to `limit` (-1 = none) and `usage`.
Document project_usage_document(const std::map<std::string, ProjectUsage>& usage);

}  // namespace berth
