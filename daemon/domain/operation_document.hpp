#pragma once

#include "daemon/domain/document.hpp"
#include "daemon/domain/operation.hpp"

namespace berth {

/// An operation from outside. `resources` is a document of string lists by kind; `error_code` the D-Bus name of the
/// failure's code, empty without one.
Document operation_document(const OperationView& operation);

}  // namespace berth
