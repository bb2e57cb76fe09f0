#include "rest-bridge/api/filter.hpp"

#include <regex.h>

#include <algorithm>
#include <strings.h>
#include <utility>

namespace berth::rest {
namespace {

constexpr std::size_t kLongestFilter = 4096;
constexpr std::size_t kLongestPattern = 512;

Result<std::vector<std::string>> words_of(std::string_view text) {
  std::vector<std::string> words;
  std::size_t i = 0;
  while (i < text.size()) {
    if (text[i] == ' ') {
      ++i;
      continue;
    }
    std::string word;
    bool quoted = false;
    for (; i < text.size() && (quoted || text[i] != ' '); ++i) {
      if (text[i] == '"')
        quoted = !quoted;
      else
        word += text[i];
    }
    if (quoted) return Error{Code::InvalidArgument, "the filter has an open quote"};
    words.push_back(std::move(word));
  }
  return words;
}

/// The value at a dotted path; keys may have dots themselves ("config.user.x").
const Json* field_of(const Json& object, std::string_view path) {
  if (!object.is_object()) return nullptr;
  if (const auto whole = object.find(path); whole != object.end()) return &*whole;
  for (auto dot = path.find('.'); dot != std::string_view::npos; dot = path.find('.', dot + 1)) {
    const auto outer = object.find(path.substr(0, dot));
    if (outer == object.end()) continue;
    if (const auto* inner = field_of(*outer, path.substr(dot + 1))) return inner;
  }
  return nullptr;
}

std::string text_of(const Json* value) {
  if (!value || value->is_null()) return {};
  return value->is_string() ? value->get<std::string>() : value->dump();
}

bool same_text(std::string_view a, std::string_view b) {
  return a.size() == b.size() && ::strncasecmp(a.data(), b.data(), a.size()) == 0;
}

/// Each `+` of a pattern doubles what stands before it when the C library compiles it: a hundred would take all memory.
constexpr std::ptrdiff_t kMostPluses = 8;

/// Patterns are a client's: no back references and no counted repeats, whose cost has no bound.
bool is_pattern(std::string_view value) {
  for (auto at = value.find('\\'); at != std::string_view::npos; at = value.find('\\', at + 2))
    if (at + 1 < value.size() && value[at + 1] >= '1' && value[at + 1] <= '9') return false;
  return value.find_first_of("^$.*+?()|[]") != std::string_view::npos && value.size() <= kLongestPattern &&
         std::count(value.begin(), value.end(), '+') <= kMostPluses &&
         value.find('{') == std::string_view::npos && value.find('\0') == std::string_view::npos;
}

bool value_matches(const std::string& pattern, const std::string& text) {
  if (same_text(pattern, text)) return true;
  if (!is_pattern(pattern)) return false;
  const bool anchored = pattern.find_first_of("^$") != std::string::npos;
  const auto expression = anchored ? pattern : "^(" + pattern + ")$";
  regex_t compiled{};
  if (::regcomp(&compiled, expression.c_str(), REG_EXTENDED | REG_ICASE | REG_NOSUB) != 0) return false;
  const bool found = ::regexec(&compiled, text.c_str(), 0, nullptr, 0) == 0;
  ::regfree(&compiled);
  return found;
}

}  // namespace

Result<Filter> Filter::parse(std::string_view text) {
  if (text.size() > kLongestFilter) return Error{Code::InvalidArgument, "the filter is too long"};
  BERTH_TRY(const auto words, words_of(text));
  Filter filter;
  std::size_t at = 0;
  bool any = false;
  while (at < words.size()) {
    Clause clause;
    clause.any = any;
    if (words[at] == "not") {
      clause.negated = true;
      ++at;
    }
    if (words.size() - at < 3)
      return Error{Code::InvalidArgument, "the filter is incomplete; write \"FIELD eq VALUE and FIELD ne VALUE\""};
    clause.field = words[at];
    clause.comparison = words[at + 1];
    clause.value = words[at + 2];
    at += 3;
    filter.clauses_.push_back(std::move(clause));
    if (at == words.size()) break;
    if (words[at] != "and" && words[at] != "or")
      return Error{Code::InvalidArgument, "the filter has \"" + words[at] + "\" where \"and\" or \"or\" is expected"};
    any = words[at] == "or";
    if (++at == words.size()) return Error{Code::InvalidArgument, "the filter ends in \"and\" or \"or\""};
  }
  return filter;
}

bool Filter::matches(const Json& object) const {
  bool result = true;
  for (const auto& clause : clauses_) {
    bool fits = false;
    if (clause.comparison == "eq" || clause.comparison == "ne") {
      fits = value_matches(clause.value, text_of(field_of(object, clause.field))) == (clause.comparison == "eq");
      if (clause.negated) fits = !fits;
    }
    result = clause.any ? (result || fits) : (result && fits);
  }
  return result;
}

}  // namespace berth::rest
