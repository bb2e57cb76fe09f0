#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/principal.hpp"

namespace berth::services {

/// One event of the API's stream.
struct Event {
  std::string type;  ///< operation, lifecycle, logging
  Timestamp at{};
  ProjectName project;
  std::uint32_t owner_uid = 0;
  /// operation: the operation's document. lifecycle: `action` s ("instance-started"), `kind` s ("instance", "image"...), `name` s,
  /// `context` a{sv}, `requestor` a{sv} (`username`, `protocol`). logging: `message`, `level`, `context`.
  Document metadata;
};

/// Where services say what happened and the bus hears it. Any thread; listeners are called in order of publication, under
/// the publisher's thread, and must not block.
class Events {
 public:
  virtual ~Events() = default;
  virtual void publish(Event event) = 0;
};

}  // namespace berth::services
