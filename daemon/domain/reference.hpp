#pragma once

#include <string>

#include "base/names.hpp"

namespace berth {

/// One user of an object, for `used_by`. The bridge makes a URL of it.
struct Reference {
  std::string kind;  ///< "instances", "profiles", "images"
  ProjectName project;
  std::string name;
};

}  // namespace berth
