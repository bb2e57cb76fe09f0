// What nearly every file of this folder includes by itself; compiled once.
#include "daemon/services/context.hpp"
