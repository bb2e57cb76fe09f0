#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>

#include "daemon/domain/document.hpp"
#include "daemon/ports/host_hardware.hpp"

namespace berth {

/// What ports::HostHardware promises, for the fake and for what reads the kernel's files.
/// A fixture has `port()`.
template <typename Fixture>
class HostHardwareContract : public Fixture {};

TYPED_TEST_SUITE_P(HostHardwareContract);

TYPED_TEST_P(HostHardwareContract, TellsOfEveryPartWhateverTheHostHas) {
  const auto parts = this->port().resources();
  for (const auto* name : {"cpu", "memory", "gpu", "network", "storage", "usb", "pci", "system"}) {
    ASSERT_TRUE(parts.contains(name)) << name;
    EXPECT_TRUE(std::holds_alternative<Document>(parts.at(name).value)) << name;
  }
  for (const auto* field : {"used", "total", "hugepages_total", "hugepages_used", "hugepages_size"})
    EXPECT_TRUE(std::get<Document>(parts.at("memory").value).contains(field)) << field;
}

TYPED_TEST_P(HostHardwareContract, CountsWhatItLists) {
  const auto parts = this->port().resources();
  const std::map<std::string, std::string> lists{
      {"gpu", "cards"}, {"network", "cards"}, {"storage", "disks"}, {"usb", "devices"}, {"pci", "devices"}};
  for (const auto& [part, list] : lists) {
    const auto& document = std::get<Document>(parts.at(part).value);
    EXPECT_EQ(std::get<std::vector<Document>>(document.at(list).value).size(),
              std::get<std::uint64_t>(document.at("total").value))
        << part;
  }
}

REGISTER_TYPED_TEST_SUITE_P(HostHardwareContract, TellsOfEveryPartWhateverTheHostHas, CountsWhatItLists);

}  // namespace berth
