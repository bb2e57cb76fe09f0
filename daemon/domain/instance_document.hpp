#pragma once

#include "daemon/domain/document.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance.hpp"

namespace berth {

/// What the database tells of an instance, with what its profiles make of it. Secrets may be in its configuration.
Document instance_document(Instance instance, Expanded expanded);
/// The rest of its row: what it does.
Document status_document(InstanceStatus status);

/// The rows of many instances as a JSON array in which each has two lines: one of what the database tells, which seldom
/// changes, and one of the rest. So a reader may know the first again without reading it.
class InstanceRowsText {
 public:
  /// `stored`: the members of an object, without its braces; `now` has at least one.
  void add(std::string_view stored, const Document& now);
  std::string take() &&;

 private:
  std::string text_ = "[";
};

}  // namespace berth
