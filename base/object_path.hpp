#pragma once

#include <string>
#include <string_view>

#include "base/names.hpp"
#include "base/result.hpp"

namespace berth {

/// The well-known bus name and the root of the object tree. Meson's `bus_name` is the same text.
inline constexpr std::string_view kBusName = "org.berth.Berth1";
inline constexpr std::string_view kRootPath = "/org/berth/Berth1";

/// One path element, escaped as sd_bus_path_encode() does: every byte outside [A-Za-z0-9], and a leading digit,
/// becomes `_` and two lower-case hexadecimal digits; the empty string becomes `_`.
std::string encode_path_element(std::string_view text);

/// The inverse. Errors: InvalidArgument for a text that encode_path_element() could not have made.
Result<std::string> decode_path_element(std::string_view element);

std::string project_path(const ProjectName& name);
std::string instance_path(const ProjectName& project, const InstanceName& name);
std::string image_path(const ProjectName& project, const Fingerprint& fingerprint);
std::string profile_path(const ProjectName& project, const ProfileName& name);
std::string storage_pool_path(const PoolName& name);
std::string certificate_path(const Fingerprint& fingerprint);
std::string operation_path(const OperationId& id);

}  // namespace berth
