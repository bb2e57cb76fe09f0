#pragma once

#include <nlohmann/json.hpp>

#include <span>
#include <string>
#include <string_view>

namespace berth::cli {

using Json = nlohmann::json;

struct Field;
/// The members of an object of the API, in the order in which documents show them.
using Shape = std::span<const Field>;

/// What a member is, which decides how it looks when it is absent and how it is read from a document.
enum class Kind : unsigned char {
  Text,
  Time,  ///< RFC 3339: shown without quotes
  Number,
  Flag,
  Texts,      ///< ["a"]
  TextMap,    ///< {"a": "b"}
  Object,     ///< of the shape; null when absent
  Objects,    ///< a list of the shape
  TextMaps,   ///< {"eth0": {"type": "nic"}}
  ObjectMap,  ///< {"root": object of the shape}
  Any,        ///< whatever it is
};

struct Field {
  std::string_view name;
  Kind kind = Kind::Text;
  Shape shape = {};
  bool omit_empty = false;
};

// What `show` and `edit` are about: the part of each object that a PUT can change.
extern const Shape kInstancePut, kProfilePut, kImagePut, kServerPut, kPoolPut, kAliasPut, kSnapshotPut, kProjectPut,
    kCertificatePut;
// Whole objects.
extern const Shape kInstance, kInstanceFull, kProfile, kImage, kAlias, kOperation, kServer, kPool, kSnapshot, kProject,
    kCertificate;
/// What `config metadata` is about.
extern const Shape kMetadata;
/// What `init` and `launch` take from standard input.
extern const Shape kInstanceDocument;

/// The member, or its empty value when the object has none (or null).
Json member(const Json& object, const Field& field);
/// Only the members that `shape` has.
Json pick(const Json& object, Shape shape);

/// Text of a member, empty when there is none; and the like. They never throw.
std::string text_of(const Json& object, std::string_view name);
std::int64_t number_of(const Json& object, std::string_view name);
bool flag_of(const Json& object, std::string_view name);
/// The member, or null.
const Json& child_of(const Json& object, std::string_view name);

}  // namespace berth::cli
