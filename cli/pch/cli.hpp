// What nearly every file of this folder includes by itself; compiled once.
#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>
