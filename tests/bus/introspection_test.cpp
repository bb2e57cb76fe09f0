// What the running daemon says of itself, held against the contract.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/bus/bench.hpp"
#include "tests/bus/client.hpp"
#include "tests/bus/contract.hpp"

namespace berth::bustest {
namespace {

using ::testing::ElementsAre;

std::map<std::string, Interface> introspect(Client& client, const std::string& path) {
  const auto said = client.call(path, "org.freedesktop.DBus.Introspectable", "Introspect");
  EXPECT_TRUE(said.ok()) << path << ": " << said;
  if (!said.ok()) return {};
  auto interfaces = parse_interfaces(said.word());
  std::erase_if(interfaces, [](const auto& each) { return each.first.starts_with("org.freedesktop.DBus"); });
  return interfaces;
}

void expect_as_the_contract_says(Client& client, const std::string& path, const std::set<std::string>& kinds) {
  SCOPED_TRACE(path);
  const auto said = introspect(client, path);
  std::set<std::string> names, wanted;
  for (const auto& [name, interface] : said) names.insert(name);
  for (const auto& kind : kinds) wanted.insert("org.berth.Berth1." + kind);
  ASSERT_EQ(names, wanted);
  for (const auto& [name, interface] : said) {
    SCOPED_TRACE(name);
    const auto& says = contract().at(name);
    std::set<std::string> members, members_wanted;
    for (const auto& [member, method] : interface.methods) members.insert(member);
    for (const auto& [member, method] : says.methods) members_wanted.insert(member);
    EXPECT_EQ(members, members_wanted);
    for (const auto& [member, method] : says.methods) {
      SCOPED_TRACE(member);
      if (!interface.methods.contains(member)) continue;
      EXPECT_TRUE(interface.methods.at(member) == method) << "its arguments differ in name, type or direction";
    }
    for (const auto& [property, wanted_property] : says.properties) {
      SCOPED_TRACE(property);
      ASSERT_TRUE(interface.properties.contains(property));
      EXPECT_EQ(interface.properties.at(property).type, wanted_property.type);
      EXPECT_EQ(interface.properties.at(property).access, wanted_property.access);
      EXPECT_EQ(interface.properties.at(property).emits_changed, wanted_property.emits_changed);
    }
    EXPECT_EQ(interface.properties.size(), says.properties.size());
    EXPECT_EQ(interface.signals, says.signals);
  }
}

TEST(Introspection, OfEveryKindOfObjectIsWhatTheContractSays) {
  const auto& operation = Bench::get().make_instance();
  Client root;
  expect_as_the_contract_says(root, kRoot, {"Manager", "Session"});
  expect_as_the_contract_says(root, std::string(kDefaultProject) + "/instance/bench", {"Instance"});
  expect_as_the_contract_says(root, Bench::get().image(), {"Image"});
  expect_as_the_contract_says(root, std::string(kDefaultProject) + "/profile/default", {"Profile"});
  expect_as_the_contract_says(root, kDefaultProject, {"Project"});
  expect_as_the_contract_says(root, std::string(kRoot) + "/storage_pool/default", {"StoragePool"});
  expect_as_the_contract_says(root, operation, {"Operation"});
}

TEST(Introspection, HasNoObjectWhereThereIsNone) {
  Client root;
  for (const auto& [interface, says] : contract()) {
    const auto path = path_for(interface);
    if (path == kRoot) continue;
    EXPECT_FALSE(root.call(path, "org.freedesktop.DBus.Introspectable", "Introspect").ok()) << path;
    EXPECT_FALSE(root.get_all(path, interface).ok()) << path;
  }
}

std::set<std::string> names_of(const Outcome& properties) {
  std::set<std::string> names;
  auto* m = properties.reply.get();
  const char* name = nullptr;
  (void)sd_bus_message_enter_container(m, 'a', "{sv}");
  while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
    (void)sd_bus_message_read(m, "s", &name);
    names.insert(name);
    (void)sd_bus_message_skip(m, "v");
    (void)sd_bus_message_exit_container(m);
  }
  return names;
}

// Properties are answered before anybody is asked, so they may tell only what every local user may know.
TEST(Properties, OfAnInstanceTellNameProjectTypeAndStatusWithoutAsking) {
  (void)Bench::get().make_instance();
  Client nobody(kNobody);
  const auto all = nobody.get_all(std::string(kDefaultProject) + "/instance/bench", "org.berth.Berth1.Instance");
  ASSERT_TRUE(all.ok()) << all;
  EXPECT_THAT(names_of(all), ElementsAre("Name", "Project", "Status", "Type"));
}

TEST(Properties, OfEveryKindOfObjectAreAmongTheHarmlessOnes) {
  const std::map<std::string, std::set<std::string>> harmless{
      {"Manager", {"Version", "State"}},
      {"Session", {}},
      {"Instance", {"Name", "Project", "Type", "Status"}},
      {"Image", {"Fingerprint", "Project"}},
      {"Profile", {"Name", "Project"}},
      {"Project", {"Name"}},
      {"StoragePool", {"Name", "Driver"}},
      {"Certificate", {"Fingerprint"}},
      {"Operation", {"Kind", "Status", "Progress", "Resources", "Cancellable", "CreatedAt", "UpdatedAt", "Error"}}};
  for (const auto& [name, says] : contract())
    for (const auto& [property, is] : says.properties) {
      const auto kind = harmless.find(name.substr(name.rfind('.') + 1));
      ASSERT_NE(kind, harmless.end()) << name << " is not in this test: everybody can read its properties; is that meant?";
      EXPECT_TRUE(kind->second.contains(property)) << name << "." << property << ": everybody can read it; is that meant?";
    }
}

TEST(Properties, AreListedForEverybodyByTheObjectManager) {
  (void)Bench::get().make_instance();
  Client nobody(kNobody);
  const auto all = nobody.call(kRoot, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
  ASSERT_TRUE(all.ok()) << all;
  auto* m = all.reply.get();
  std::set<std::string> paths;
  const char* path = nullptr;
  (void)sd_bus_message_enter_container(m, 'a', "{oa{sa{sv}}}");
  while (sd_bus_message_enter_container(m, 'e', "oa{sa{sv}}") > 0) {
    (void)sd_bus_message_read(m, "o", &path);
    paths.insert(path);
    (void)sd_bus_message_skip(m, "a{sa{sv}}");
    (void)sd_bus_message_exit_container(m);
  }
  EXPECT_TRUE(paths.contains(std::string(kDefaultProject) + "/instance/bench"));
  EXPECT_TRUE(paths.contains(std::string(kRoot) + "/storage_pool/default"));
}

}  // namespace
}  // namespace berth::bustest
