#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/bus/document_variant.hpp"
#include "daemon/domain/types.hpp"

namespace berth::bus {

/// Reads one `a{sv}` of a call: each read() takes a key, finish() refuses what nobody took. A key that is absent leaves its
/// target alone. The first error is kept and told by finish(), with the key's name, so reads need no checks in between:
///
///     OptionReader reader{options};
///     reader.read("force", request.force);
///     BERTH_CHECK(reader.finish());
class OptionReader {
 public:
  explicit OptionReader(VariantMap options) : options_(std::move(options)) {}

  /// `Target` is a D-Bus type's C++ type (bool, std::string, ConfigMap...), or an optional of one.
  template <typename Target>
  void read(const std::string& key, Target& target) {
    const auto found = options_.find(key);
    if (found == options_.end()) return;
    const sdbus::Variant value = std::move(found->second);
    options_.erase(found);
    if (!value.containsValueOfType<Target>()) return wrong_type(key, sdbus::signature_of<Target>::str());
    target = value.get<Target>();
  }
  template <typename Target>
  void read(const std::string& key, std::optional<Target>& target) {
    if (options_.count(key) == 0) return;
    Target value{};
    read(key, value);
    target = std::move(value);
  }
  /// A text that must be a name of that kind.
  template <typename Tag>
  void read(const std::string& key, std::optional<Name<Tag>>& target) {
    std::optional<std::string> text;
    read(key, text);
    if (text) take(key, Name<Tag>::parse(*text), target);
  }
  template <typename Tag>
  void read(const std::string& key, std::optional<std::vector<Name<Tag>>>& target) {
    std::optional<std::vector<std::string>> texts;
    read(key, texts);
    if (!texts) return;
    target.emplace();
    for (const auto& text : *texts) {
      std::optional<Name<Tag>> name;
      take(key, Name<Tag>::parse(text), name);
      if (!name) return;
      target->push_back(*std::move(name));
    }
  }
  void read(const std::string& key, std::optional<Timestamp>& target);
  void read(const std::string& key, std::optional<UniqueFd>& target);
  /// A terminal's width or height: `u`, at most 65535.
  void read(const std::string& key, std::uint16_t& target);

  bool has(const std::string& key) const { return options_.count(key) != 0; }
  /// Records an error of the caller's own finding about `key`.
  void refuse(const std::string& key, const std::string& why);
  /// InvalidArgument with the key: unknown, of the wrong type, or of no valid value.
  Result<void> finish();

 private:
  template <typename Value>
  void take(const std::string& key, Result<Value> parsed, std::optional<Value>& target) {
    if (parsed) {
      target = *std::move(parsed);
    } else {
      refuse(key, parsed.error().message);
    }
  }
  void wrong_type(const std::string& key, const std::string& wanted);

  VariantMap options_;
  std::optional<Error> error_;
};

/// For calls whose options have no key yet.
Result<void> no_options(VariantMap options);

/// The options of an Update: `replace` and `if-revision`, into the members of those names.
template <typename Changes>
Result<void> read_update_options(VariantMap options, Changes& wanted) {
  OptionReader reader{std::move(options)};
  reader.read("replace", wanted.replace);
  reader.read("if-revision", wanted.if_revision);
  return reader.finish();
}

/// A descriptor that came in a message, as one of our own and closed on exec.
Result<UniqueFd> take_fd(sdbus::UnixFd fd);

/// A descriptor to send.
inline sdbus::UnixFd give_fd(UniqueFd fd) { return sdbus::UnixFd{fd.release(), sdbus::adopt_fd}; }

}  // namespace berth::bus
