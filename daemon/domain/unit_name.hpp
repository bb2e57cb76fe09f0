#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/names.hpp"

namespace berth {

/// Text as a part of a unit's name, as systemd-escape(1) writes it: '/' becomes '-', everything but letters, digits,
/// ':', '_' and '.' (not in front) becomes \xNN.
std::string escape_unit_part(std::string_view text);

/// The name of an instance's unit, `berth-container@NAME.service`, with `PROJECT_` in front of the name outside the
/// default project. Names that would pass systemd's 255 bytes are hashed.
std::string container_unit_name(const ProjectName& project, const InstanceName& name);

/// The inverse; nothing for a unit of another kind, and for a hashed name.
std::optional<std::pair<ProjectName, InstanceName>> container_of_unit(std::string_view unit);

}  // namespace berth
