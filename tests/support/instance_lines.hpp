#pragma once

#include <nlohmann/json.hpp>

#include <string>

namespace berth {

/// Rows of instances as the daemon writes them: for each a line of what seldom changes and one of the rest.
inline std::string instance_lines(const nlohmann::json& rows) {
  std::string text = "[";
  for (const auto& row : rows) {
    nlohmann::json stored = row;
    nlohmann::json now;
    for (const auto* field : {"status", "status_code", "state", "snapshots", "backups"})
      if (stored.contains(field)) {
        now[field] = stored[field];
        stored.erase(field);
      }
    const auto first = stored.dump();
    text += (text.size() == 1 ? "\n" : "\n,") + first.substr(0, first.size() - 1) + "\n," + now.dump().substr(1);
  }
  return text + "\n]";
}

}  // namespace berth
