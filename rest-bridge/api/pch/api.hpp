// What nearly every file of this folder includes by itself; compiled once.
#include <sdbus-c++/sdbus-c++.h>

#include <nlohmann/json.hpp>

#include "rest-bridge/api/call.hpp"
