#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "rest-bridge/api/call.hpp"

namespace re2 {
class RE2;
}

namespace berth::rest {

/// The `filter=` of lists: `name eq web and config.user.x ne 1`. Words are parted by blanks; a value may stand in
/// double quotes. `not` before a field negates, `and` binds no tighter than `or`: both are read from left to right.
/// A value is a regular expression that must match the whole text, as `lxc` sends; without case. Its syntax is RE2's, which
/// is that of LXD, and its time is linear in the text, whatever a client writes.
class Filter {
 public:
  /// Errors: InvalidArgument for a filter that ends in the middle. An empty one lets everything through.
  static Result<Filter> parse(std::string_view text);
  /// Whether `object` passes. Fields are members, inner ones after a dot ("config.user.x"); a field that is not there
  /// is an empty text; an operator that does not exist matches nothing.
  bool matches(const Json& object) const;
  bool empty() const noexcept { return clauses_.empty(); }

 private:
  struct Clause {
    bool any = false;  ///< joined to what is before it by `or`
    bool negated = false;
    std::string field;
    std::string comparison;
    std::string value;
    std::shared_ptr<const re2::RE2> pattern;  ///< null when the value is a plain text
  };
  std::vector<Clause> clauses_;
};

}  // namespace berth::rest
