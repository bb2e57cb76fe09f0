#include "daemon/helpers/template_value.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace berth::helpers {
namespace {

/// Kinds in the order of the variant's alternatives.
constexpr std::array<std::string_view, 7> kKinds{"nothing", "a truth value", "a number", "a number",
                                                 "a text",  "a list",        "a map"};

}  // namespace

std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t length = 1;
    while (length < 4 && at + length < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0xc0 &&
           (static_cast<unsigned char>(text[at + length]) & 0xc0) == 0x80)
      ++length;
    out.push_back(text.substr(at, length));
    at += length;
  }
  return out;
}

const TemplateValue::List* TemplateValue::list() const {
  const auto* held = std::get_if<std::shared_ptr<const List>>(&value_);
  return held == nullptr ? nullptr : held->get();
}

const TemplateValue::Map* TemplateValue::map() const {
  const auto* held = std::get_if<std::shared_ptr<const Map>>(&value_);
  return held == nullptr ? nullptr : held->get();
}

std::string TemplateValue::shown() const {
  if (const auto* value = text()) return *value;
  if (const auto* value = std::get_if<bool>(&value_)) return *value ? "True" : "False";
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return std::to_string(*value);
  if (const auto* value = std::get_if<double>(&value_)) {
    std::array<char, 400> digits{};
    (void)std::snprintf(digits.data(), digits.size(), "%f", *value);
    return digits.data();
  }
  // What a template of LXD prints for these too; nobody wants it, and it is no reason to refuse a start.
  if (list() != nullptr) return "<[]string Value>";
  if (map() != nullptr) return "<map[string]string Value>";
  return "";
}

bool TemplateValue::truth() const {
  if (const auto* value = std::get_if<bool>(&value_)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value != 0;
  if (const auto* value = std::get_if<double>(&value_)) return *value != 0;
  return length() > 0;
}

std::int64_t TemplateValue::integer() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  const double value = real();
  constexpr double kEdge = 9.2e18;  // a little less than the largest whole number
  if (!(value > -kEdge && value < kEdge)) return 0;
  return static_cast<std::int64_t>(value);
}

double TemplateValue::real() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  const auto* value = text();
  return value == nullptr ? 0 : std::strtod(value->c_str(), nullptr);
}

std::int64_t TemplateValue::length() const {
  if (const auto* value = text()) return static_cast<std::int64_t>(characters(*value).size());
  if (const auto* value = list()) return static_cast<std::int64_t>(value->size());
  if (const auto* value = map()) return static_cast<std::int64_t>(value->size());
  return 0;
}

bool TemplateValue::contains(const TemplateValue& part) const {
  if (const auto* value = text()) return value->find(part.shown()) != std::string::npos;
  if (const auto* value = list()) return std::find(value->begin(), value->end(), part) != value->end();
  if (const auto* value = map()) return value->contains(part.shown());
  return false;
}

bool operator==(const TemplateValue& a, const TemplateValue& b) {
  const bool numbers = (a.is_integer() || a.is_float()) && (b.is_integer() || b.is_float());
  if (numbers) return a.is_integer() && b.is_integer() ? a.integer() == b.integer() : a.real() == b.real();
  if (a.list() != nullptr && b.list() != nullptr) return *a.list() == *b.list();
  if (a.map() != nullptr && b.map() != nullptr) return *a.map() == *b.map();
  return a.value_ == b.value_;
}

std::string_view TemplateValue::kind() const { return kKinds[value_.index()]; }

}  // namespace berth::helpers
