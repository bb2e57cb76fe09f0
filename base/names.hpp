#pragma once

#include <compare>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

namespace berth {

/// True when `text` has a control character (bytes below 0x20, and 0x7f). Rule 7 of the security rules: such text is
/// refused wherever it could reach a generated file or a terminal.
bool has_control_characters(std::string_view text) noexcept;

/// A name that was validated once, at the border. `Tag::parse` is the only way to make one, so a function that takes
/// one need not check again, and two kinds of name cannot be confused.
template <typename Tag>
class Name {
 public:
  static Result<Name> parse(std::string_view text) {
    if (auto valid = Tag::check(text); !valid) return std::move(valid).error();
    return Name{std::string(text)};
  }
  const std::string& str() const noexcept { return text_; }
  friend auto operator<=>(const Name&, const Name&) = default;

 private:
  explicit Name(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// Letters, digits and '-'; 1 to 63 characters; starts with a letter; does not end in '-' (LXD's host name rule).
struct InstanceNameRule {
  static Result<void> check(std::string_view text);
};
/// 1 to 63 characters of letters, digits, '-', '_' (no leading '-'); no '_' in names of Berth's own making.
struct ProjectNameRule {
  static Result<void> check(std::string_view text);
};
/// 1 to 63 printable characters without '/', blank or control characters; not "." or "..".
struct EntityNameRule {
  static Result<void> check(std::string_view text);
};
/// 64 lower-case hexadecimal digits: a SHA-256.
struct FingerprintRule {
  static Result<void> check(std::string_view text);
};
/// 1 to 255 printable characters; '/' is allowed (`ubuntu/22.04`); no "." or ".." as a whole; no control characters.
struct AliasRule {
  static Result<void> check(std::string_view text);
};
/// A random UUID in its lower-case 8-4-4-4-12 form.
struct UuidRule {
  static Result<void> check(std::string_view text);
};
struct ProfileRule : EntityNameRule {};
struct PoolRule : EntityNameRule {};
struct SnapshotRule : EntityNameRule {};

using InstanceName = Name<InstanceNameRule>;
using ProjectName = Name<ProjectNameRule>;
using ProfileName = Name<ProfileRule>;
using PoolName = Name<PoolRule>;
using SnapshotName = Name<SnapshotRule>;
using Fingerprint = Name<FingerprintRule>;
using AliasName = Name<AliasRule>;
using Uuid = Name<UuidRule>;
/// Operations are named by a UUID of their own.
using OperationId = Uuid;

/// A new random (version 4) UUID from the kernel's generator.
Uuid new_uuid();

/// The project `default`, which always exists.
const ProjectName& default_project();

}  // namespace berth
