// What a TLS client that is restricted to projects may call. Security rule 8: what is not of its projects looks the same to it
// whether it is there or not; rule 21: what reaches the host is not a project's to give.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include <string>

#include "daemon/bus/access_table.hpp"
#include "tests/bus/bench.hpp"
#include "tests/bus/client.hpp"
#include "tests/bus/contract.hpp"

namespace berth::bustest {
namespace {

constexpr auto kOwnProject = "/org/berth/Berth1/project/own";

/// The frame of a certificate that is valid until 2049; nobody here looks at more.
std::string certificate(const std::string& serial) {
  const auto element = [](char tag, const std::string& contents) {
    return std::string{tag, static_cast<char>(contents.size())} + contents;
  };
  const auto times = element(0x17, "200101000000Z") + element(0x17, "490101000000Z");
  const auto fields = element(0x02, serial) + element(0x30, "") + element(0x30, "") + element(0x30, times) +
                      element(0x30, "") + element(0x30, "");
  return element(0x30, element(0x30, fields) + element(0x30, "") + element(0x03, "s"));
}

class ARestrictedClient : public ::testing::Test {
 protected:
  ARestrictedClient() {
    (void)Bench::get();
    (void)root_.call(kRoot, kManager, "CreateProject",
                     [](sd_bus_message* m) { (void)sd_bus_message_append(m, "sa{sv}", "own", 0); });
    const auto der = certificate(std::to_string(++serial_));
    const auto added = root_.call(kRoot, kManager, "AddCertificate", [&](sd_bus_message* m) {
      (void)sd_bus_message_append(m, "s", "client");
      (void)sd_bus_message_append_array(m, 'y', der.data(), der.size());
      (void)sd_bus_message_append(m, "a{sv}", 2, "restricted", "b", 1, "projects", "as", 1, "own");
    });
    EXPECT_TRUE(added.ok()) << added;
    path_ = added.word();
    const auto bound = client_.call(kRoot, "org.berth.Berth1.Session", "AssumeCertificate", [&](sd_bus_message* m) {
      (void)sd_bus_message_append_array(m, 'y', der.data(), der.size());
    });
    EXPECT_TRUE(bound.ok()) << bound;
  }
  ~ARestrictedClient() override { (void)root_.call(path_, "org.berth.Berth1.Certificate", "Delete"); }

  Outcome in_project(const std::string& member, const char* project) {
    return client_.call(kRoot, kManager, member, [&](sd_bus_message* m) {
      (void)sd_bus_message_append(m, "s", project);
      const auto& in = contract().at(kManager).methods.at(member).in;
      append_anything(m, signature_of({in.begin() + 1, in.end()}));
    });
  }

