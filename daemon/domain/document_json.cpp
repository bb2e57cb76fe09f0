#include "daemon/domain/document_json.hpp"

#include <nlohmann/json.hpp>

namespace berth {
namespace {

nlohmann::json json_of(const Document& document);

nlohmann::json json_of(const DocumentValue& value) {
  return std::visit(
      [](const auto& held) -> nlohmann::json {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, Document>) {
          return json_of(held);
        } else if constexpr (std::is_same_v<Held, std::vector<Document>>) {
          auto rows = nlohmann::json::array();
          for (const auto& row : held) rows.push_back(json_of(row));
          return rows;
        } else {
          return held;
        }
      },
      value.value);
}

nlohmann::json json_of(const Document& document) {
  auto object = nlohmann::json::object();
  for (const auto& [name, value] : document) object[name] = json_of(value);
  return object;
}

/// Text that came from outside may not be UTF-8; a row must stay readable all the same.
std::string dump(const nlohmann::json& json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const Document& document) { return dump(json_of(document)); }

std::string to_json(const std::vector<Document>& rows) {
  auto array = nlohmann::json::array();
  for (const auto& row : rows) array.push_back(json_of(row));
  return dump(array);
}

}  // namespace berth
