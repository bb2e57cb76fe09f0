// What goes over the bus: names, documents, sizes, and who may call.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <string>

#include "daemon/bus/access_table.hpp"
#include "daemon/bus/document_variant.hpp"
#include "daemon/bus/message_size.hpp"
#include "daemon/bus/object_names.hpp"

namespace berth::bus {
namespace {

/// "Interface.Member" of every method in the contract.
std::set<std::string> members_of_the_contract() {
  std::set<std::string> members;
  for (const auto& file : std::filesystem::directory_iterator(INTERFACES)) {
    if (file.path().extension() != ".xml") continue;
    std::ifstream stream(file.path());
    const std::regex tag("<(interface|method) name=\"([^\"]+)\"");
    std::string line, interface;
    std::smatch match;
    while (std::getline(stream, line)) {
      if (!std::regex_search(line, match, tag)) continue;
      if (match[1] == "interface") interface = match[2];
      else members.insert(interface + "." + match[2].str());
    }
  }
  return members;
}

TEST(AccessTable, HasOneRowForEveryMemberOfTheContractAndNoOther) {
  std::multiset<std::string> rows;
  for (const auto& row : access_table()) rows.insert(std::string(row.interface) + "." + std::string(row.member));
  const auto members = members_of_the_contract();
  EXPECT_FALSE(members.empty());
  EXPECT_EQ(rows, std::multiset<std::string>(members.begin(), members.end()));
}

TEST(AccessTable, NamesOnlyActionsThatPolkitKnows) {
  std::ifstream file(POLKIT_ACTIONS);
  const std::string declared{std::istreambuf_iterator<char>(file), {}};
  for (const auto& row : access_table()) {
    if (row.action == action::kKindDecides) continue;
    EXPECT_NE(declared.find("<action id=\"" + std::string(row.action) + "\">"), std::string::npos) << row.member;
  }
  EXPECT_NE(declared.find("<action id=\"" + std::string(action::kConfigureHostAccess) + "\">"), std::string::npos);
}

TEST(AccessTable, LetsTheBridgeCallSessionAndNothingElse) {  // rule 12
  for (const auto& row : access_table()) {
    if (row.member == "AddPeer") continue;  // the next test's
    const bool session = row.interface == "org.berth.Berth1.Session";
    EXPECT_EQ(row.kinds == kind_bit(PrincipalKind::Bridge), session) << row.member;
    EXPECT_EQ((row.kinds & kind_bit(PrincipalKind::Bridge)) != 0, session) << row.member;
    EXPECT_EQ(row.action == action::kKindDecides, session) << row.member << ": only the bridge is never asked about";
  }
}

TEST(AccessTable, LetsTheClientOfABindingAddToIt) {  // rule 12; that it is bound is asked where it is known
  const auto* row = find_access_row("org.berth.Berth1.Session", "AddPeer");
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row->kinds, kind_bit(PrincipalKind::Local));
  EXPECT_EQ(row->action, action::kKindDecides);
}

TEST(AccessTable, KnowsNoMemberByPartOfItsName) {
  EXPECT_NE(find_access_row("org.berth.Berth1.Manager", "GetInstance"), nullptr);
  EXPECT_EQ(find_access_row("org.berth.Berth1.Manager", "getinstance"), nullptr);
  EXPECT_EQ(find_access_row("org.berth.Berth1.Instance", "CreateInstance"), nullptr);
  EXPECT_EQ(find_access_row("", ""), nullptr);
}

TEST(ObjectNames, ComeBackFromThePathThatWasMadeOfThem) {
  const auto project = *ProjectName::parse("default");
  for (const auto* text : {"web", "web-1", "a"}) {
    const auto name = *InstanceName::parse(text);
    const auto found = parse_path<InstanceName>(instance_path(project, name), "instance");
    ASSERT_TRUE(found) << text;
    EXPECT_EQ(found->name, name);
    EXPECT_EQ(found->project, project);
  }
}

TEST(ObjectNames, OfPathsOfAnyOtherFormAreNotFound) {
  for (const auto* path :
       {"", "/", "/org/berth/Berth1", "/org/berth/Berth1/project", "/org/berth/Berth1/project/default",
        "/org/berth/Berth1/project/default/instance", "/org/berth/Berth1/project/default/instance/",
        "/org/berth/Berth1/project/default/instance/web/more", "/org/berth/Berth1/project//instance/web",
        "/org/berth/Berth1/project/a/b/instance/web", "/org/berth/Berth1/projects/default/instance/web",
        "/org/berth/Berth1/project/default/image/web", "/org/berth/Berth1/project/default/instance/web_",
        "/org/berth/Berth1/project/default/instance/_2e_2e", "/org/berth/Berth1/project/default/instance/_00",
        "/org/berth/Berth1/project/default/instance/_ff",
        "/org/berth/Berth1/project/default/instance/_"}) {
    const auto found = parse_path<InstanceName>(path, "instance");
    ASSERT_FALSE(found) << path;
    EXPECT_EQ(found.error().code, Code::NotFound) << path;
  }
}

TEST(ObjectNames, OfNoProjectMeanEveryProject) {
  EXPECT_FALSE(*parse_project_filter(""));
  EXPECT_EQ((*parse_project_filter("default"))->str(), "default");
  EXPECT_FALSE(parse_project_filter("../x"));
}

TEST(DocumentVariant, HasTheTypesOfTheContract) {
  Document inner{{"x", "y"}};
  const Document document{{"s", "text"},
                          {"b", true},
                          {"x", std::int64_t{-1}},
                          {"t", std::uint64_t{1}},
                          {"as", std::vector<std::string>{"a"}},
                          {"a{ss}", ConfigMap{{"k", "v"}}},
                          {"a{sa{ss}}", DeviceMap{{"root", {{"type", "disk"}}}}},
                          {"a{sv}", inner},
                          {"aa{sv}", std::vector<Document>{inner}}};
  const auto made = to_variants(document);
  ASSERT_TRUE(made);
  ASSERT_EQ(made->size(), document.size());
  for (const auto& [signature, value] : *made) EXPECT_EQ(value.peekValueType(), signature);
}

TEST(DocumentVariant, ThatNoMessageCanCarryIsAnErrorBeforeItIsSent) {  // rule 20
  EXPECT_TRUE(to_variants(Document{{"text", std::string(kMessageLimit / 2, 'x')}}));
  const auto made = to_variants(Document{{"text", std::string(kMessageLimit + 1, 'x')}});
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::LimitsExceeded);
}

TEST(MessageSize, IsNeverLessThanTheBytesOfAValue) {
  EXPECT_GE(message_size(std::string("four")), 4U + 4U + 1U - 1U);
  EXPECT_GE(message_size(std::vector<std::string>(1000, std::string(10, 'x'))), 1000U * (4 + 10 + 1));
  EXPECT_GE(message_size(ConfigMap{{"key", "value"}}), 4U + 4U + 4U + 4U + 6U);
  EXPECT_GE(message_size(sdbus::Struct<std::string, bool, std::uint64_t>{"x", true, 1}), 4U + 2U + 4U + 8U);
}

}  // namespace
}  // namespace berth::bus
