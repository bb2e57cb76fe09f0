#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace berth::rest {

/// Takes a multipart/form-data body apart while it streams: memory stays at one delimiter and one part's header.
class Multipart {
 public:
  /// What the body consists of, in order.
  struct Sink {
    virtual ~Sink() = default;
    virtual Result<void> begin(const std::string& name) = 0;  ///< a part of that form name begins
    virtual void data(std::string_view bytes) = 0;            ///< more of it
    virtual void end() = 0;                                   ///< it is whole
  };

  /// The boundary of a Content-Type, or nothing when it is not multipart/form-data with a usable one.
  static std::optional<std::string> boundary_of(std::string_view content_type);

  Multipart(const std::string& boundary, Sink& sink);
  /// Errors: InvalidArgument for a body that is not what it says.
  Result<void> feed(std::string_view bytes);
  /// The body is over. Errors: InvalidArgument when its end is missing.
  Result<void> finish() const;

 private:
  enum class State { Preamble, AfterDelimiter, Header, Body, Epilogue };
  Result<bool> step();

  Sink& sink_;
  std::string delimiter_;  ///< "\r\n--boundary"
  std::string pending_;
  State state_ = State::Preamble;
};

}  // namespace berth::rest
