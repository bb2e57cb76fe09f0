// What fuzzing found in the bridge: each was the end of the process, or a refusal in the wrong words.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rest-bridge/api/call_check.hpp"
#include "rest-bridge/api/fields.hpp"
#include "rest-bridge/api/filter.hpp"
#include "rest-bridge/api/levels.hpp"
#include "rest-bridge/api/local_operation.hpp"
#include "rest-bridge/api/poll_loop.hpp"
#include "rest-bridge/api/sessions.hpp"
#include "rest-bridge/api/url.hpp"

namespace berth::rest {
namespace {

std::string nested(std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); }

TEST(ARequestBody, IsBoundedInItsLevels_Rule20) {
  EXPECT_TRUE(parse_object(R"({"a":)" + nested(63) + "}"));
  const auto deep = parse_object(R"({"a":)" + nested(1'000'000) + "}");
  ASSERT_FALSE(deep);
  EXPECT_EQ(deep.error().code, Code::InvalidArgument);
  EXPECT_EQ(deep.error().message, "the request body is nested too deeply");
}

TEST(Levels, AreNotCountedInsideTexts) {
  EXPECT_TRUE(is_shallow('"' + std::string(100, '[') + '"'));
  EXPECT_TRUE(is_shallow(R"("\")" + std::string(100, '{') + '"')) << "an escaped quote ends no text";
  EXPECT_FALSE(is_shallow(R"("\\")" + nested(65))) << "an escaped backslash escapes nothing";
  EXPECT_TRUE(is_shallow("[" + std::string(100, ']')));
}

TEST(AFilter, IsMatchedInTheTimeOfItsText_Rule20) {
  const Json instance{{"name", std::string(5000, 'a')}, {"short", "abb"}};
  const auto matches = [&](const std::string& pattern, const char* field = "name") {
    return Filter::parse(std::string(field) + " eq " + pattern)->matches(instance);
  };
  // Each of these takes a C library's regcomp(3) or a backtracking matcher minutes, or all memory.
  for (const std::string pattern : {"(a*)*b", "(a|aa)+b", "(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b", "((a+)+)+b"}) EXPECT_FALSE(matches(pattern)) << pattern;
  EXPECT_FALSE(matches("ab" + std::string(1000, '+')));
  EXPECT_FALSE(matches("((((a{1,900}){1,900}){1,900}){1,900})b"));
  for (const auto* pattern : {"(a)(b)\\2", "a(b)\\1", "(a|b)(b)\\2"}) EXPECT_FALSE(matches(pattern, "short")) << pattern << " refers back";
  EXPECT_TRUE(matches("(a+)+"));
  EXPECT_TRUE(matches("a.b", "short"));
  EXPECT_TRUE(matches("A+b{2}", "short"));
}

TEST(ATarget, IsRefusedWhenItsQueryIsNoText) {
  for (const auto* bad : {"/1.0/instances?project=%ff", "/1.0/images?filter=%ed%a0%80", "/1.0?x=%ef%bf%bf"})
    EXPECT_FALSE(Target::parse(bad)) << bad;
}

TEST(ACall, IsRefusedBeforeTheBusWouldRefuseItsTexts) {
  for (const auto* bad : {"\xff", "a\xed\xa0\x80", "\xef\xbf\xbf"}) {
    Call call{.path = "/x", .interface = "Manager", .member = "M", .arguments = {}};
    call.arguments.emplace_back(Options{{"config", StringMap{{"user.x", bad}}}});
    const auto checked = check_call(call);
    ASSERT_FALSE(checked) << bad;
    EXPECT_EQ(checked.error().code, Code::InvalidArgument);
  }
}

TEST(ACall, IsBoundedInItsSize_Rule20) {
  Options templates;
  for (int i = 0; i < 300'000; ++i) templates[std::to_string(i)] = Options{{"template", std::string("t.tpl")}};
  Call call{.path = "/x", .interface = "Instance", .member = "SetMetadata", .arguments = {}};
  call.arguments.emplace_back(Options{{"architecture", std::string("x86_64")}});
  EXPECT_TRUE(check_call(call));
  call.arguments.emplace_back(Options{{"templates", std::move(templates)}});
  EXPECT_FALSE(check_call(call)) << "the bus would cut the connection";
}

/// As attach_console() makes them.
class Console final : public ExecSession {
 public:
  explicit Console(std::unique_ptr<LocalOperation> operation) : ExecSession(operation->id(), {}, false), operation_(std::move(operation)) {}
  ~Console() override { operation_->finish({}); }

 private:
  std::unique_ptr<LocalOperation> operation_;
};

TEST(Sessions, LetAConsoleThatNobodyTookEndBeforeTheyDo) {
  PollLoop loop;
  std::vector<Json> heard;
  {
    Sessions sessions(loop);
    const auto listener = sessions.listen("me", [&heard](Json event) { heard.push_back(std::move(event)); });
    auto operation = std::make_unique<LocalOperation>(sessions, "me", "websocket", "Showing console", "default", Strings{"web"});
    ASSERT_TRUE(sessions.add(std::make_shared<Console>(std::move(operation)), "me"));
  }
  ASSERT_FALSE(heard.empty());
}

}  // namespace
}  // namespace berth::rest