  Client root_, client_{kBridge};
  std::string path_;
  static inline int serial_ = 0;
};

TEST_F(ARestrictedClient, IsDeniedEveryMemberThatIsNotOfAProject) {
  for (const auto& [interface, says] : contract())
    for (const auto& [member, method] : says.methods) {
      const auto* row = bus::find_access_row(interface, member);
      ASSERT_NE(row, nullptr);
      if ((row->kinds & bus::kind_bit(PrincipalKind::Restricted)) != 0) continue;
      SCOPED_TRACE(interface + "." + member);
      const auto outcome = client_.call(path_for(interface), interface, member,
                                        [&](sd_bus_message* m) { append_anything(m, signature_of(method.in)); });
      EXPECT_EQ(outcome.error, kDenied) << outcome;
    }
  for (const auto* member : {"SetServerConfig", "GetServerConfig", "CreateProject", "CreateCertificateToken", "GetInstanceByPID"})
    EXPECT_EQ(bus::find_access_row(kManager, member)->kinds & bus::kind_bit(PrincipalKind::Restricted), 0) << member;
  for (const auto* member : {"Update", "Rename", "Delete"})
    EXPECT_EQ(bus::find_access_row("org.berth.Berth1.Project", member)->kinds & bus::kind_bit(PrincipalKind::Restricted), 0)
        << member;
}

TEST_F(ARestrictedClient, IsDeniedEveryMemberOfEveryObjectOutsideItsProjectsAsAStrangerIs) {
  for (const auto* kind : {"Instance", "Image", "Profile", "Project"}) {
    const auto interface = std::string("org.berth.Berth1.") + kind;
    for (const auto& [member, method] : contract().at(interface).methods) {
      SCOPED_TRACE(interface + "." + member);
      const auto outcome = client_.call(path_for(interface), interface, member,
                                        [&](sd_bus_message* m) { append_anything(m, signature_of(method.in)); });
      // A public image is anybody's.
      EXPECT_EQ(outcome.error, member == "Export" && std::string(kind) == "Image" ? "org.berth.Berth1.Error.NotFound" : kDenied)
          << outcome;
    }
  }
  for (const auto* project : {"default", "nothing"})
    for (const auto* member : {"CreateInstance", "ImportInstance", "GetInstance", "ListInstances", "DescribeInstances", "ChangeInstances", "ImportImage",
                               "PublishImage", "GetImage", "ListImages", "CreateImageAlias", "CreateProfile", "ListProfiles",
                               "DescribeProfiles", "GetProject", "ListOperations", "DescribeOperations"})
      EXPECT_EQ(in_project(member, project).error, kDenied) << member;
  EXPECT_TRUE(in_project("DescribeImages", "default").ok());
}

TEST_F(ARestrictedClient, WorksInItsProjectsAndSeesNoOthers) {
  for (const auto* member : {"ListInstances", "DescribeInstances", "ListImages", "ListProfiles", "ListOperations"})
    EXPECT_TRUE(in_project(member, "own").ok()) << member;
  EXPECT_TRUE(client_.call(std::string(kOwnProject) + "/profile/default", "org.berth.Berth1.Profile", "GetConfig").ok());
  const auto listed = client_.call(kRoot, kManager, "ListProjects",
                                   [](sd_bus_message* m) { (void)sd_bus_message_append(m, "a{sv}", 0); });
  ASSERT_TRUE(listed.ok()) << listed;
  ASSERT_GT(sd_bus_message_enter_container(listed.reply.get(), 'a', "(oss)"), 0);
  const char *object = nullptr, *name = nullptr, *description = nullptr;
  ASSERT_GT(sd_bus_message_read(listed.reply.get(), "(oss)", &object, &name, &description), 0);
  EXPECT_STREQ(name, "own");
  EXPECT_EQ(sd_bus_message_at_end(listed.reply.get(), false), 1);
}

TEST_F(ARestrictedClient, HearsOfItsProjectsAlone) {
  const auto stream = client_.call(kRoot, kManager, "Subscribe", [](sd_bus_message* m) { (void)sd_bus_message_append(m, "a{sv}", 0); });
  ASSERT_TRUE(stream.ok()) << stream;
  EXPECT_TRUE(root_.call(kRoot, kManager, "SetServerConfig", [](sd_bus_message* m) {
    (void)sd_bus_message_append(m, "a{ss}a{sv}", 1, "user.heard", "yes", 0);
  }).ok());
  for (const auto* project : {"default", "own"})
    EXPECT_TRUE(root_.call(kRoot, kManager, "CreateProfile", [project](sd_bus_message* m) {
      (void)sd_bus_message_append(m, "ssa{sv}", project, "heard", 0);
    }).ok());
  pollfd wait{.fd = stream.descriptor(), .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&wait, 1, 10'000), 1);
  std::string packet(65536, '\0');
  const auto size = ::recv(wait.fd, packet.data(), packet.size(), 0);
  ASSERT_GT(size, 0);
  packet.resize(static_cast<std::size_t>(size));
  EXPECT_THAT(packet, ::testing::HasSubstr("profile-created"));
  EXPECT_THAT(packet, ::testing::HasSubstr("\"own\""));
  EXPECT_THAT(packet, ::testing::Not(::testing::HasSubstr("\"default\"")));
}

TEST_F(ARestrictedClient, DoesNotReachTheHostThroughItsProjects) {
  const auto outcome = client_.call(kRoot, kManager, "CreateProfile", [](sd_bus_message* m) {
    (void)sd_bus_message_append(m, "ssa{sv}", "own", "reaching", 1, "config", "a{ss}", 1, "security.privileged", "true");
  });
  EXPECT_EQ(outcome.error, kDenied) << outcome;
  EXPECT_THAT(outcome.text, ::testing::HasSubstr("reaches the host"));
}

TEST_F(ARestrictedClient, LosesAProjectAtTheNextCallAndEverythingWithItsCertificate) {
  EXPECT_TRUE(in_project("ListInstances", "own").ok());
  EXPECT_TRUE(root_.call(path_, "org.berth.Berth1.Certificate", "Update", [](sd_bus_message* m) {
    (void)sd_bus_message_append(m, "a{sv}a{sv}", 1, "projects", "as", 0, 0);
  }).ok());
  EXPECT_EQ(in_project("ListInstances", "own").error, kDenied);
  EXPECT_TRUE(client_.call(kRoot, kManager, "GetServerInfo").ok());
  EXPECT_TRUE(root_.call(path_, "org.berth.Berth1.Certificate", "Delete").ok());
  EXPECT_EQ(client_.call(kRoot, kManager, "GetServerInfo").error, kDenied);
}

}  // namespace
}  // namespace berth::bustest
