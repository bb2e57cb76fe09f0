#pragma once

#include "daemon/domain/document.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance.hpp"

namespace berth {

/// An instance from outside, with what its profiles make of it. Secrets may be in its configuration.
Document instance_document(Instance instance, Expanded expanded, InstanceStatus status);

}  // namespace berth
