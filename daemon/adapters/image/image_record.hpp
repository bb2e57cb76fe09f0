#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "daemon/ports/image_store.hpp"

namespace berth::adapters {

/// What meta.json keeps of an image.
struct ImageRecord {
  std::uint64_t size = 0;
  bool split = false;
  bool needs_plain_root = false;
  ports::ImageMetadata metadata;
};

/// What berth-helper answers to `unpack`.
struct UnpackAnswer {
  bool needs_plain_root = false;
  ports::ImageMetadata metadata;  ///< of a layout that has one
};

/// Reads the helper's answer, trusting nothing of it: it was made from the image. `with_metadata`: the layout has one.
/// Errors: InvalidArgument naming the field of metadata.yaml.
Result<UnpackAnswer> parse_unpack_answer(std::string_view text, bool with_metadata);

/// Metadata alone, in the form of meta.json.
std::string metadata_to_json(const ports::ImageMetadata& metadata);
/// Errors: InvalidArgument naming the field.
Result<ports::ImageMetadata> metadata_from_json(std::string_view text);

std::string record_to_json(const ImageRecord& record);
/// Errors: Internal when the file is not of the form this program writes.
Result<ImageRecord> record_from_json(std::string_view text);

}  // namespace berth::adapters
