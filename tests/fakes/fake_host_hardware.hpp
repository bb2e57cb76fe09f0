#pragma once

#include <utility>

#include "daemon/ports/host_hardware.hpp"

namespace berth::fakes {

/// A host without devices; a test may give it some.
class FakeHostHardware final : public ports::HostHardware {
 public:
  Document resources() override { return parts; }

  Document parts{{"cpu", Document{{"architecture", "x86_64"}, {"sockets", std::vector<Document>{}}, {"total", std::uint64_t{0}}}},
                 {"memory", Document{{"used", std::uint64_t{0}},
                                     {"total", std::uint64_t{0}},
                                     {"hugepages_size", std::uint64_t{0}},
                                     {"hugepages_total", std::uint64_t{0}},
                                     {"hugepages_used", std::uint64_t{0}}}},
                 {"gpu", none("cards")},
                 {"network", none("cards")},
                 {"storage", none("disks")},
                 {"usb", none("devices")},
                 {"pci", none("devices")},
                 {"system", Document{{"type", "physical"}}}};

 private:
  static Document none(const char* list) { return {{list, std::vector<Document>{}}, {"total", std::uint64_t{0}}}; }
};

}  // namespace berth::fakes
