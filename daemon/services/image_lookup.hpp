#pragma once

#include "base/result.hpp"
#include "daemon/domain/image.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/instance_create.hpp"

#include <string>

namespace berth::services {

/// By fingerprint or unique prefix. NotFound `Image not found`; InvalidArgument when several begin so.
Result<Image> image_by_prefix(Context& context, const Principal& who, const ProjectName& project,
                              const std::string& prefix);
/// NotFound `Image alias not found`.
Result<Image> image_by_alias(Context& context, const Principal& who, const ProjectName& project,
                             const std::string& alias);
/// The image a source names: by alias, by fingerprint, or the newest that has all the properties.
Result<Image> image_of_source(Context& context, const Principal& who, const ProjectName& project,
                              const InstanceSource& source);
/// Guests see public images only.
bool image_visible(const Principal& who, const Image& image);

}  // namespace berth::services
