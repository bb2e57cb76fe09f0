#pragma once

#include <sdbus-c++/Types.h>

#include <map>
#include <string>

#include "base/result.hpp"
#include "daemon/domain/document.hpp"

namespace berth::bus {

using VariantMap = std::map<std::string, sdbus::Variant>;

/// The document as `a{sv}`: text s, flags b, numbers x and t, lists as, maps a{ss} and a{sa{ss}}, documents a{sv} and aa{sv}.
/// A value too large for a message is LimitsExceeded: the bus would disconnect its sender. Any thread.
Result<VariantMap> to_variants(const Document& document);

/// Bytes a message may have on the bus, with room left for its header. The bus disconnects who sends more than 32 MiB.
inline constexpr std::size_t kMessageLimit = (std::size_t{32} << 20) - (std::size_t{64} << 10);
/// Descriptors a message may carry; the bus disconnects who sends more.
inline constexpr std::size_t kDescriptorLimit = 16;

}  // namespace berth::bus
