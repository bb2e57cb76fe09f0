#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace berth::helpers {

/// A value in a template, with the meanings that pongo2 (the engine of LXD) gives: nothing is an error that can be an
/// empty text. Copies are cheap; what is behind the pointers never changes.
class TemplateValue {
 public:
  using List = std::vector<TemplateValue>;
  using Map = std::map<std::string, TemplateValue, std::less<>>;

  TemplateValue() = default;
  TemplateValue(bool value) : value_(value) {}                                   // NOLINT(google-explicit-constructor)
  TemplateValue(std::int64_t value) : value_(value) {}                           // NOLINT(google-explicit-constructor)
  TemplateValue(double value) : value_(value) {}                                 // NOLINT(google-explicit-constructor)
  TemplateValue(std::string value) : value_(std::move(value)) {}                 // NOLINT(google-explicit-constructor)
  TemplateValue(const char* value) : value_(std::string(value)) {}               // NOLINT(google-explicit-constructor)
  TemplateValue(List value) : value_(std::make_shared<const List>(std::move(value))) {}  // NOLINT
  TemplateValue(Map value) : value_(std::make_shared<const Map>(std::move(value))) {}    // NOLINT

  bool is_nothing() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_integer() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_float() const { return std::holds_alternative<double>(value_); }
  bool is_text() const { return std::holds_alternative<std::string>(value_); }
  /// nullptr when it is none.
  const std::string* text() const { return std::get_if<std::string>(&value_); }
  const List* list() const;
  const Map* map() const;

  /// As it is written out. True and False, numbers in decimal, fractions with six digits; nothing is empty.
  std::string shown() const;
  /// False for nothing, 0, false and whatever has no content.
  bool truth() const;
  /// A number for comparisons and sums: of a text, the number it begins to be, or 0.
  std::int64_t integer() const;
  double real() const;
  /// Characters of a text (as UTF-8), members of a list or map; 0 for the rest.
  std::int64_t length() const;
  /// A text within a text, a member of a list, a key of a map.
  bool contains(const TemplateValue& part) const;
  /// The same kind and content; whole numbers and fractions compare as numbers.
  friend bool operator==(const TemplateValue& a, const TemplateValue& b);
  /// "a text", for error texts.
  std::string_view kind() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
               std::shared_ptr<const Map>>
      value_;
};

/// The characters of a text, each as its UTF-8 bytes; a byte that is part of none stands alone.
std::vector<std::string_view> characters(std::string_view text);

}  // namespace berth::helpers
