#include "rest-bridge/api/filter.hpp"

#include <re2/re2.h>

#include <utility>

#include "base/text.hpp"

namespace berth::rest {
namespace {

constexpr std::size_t kLongestFilter = 4096;
/// Of one compiled pattern, in bytes: a client's pattern is matched in the time of its text times this at the most.
constexpr std::int64_t kPatternMemory = 256 * 1024;

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

/// The pattern that `value` is, or null when it is a plain text. One that cannot be compiled matches nothing.
std::shared_ptr<const RE2> pattern_of(const std::string& value) {
  if (value.find_first_of("^$.*+?()|[]{}\\") == std::string::npos) return nullptr;
  RE2::Options options;
  options.set_case_sensitive(false);
  options.set_log_errors(false);
  options.set_max_mem(kPatternMemory);
  const bool anchored = value.find_first_of("^$") != std::string::npos;
  return std::make_shared<const RE2>(anchored ? value : "^(" + value + ")$", options);
}

bool value_matches(const std::string& value, const RE2* pattern, const std::string& text) {
  return same_word(value, text) || (pattern && pattern->ok() && RE2::PartialMatch(text, *pattern));
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
    clause.pattern = pattern_of(clause.value);
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
      fits = value_matches(clause.value, clause.pattern.get(), text_of(field_of(object, clause.field))) == (clause.comparison == "eq");
      if (clause.negated) fits = !fits;
    }
    result = clause.any ? (result || fits) : (result && fits);
  }
  return result;
}

}  // namespace berth::rest
