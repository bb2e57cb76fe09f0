#include <gtest/gtest.h>

#include <set>

#include "rest-bridge/api/envelope.hpp"
#include "rest-bridge/api/extensions.hpp"
#include "rest-bridge/api/instance_types.hpp"
#include "rest-bridge/api/fields.hpp"
#include "rest-bridge/api/filter.hpp"
#include "rest-bridge/api/poll_loop.hpp"
#include "rest-bridge/api/router.hpp"
#include "rest-bridge/api/rows.hpp"
#include "rest-bridge/api/sessions.hpp"
#include "rest-bridge/api/times.hpp"
#include "rest-bridge/api/url.hpp"

namespace berth::rest {
namespace {

TEST(ATarget, IsSplitBeforeItIsDecoded) {
  const auto target = Target::parse("/1.0/images/aliases/a%2Fb?recursion=1&x=a+b%26c");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->segments, (std::vector<std::string>{"1.0", "images", "aliases", "a/b"}));
  EXPECT_EQ(target->query.get("recursion"), "1");
  EXPECT_EQ(target->query.get("x"), "a b&c");
}

TEST(ATarget, WithABadEscapeOrNulIsRefused) {
  for (const auto* bad : {"/%zz", "/%2", "/a%00b", "/a?project=default%00x", "/%ff", "/a%c3", "nowhere"}) EXPECT_FALSE(Target::parse(bad)) << bad;
}

TEST(ATime, HasAsManyDecimalsAsItNeeds) {
  EXPECT_EQ(rfc3339(1'700'000'000'000'000), "2023-11-14T22:13:20Z");
  EXPECT_EQ(rfc3339(1'700'000'000'120'000), "2023-11-14T22:13:20.12Z");
  EXPECT_EQ(rfc3339(0), "0001-01-01T00:00:00Z");
  EXPECT_EQ(rfc3339(0, Unset::UnixZero), "1970-01-01T00:00:00Z");
}

TEST(ATime, IsReadBackWithAnyOffset) {
  EXPECT_EQ(parse_rfc3339("2023-11-14T22:13:20.120000999Z"), 1'700'000'000'120'000U);
  EXPECT_EQ(parse_rfc3339("2023-11-15T00:13:20+02:00"), 1'700'000'000'000'000U);
  EXPECT_EQ(parse_rfc3339("0001-01-01T00:00:00Z"), 0U);
  for (const auto* bad : {"", "yesterday", "2023-13-01T00:00:00Z", "2023-02-30T00:00:00Z", "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z"})
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
}

bool passes(const char* filter, const Json& object) {
  const auto parsed = Filter::parse(filter);
  EXPECT_TRUE(parsed) << filter;
  return parsed && parsed->matches(object);
}

TEST(AFilter, ComparesFieldsAsLxcAsks) {
  const Json object{{"name", "web-1"}, {"ephemeral", false}, {"config", {{"user.x", "a b"}}}};
  for (const auto* filter : {"", "name eq web-1", "name eq WEB-1", "name eq (web|^web.*)", "ephemeral eq false", "config.user.x eq \"a b\"",
                             "name eq db or name eq web-1", "not name eq db and name ne x"})
    EXPECT_TRUE(passes(filter, object)) << filter;
  for (const auto* filter : {"name eq web", "bad grammar here", "name ne web-1", "not name eq web-1", "name eq web-1 and ephemeral eq true",
                             "absent eq x", "name eq ("})
    EXPECT_FALSE(passes(filter, object)) << filter;
}

TEST(AFilter, ThatEndsInTheMiddleIsRefused) {
  for (const auto* bad : {"name", "name eq", "name eq a and", "name eq a xor b eq c", "name eq \"a"}) EXPECT_FALSE(Filter::parse(bad)) << bad;
  EXPECT_FALSE(Filter::parse(std::string(5000, 'x')));
}

TEST(ARow, TurnsTimesByRuleAndDropsBookkeeping) {
  const auto instance = to_api({{"name", "a"}, {"revision", 4}, {"pool", "p"}, {"created_at", 1'700'000'000'000'000}, {"last_used_at", 0},
                                {"config", {{"user.started_at", "5"}}}}, Resource::Instance);
  EXPECT_EQ(instance, Json::parse(R"({"name":"a","created_at":"2023-11-14T22:13:20Z","last_used_at":"1970-01-01T00:00:00Z","config":{"user.started_at":"5"}})"));
  EXPECT_EQ(to_api({{"last_used_at", 0}}, Resource::Image)["last_used_at"], "0001-01-01T00:00:00Z");
}

TEST(AnOperation, HasUrlsForItsResources) {
  const auto create = operation_to_api({{"id", "i"}, {"description", "Creating instance"}, {"status_code", 103}, {"status", "running"},
                                        {"resources", {{"instances", {"a"}}}}, {"metadata", Json::object()}, {"project", "p"}});
  EXPECT_EQ(create["resources"]["containers"][0], "/1.0/containers/a");
  EXPECT_EQ(create["resources"]["instances"][0], "/1.0/instances/a");
  EXPECT_EQ(create["status"], "Running");
  EXPECT_EQ(create["metadata"], nullptr);
  EXPECT_FALSE(create.contains("project"));
  const auto start = operation_to_api({{"id", "i"}, {"description", "Starting instance"}, {"resources", {{"instances", {"a"}}}}});
  EXPECT_FALSE(start["resources"].contains("containers"));
}

TEST(UsedBy, IsMadeOfNamesOrReferences) {
  EXPECT_EQ(used_by_urls({"a", {{"kind", "profiles"}, {"project", "p"}, {"name", "b"}}}), Json::parse(R"(["/1.0/instances/a","/1.0/profiles/b?project=p"])"));
}

TEST(AnEnvelope, KeepsUtf8AndReplacesWhatIsNone) {
  EXPECT_EQ(error_answer(Error{Code::NotFound, "no \"\xff\" here"}).status, 404);
  EXPECT_TRUE(Json::accept(error_answer(Error{Code::NotFound, "no \"\xff\" here"}).text()));
  for (const auto& row : kErrorTable) EXPECT_EQ(error_answer(Error{row.code, ""}).status, row.http_status);
}

TEST(AnEtag, FollowsFromItsPartsAlone) {
  EXPECT_EQ(etag_of({1, "a"}), etag_of({1, "a"}));
  EXPECT_NE(etag_of({1, "a"}), etag_of({1, "b"}));
  EXPECT_EQ(etag_of(nullptr).size(), 64U);
}

TEST(TheRouter, FindsBothCollectionsAndKnowsPathsWithoutMethods) {
  auto match = find_route("GET", {"1.0", "containers", "web"});
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.collection, "containers");
  EXPECT_EQ(match.parameters.find("name")->second, "web");
  match = find_route("PUT", {"1.0", "images", "aliases", "a/b"});
  ASSERT_TRUE(match.route);
  EXPECT_EQ(match.route->pattern, "/1.0/images/aliases/{alias...}");
  match = find_route("PATCH", {"1.0", "operations"});
  EXPECT_FALSE(match.route);
  EXPECT_TRUE(match.known_path);
  EXPECT_FALSE(find_route("GET", {"1.0", "nothing"}).known_path);
  EXPECT_FALSE(find_route("GET", {"1.0", ""}).known_path);
}

TEST(TheRouter, KnowsWhatABodyIs) {
  EXPECT_EQ(body_kind("POST", "/1.0/images?x=/files"), BodyKind::UploadOrJson);
  EXPECT_EQ(body_kind("POST", "/1.0/instances/web/files?path=/a"), BodyKind::Upload);
  EXPECT_EQ(body_kind("POST", "/1.0/containers/web/files"), BodyKind::Upload);
  EXPECT_EQ(body_kind("DELETE", "/1.0/instances/web/files?path=/a"), BodyKind::Text);
  EXPECT_EQ(body_kind("POST", "/1.0/instances/web/metadata/templates?path=a.tpl"), BodyKind::Text);
  EXPECT_EQ(body_kind("POST", "/1.0/instances/web/exec?path=/files"), BodyKind::Text);
}

TEST(TheRouter, HasEachRouteOnce) {
  std::set<std::string> seen;
  for (const auto& route : all_routes())
    EXPECT_TRUE(seen.insert(std::string(route.method) + " " + std::string(route.pattern)).second) << route.method << " " << route.pattern;
}

TEST(AnExtension, IsAdvertisedOnlyWithItsRouteAndField) {
  for (const auto& extension : extension_table()) {
    const auto& routes = all_routes();
    EXPECT_TRUE(std::any_of(routes.begin(), routes.end(), [&](const Route& route) {
      return route.handler && route.method == extension.method && route.pattern == extension.pattern;
    })) << extension.name;
  }
  const auto bare = served_extensions(Json::object());
  EXPECT_EQ(std::count(bare.begin(), bare.end(), "api_os"), 0);
  const auto full = served_extensions({{"os_name", "x"}});
  EXPECT_EQ(std::count(full.begin(), full.end(), "api_os"), 1);
}

TEST(AnInstanceType, IsLimitsOfProcessorsAndMemory) {
  EXPECT_EQ(limits_of_type("c2-m4").value_or({}), (StringMap{{"limits.cpu", "2"}, {"limits.memory", "4096MB"}}));
  EXPECT_EQ(limits_of_type("c1.5").value_or({}), (StringMap{{"limits.cpu", "2"}, {"limits.cpu.allowance", "75%"}}));
  EXPECT_EQ(limits_of_type("m0.5").value_or({}), (StringMap{{"limits.memory", "512MB"}}));
  for (const auto* const wrong : {"", "t2.micro", "aws:t2.micro", "c", "c2-", "-c2", "c2-x", "cnan", "cinf", "c-1", "c1e30", "c2m4", "m4 "})
    EXPECT_FALSE(limits_of_type(wrong)) << wrong;
}

TEST(AField, OfTheWrongTypeIsNamed) {
  const Json body{{"name", 7}, {"config", {{"a", 1}}}, {"none", nullptr}};
  const auto name = text_field(body, "name");
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().code, Code::InvalidArgument);
  EXPECT_NE(name.error().message.find("\"name\""), std::string::npos);
  EXPECT_FALSE(map_field(body, "config"));
  EXPECT_EQ(text_field(body, "none").value_or("x"), "");
  EXPECT_FALSE(parse_object("[1]"));
  EXPECT_FALSE(parse_object(R"({"name":"a1\u0000b"})")) << "D-Bus would make it a1";
  EXPECT_FALSE(parse_object(R"({"a":"\\\u0000"})"));
  EXPECT_TRUE(parse_object(R"({"a":"\\u0000"})")) << "a backslash and five letters";
  EXPECT_TRUE(parse_object("null"));
}

TEST(ASecret, OpensOneStreamOnce) {
  PollLoop loop;
  Sessions sessions(loop);
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::map<std::string, UniqueFd> streams;
  streams.emplace("0", UniqueFd(ends[0]));
  streams.emplace("1", UniqueFd(ends[1]));
  const auto session = std::make_shared<ExecSession>("op", std::move(streams), true);
  const auto fds = sessions.add(session, "unix:1");
  ASSERT_TRUE(fds);
  EXPECT_EQ(fds->size(), 3U);
  EXPECT_EQ(sessions.shown_to("op", "unix:1"), *fds);
  EXPECT_TRUE(sessions.shown_to("op", "unix:2").is_null());
  const auto secret = fds->at("1").get<std::string>();
  EXPECT_EQ(sessions.redeem("op", std::string(64, 'f')).error().code, Code::AccessDenied);
  const auto opened = sessions.redeem("op", secret);
  ASSERT_TRUE(opened);
  EXPECT_EQ(opened->name, "1");
  EXPECT_EQ(sessions.redeem("op", secret).error().code, Code::AccessDenied);
  EXPECT_EQ(sessions.redeem("other", secret).error().code, Code::NotFound);
}

TEST(Sessions, OfOneOwnerAreBounded) {
  PollLoop loop;
  Sessions sessions(loop);
  std::vector<std::shared_ptr<ExecSession>> kept;
  Result<Json> last = Json();
  while (last && kept.size() < 1000) {
    kept.push_back(std::make_shared<ExecSession>(std::to_string(kept.size()), std::map<std::string, UniqueFd>(), true));
    last = sessions.add(kept.back(), "unix:1");
  }
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().code, Code::LimitsExceeded);
  EXPECT_TRUE(sessions.add(std::make_shared<ExecSession>("z", std::map<std::string, UniqueFd>(), true), "unix:2"));
}

}  // namespace
}  // namespace berth::rest
