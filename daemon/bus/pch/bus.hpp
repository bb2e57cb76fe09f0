// What nearly every file of this folder includes by itself; compiled once.
#include <sdbus-c++/sdbus-c++.h>

#include "daemon/bus/use_cases.hpp"
