#include "rest-bridge/api/call_check.hpp"

#include <variant>

#include "base/text.hpp"

namespace berth::rest {
namespace {

constexpr std::size_t kMostBytes = 30U * 1024U * 1024U;
/// No length, signature, padding or descriptor of a value takes more beside its text.
constexpr std::size_t kAround = 32;

class Check {
 public:
  bool sound = true;
  std::size_t bytes = 0;

  void operator()(const std::string& text) {
    bytes += kAround + text.size();
    sound = sound && is_text(text);
  }
  void operator()(const Strings& texts) {
    bytes += kAround;
    for (const auto& text : texts) (*this)(text);
  }
  void operator()(const StringMap& map) {
    bytes += kAround;
    for (const auto& [key, value] : map) {
      (*this)(key);
      (*this)(value);
    }
  }
  void operator()(const StringMaps& maps) {
    bytes += kAround;
    for (const auto& [key, map] : maps) {
      (*this)(key);
      (*this)(map);
    }
  }
  void operator()(const Options& options) {
    bytes += kAround;
    for (const auto& [key, value] : options) {
      (*this)(key);
      std::visit([this](const auto& held) { (*this)(held); }, value.held);
    }
  }
  void operator()(const Bytes& given) { bytes += kAround + given.size(); }
  template <typename Number>
  void operator()(const Number&) {
    bytes += kAround;
  }
};

}  // namespace

Result<void> check_call(const Call& call) {
  Check check;
  for (const auto& argument : call.arguments) std::visit([&check](const auto& held) { check(held); }, argument);
  if (!check.sound) return Error{Code::InvalidArgument, "the request has a text that is not UTF-8, or has a NUL character or a noncharacter"};
  if (check.bytes > kMostBytes) return Error{Code::InvalidArgument, "the request says too much for one message"};
  return {};
}

}  // namespace berth::rest
