#include "rest-bridge/api/instance_types.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

namespace berth::rest {
namespace {

constexpr float kMost = 1'000'000;  ///< processors, or GiB

}  // namespace

Result<StringMap> limits_of_type(const std::string& type) {
  float processors = 0, gibibytes = 0;
  std::string_view left = type;
  if (type.ends_with('-')) return Error{Code::InvalidArgument, "Provided instance type doesn't exist: " + type};
  do {
    const auto field = left.substr(0, left.find('-'));
    left.remove_prefix(std::min(field.size() + 1, left.size()));
    if (field.size() < 2 || (field.front() != 'c' && field.front() != 'm'))
      return Error{Code::InvalidArgument, "Provided instance type doesn't exist: " + type};
    float value = 0;
    const auto* const end = field.data() + field.size();
    const auto parsed = std::from_chars(field.data() + 1, end, value);
    if (parsed.ec != std::errc{} || parsed.ptr != end || !(value >= 0) || value > kMost)
      return Error{Code::InvalidArgument, "Bad custom instance type: " + type};
    (field.front() == 'c' ? processors : gibibytes) = value;
  } while (!left.empty());
  StringMap limits;
  if (processors > 0) {
    const auto whole = std::ceil(processors);
    limits["limits.cpu"] = std::to_string(static_cast<int>(whole));
    if (const auto share = static_cast<int>(processors / whole * 100); share < 100) limits["limits.cpu.allowance"] = std::to_string(share) + '%';
  }
  if (gibibytes > 0) limits["limits.memory"] = std::to_string(static_cast<long long>(gibibytes * 1024)) + "MB";  // as 5.0.2 has it
  return limits;
}

}  // namespace berth::rest
