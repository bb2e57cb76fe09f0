#pragma once

#include "daemon/domain/document.hpp"

namespace berth::ports {

/// What this host is made of. Any thread; blocking, since the kernel makes some of it up at each read.
class HostHardware {
 public:
  virtual ~HostHardware() = default;
  /// `cpu`, `memory`, `gpu`, `network`, `storage`, `usb`, `pci` and `system`, each a Document with the fields of LXD's
  /// resources. A kind of device that the host lacks has an empty list and the total 0. A field that the host does not tell is
  /// absent; sizes are bytes, frequencies MHz, link speeds Mbit/s. Never fails: what cannot be read is not told.
  virtual Document resources() = 0;
};

}  // namespace berth::ports
