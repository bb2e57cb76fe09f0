#pragma once

#include "base/names.hpp"

namespace berth {

/// An instance name of an adjective and an animal, `sunny-otter`, for who gave none. The caller checks that it is free
/// and asks again; about 3,900 are possible.
InstanceName random_instance_name();

}  // namespace berth
