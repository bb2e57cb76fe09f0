// Who may call what: every member of every interface, by callers of every kind.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <memory>

#include "daemon/bus/access_table.hpp"
#include "tests/bus/bench.hpp"
#include "tests/bus/client.hpp"
#include "tests/bus/contract.hpp"
#include "tests/bus/fake_polkit.hpp"

namespace berth::bustest {
namespace {

using ::testing::AnyOf;
using ::testing::IsEmpty;

class Access : public ::testing::Test {
 protected:
  Access() { (void)Bench::get(); }
  /// Calls every member of the contract and hands each outcome to `look`.
  template <typename Look>
  static void call_everything(Client& client, Look look) {
    for (const auto& [interface, says] : contract())
      for (const auto& [member, method] : says.methods) {
        SCOPED_TRACE(interface + "." + member);
        look(interface, member,
             client.call(path_for(interface), interface, member,
                         [&](sd_bus_message* m) { append_anything(m, signature_of(method.in)); }));
      }
  }
};

TEST_F(Access, IsDeniedToNobodyForEveryMemberWhenTheAuthoritySaysNo) {
  FakePolkit polkit(FakePolkit::Answer::No);
  Client nobody(kNobody);
  call_everything(nobody, [](const std::string&, const std::string&, const Outcome& outcome) { EXPECT_EQ(outcome.error, kDenied) << outcome; });
}

TEST_F(Access, ReachesTheHandlerOfEveryMemberWhenTheAuthoritySaysYes) {
  FakePolkit polkit(FakePolkit::Answer::Yes);
  Client nobody(kNobody);
  call_everything(nobody, [](const std::string& interface, const std::string&, const Outcome& outcome) {
    if (interface == "org.berth.Berth1.Session") {
      EXPECT_EQ(outcome.error, kDenied) << outcome;
    } else {
      EXPECT_NE(outcome.error, kDenied) << outcome;
      EXPECT_TRUE(outcome.ok() || outcome.error.starts_with("org.berth.Berth1.Error.")) << outcome;
      EXPECT_NE(outcome.error, "org.berth.Berth1.Error.Internal") << outcome;
    }
  });
}

TEST_F(Access, AsksTheAuthorityForTheActionOfTheTable) {
  std::ifstream file(POLKIT_ACTIONS);
  const std::string declared{std::istreambuf_iterator<char>(file), {}};
  FakePolkit polkit(FakePolkit::Answer::No);
  Client nobody(kNobody);
  call_everything(nobody, [&](const std::string& interface, const std::string& member, const Outcome&) {
    const auto questions = polkit.questions();
    polkit.forget_questions();
    const auto* row = bus::find_access_row(interface, member);
    ASSERT_NE(row, nullptr);
    if (row->action == bus::action::kKindDecides) {
      EXPECT_THAT(questions, IsEmpty());
      return;
    }
    ASSERT_EQ(questions.size(), 1U);
    EXPECT_EQ(questions[0].action, row->action);
    EXPECT_NE(declared.find("<action id=\"" + questions[0].action + "\">"), std::string::npos) << "polkit does not know it";
    EXPECT_EQ(questions[0].details.at("verb"), member);
    EXPECT_EQ(questions[0].subject, "system-bus-name");
    EXPECT_EQ(questions[0].bus_name, nobody.name());
    EXPECT_EQ(questions[0].flags, 0U);
  });
}

TEST_F(Access, IsDeniedToEverybodyButRootWithoutAnAuthority) {
  Client nobody(kNobody), root;
  call_everything(nobody, [](const std::string&, const std::string&, const Outcome& outcome) { EXPECT_EQ(outcome.error, kDenied) << outcome; });
  call_everything(root, [](const std::string& interface, const std::string&, const Outcome& outcome) {
    EXPECT_EQ(outcome.error == kDenied, interface == "org.berth.Berth1.Session") << outcome;
  });
}

TEST_F(Access, IsDeniedToTheBridgeForAllButSessionBeforeItHasBoundAClient) {
  FakePolkit polkit(FakePolkit::Answer::Yes);
  Client bridge(kBridge);
  call_everything(bridge, [](const std::string& interface, const std::string&, const Outcome& outcome) {
    if (!interface.ends_with(".Session")) {
      EXPECT_EQ(outcome.error, kDenied) << outcome;
    }
  });
  EXPECT_THAT(polkit.questions(), IsEmpty());
}

TEST_F(Access, ToAMemberThatDoesNotExistIsRefusedAndBerthdServesOn) {
  FakePolkit polkit(FakePolkit::Answer::Yes);
  Client nobody(kNobody), root;
  for (const auto* interface : {"org.berth.Berth1.Manager", "org.berth.Berth1.NoSuch", "org.freedesktop.DBus.Properties"})
    EXPECT_FALSE(nobody.call(kRoot, interface, "NoSuchMember").ok());
  EXPECT_THAT(nobody.call(kRoot, kManager, "GetInstance", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "s", "x"); }).error,
              AnyOf("org.freedesktop.DBus.Error.InvalidArgs", kInvalid));
  EXPECT_TRUE(root.call(kRoot, kManager, "GetServerInfo").ok());
}

TEST_F(Access, ToAnObjectWhoseNameIsNoTextIsAnsweredLikeAnyThatIsNotThere) {
  Client root;
  for (const auto* name : {"/storage_pool/_ff", "/storage_pool/_c3", "/storage_pool/_ef_bf_bf"}) {
    const auto outcome = root.call(std::string(kRoot) + name, "org.berth.Berth1.StoragePool", "GetConfig");
    EXPECT_EQ(outcome.error, "org.berth.Berth1.Error.NotFound") << outcome;
  }
  for (const auto* kind : {"Profile", "Image", "Instance"}) {
    std::string path = std::string(kDefaultProject) + "/" + kind + "/_ff";
    path[std::string(kDefaultProject).size() + 1] = static_cast<char>(path[std::string(kDefaultProject).size() + 1] - 'A' + 'a');
    const auto outcome = root.call(path, std::string("org.berth.Berth1.") + kind, "Delete", [&](sd_bus_message* m) {
      if (std::string_view(kind) != "Profile") (void)sd_bus_message_append(m, "a{sv}", 0);
    });
    EXPECT_EQ(outcome.error, "org.berth.Berth1.Error.NotFound") << outcome;
  }
}

TEST_F(Access, NoPropertyCanBeSet) {
  Client root;
  const auto outcome = root.call(kRoot, "org.freedesktop.DBus.Properties", "Set", [](sd_bus_message* m) {
    (void)sd_bus_message_append(m, "ssv", kManager, "Version", "s", "x");
  });
  EXPECT_FALSE(outcome.ok());
}

}  // namespace
}  // namespace berth::bustest
