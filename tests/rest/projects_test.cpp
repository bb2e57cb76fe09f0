#include <gtest/gtest.h>

#include "tests/rest/harness.hpp"

namespace berth::resttest {
namespace {

class ProjectRoutes : public WithInstance {
 public:
  void make(const std::string& name) {
    ASSERT_EQ(rest().request("POST", "/1.0/projects", Json{{"name", name}, {"config", {{"user.a", "b"}}}}.dump()).status, 201);
  }
};

TEST_F(ProjectRoutes, MakeListShowAndDeleteOne) {
  const auto made = rest().request("POST", "/1.0/projects", R"({"name":"web","description":"d","config":{"user.a":"b"}})");
  EXPECT_EQ(made.status, 201);
  EXPECT_EQ(made.headers.at("location"), "/1.0/projects/web");
  EXPECT_EQ(rest().request("POST", "/1.0/projects", R"({"name":"web"})").status, 409);
  EXPECT_NE(rest().request("GET", "/1.0/projects").metadata().dump().find("\"/1.0/projects/web\""), std::string::npos);
  const auto shown = rest().request("GET", "/1.0/projects/web").metadata();
  EXPECT_EQ(shown, Json::parse(R"({"name":"web","description":"d","config":{"user.a":"b"},
                                   "used_by":["/1.0/profiles/default?project=web"]})"));
  EXPECT_EQ(rest().request("GET", "/1.0/projects?recursion=1").metadata()[0]["used_by"][0], "/1.0/profiles/default");
  EXPECT_EQ(rest().request("DELETE", "/1.0/projects/web").status, 200);
  const auto gone = rest().request("GET", "/1.0/projects/web");
  EXPECT_EQ(gone.status, 404);
  EXPECT_EQ(gone.json()["error"], "Project not found");
}

TEST_F(ProjectRoutes, RefuseNamesAsTheServerDoes) {
  const std::map<std::string, std::string> refused{{"", "No name provided"},
                                                   {"a/b", "Project names may not contain slashes"},
                                                   {"a b", "Project names may not contain spaces"},
                                                   {"a_b", "Project names may not contain underscores"},
                                                   {"'q'", "Project names may not contain quotes"},
                                                   {"*", "Reserved project name"},
                                                   {"..", "Invalid project name \"..\""}};
  for (const auto& [name, text] : refused) {
    const auto answer = rest().request("POST", "/1.0/projects", Json{{"name", name}}.dump());
    EXPECT_EQ(answer.status, 400) << name;
    EXPECT_EQ(answer.json()["error"], text);
  }
  EXPECT_EQ(rest().request("POST", "/1.0/projects", R"({"name":5})").status, 400);
}

TEST_F(ProjectRoutes, ReplaceTheConfigurationAndMindTheTag) {
  make("tag");
  const auto etag = rest().request("GET", "/1.0/projects/tag").headers.at("etag");
  EXPECT_EQ(rest().request("PUT", "/1.0/projects/tag", "{}", {"If-Match: \"old\""}).status, 412);
  EXPECT_EQ(rest().request("PATCH", "/1.0/projects/tag", R"({"config":{"user.c":"d"}})", {"If-Match: " + etag}).status, 200);
  EXPECT_EQ(rest().request("GET", "/1.0/projects/tag").metadata()["config"], Json::parse(R"({"user.c":"d"})"));
  EXPECT_EQ(rest().request("PATCH", "/1.0/projects/tag", R"({"description":"x"})").status, 200);
  EXPECT_EQ(rest().request("GET", "/1.0/projects/tag").metadata()["config"], Json::parse(R"({"user.c":"d"})"));
  EXPECT_EQ(rest().request("PUT", "/1.0/projects/nope", "{}").status, 404);
}

TEST_F(ProjectRoutes, AnnounceARenameThatHasEndedToWhoeverAsksFromAnotherProject) {
  make("old");
  make("full");
  const auto renamed = rest().request("POST", "/1.0/projects/old?project=other", R"({"name":"new"})");
  EXPECT_EQ(renamed.status, 202);
  EXPECT_EQ(renamed.metadata()["status"], "Success");
  EXPECT_EQ(rest().request("GET", "/1.0/projects/new").status, 200);
  const auto refused = rest().request("POST", "/1.0/projects/full", R"({"name":"other"})");
  EXPECT_EQ(refused.metadata()["status"], "Failure");
  EXPECT_EQ(refused.metadata()["err"], "Only empty projects can be renamed");
}

TEST_F(ProjectRoutes, LeaveWhatIsUsedOrDefaultAlone) {
  EXPECT_EQ(rest().request("DELETE", "/1.0/projects/default").status, 403);
  EXPECT_EQ(rest().request("POST", "/1.0/projects/default", R"({"name":"x"})").status, 403);
  const auto used = rest().request("DELETE", "/1.0/projects/full");
  EXPECT_EQ(used.status, 500);
  EXPECT_EQ(used.json()["error"], "Only empty projects can be removed");
  EXPECT_EQ(rest().request("DELETE", "/1.0/projects/nope").json()["error"], "Fetch project \"nope\": Project not found");
}

TEST_F(ProjectRoutes, TellWhatIsUsedOfTheLimits) {
  EXPECT_EQ(rest().request("GET", "/1.0/projects/default/state").metadata(),
            Json::parse(R"({"resources":{"cpu":{"Limit":-1,"Usage":3}}})"));
}

}  // namespace
}  // namespace berth::resttest
