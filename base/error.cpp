#include "base/error.hpp"

#include <system_error>

namespace berth {

Error system_error(std::string_view what, int saved_errno) {
  return Error{Code::Internal, std::string(what) + ": " + std::generic_category().message(saved_errno)};
}

}  // namespace berth
