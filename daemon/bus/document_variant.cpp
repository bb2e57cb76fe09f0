#include "daemon/bus/document_variant.hpp"

#include <sdbus-c++/Message.h>

#include <vector>

#include "daemon/bus/message_size.hpp"

namespace berth::bus {
namespace {

VariantMap variants_of(const Document& document);

sdbus::Variant variant_of(const DocumentValue& value) {
  return std::visit(
      [](const auto& held) -> sdbus::Variant {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, Document>) {
          return sdbus::Variant{variants_of(held)};
        } else if constexpr (std::is_same_v<Held, std::vector<Document>>) {
          std::vector<VariantMap> rows;
          for (const auto& row : held) rows.push_back(variants_of(row));
          return sdbus::Variant{rows};
        } else {
          return sdbus::Variant{held};
        }
      },
      value.value);
}

VariantMap variants_of(const Document& document) {
  VariantMap made;
  for (const auto& [name, value] : document) made.emplace(name, variant_of(value));
  return made;
}

}  // namespace

Result<VariantMap> to_variants(const Document& document) {
  if (message_size(document) > kMessageLimit)
    return Error{Code::LimitsExceeded, "the answer does not fit a bus message; ask for it with a Describe method"};
  return variants_of(document);
}

}  // namespace berth::bus
