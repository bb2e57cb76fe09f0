#pragma once

#include <span>
#include <string_view>

#include "base/result.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/project.hpp"

namespace berth {

/// One key of a project's configuration.
struct ProjectKey {
  std::string_view name;  ///< `*` as in ConfigKey
  ValueType type = ValueType::Line;
  std::string_view fallback;  ///< of a `restricted.*` key: what holds in a restricted project that does not set it
  KeySupport support = KeySupport::Honoured;
  std::string_view choices;  ///< OneOf
  std::string_view description;
};

std::span<const ProjectKey> project_keys();

/// The value of a restriction as it holds in a restricted project: the key's, or the table's.
std::string_view restriction_value(const ConfigMap& config, std::string_view key);

/// What a new project has beside what was asked for: its own images, profiles and volumes.
void add_default_features(ConfigMap& config);

/// Checks a whole configuration of the project `name`. Errors: InvalidArgument `Invalid project configuration key "X"`, with
/// the value's error where it is the value; NotSupported names a key that this Berth could not hold anybody to.
Result<void> validate_project_config(const ProjectName& name, const ConfigMap& config);

/// Whether a project may become another one in the features it has. `in_use`: it holds more than its default profile.
/// Errors: InvalidArgument in LXD's words.
Result<void> check_feature_change(const ProjectName& name, const ConfigMap& from, const ConfigMap& to, bool in_use);

}  // namespace berth
