#pragma once

#include <vector>

#include "daemon/domain/document.hpp"
#include "daemon/domain/image.hpp"

namespace berth {

/// An image from outside. `aliases` may hold other images' too: only those of `image` are shown.
Document image_document(const Image& image, const std::vector<ImageAlias>& aliases);

/// One alias: name, description, target, type, project.
Document image_alias_document(const ImageAlias& alias);

}  // namespace berth
