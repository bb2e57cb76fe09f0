#include "rest-bridge/api/openapi/document.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "rest-bridge/api/openapi/notation.hpp"
#include "rest-bridge/api/openapi/tables.hpp"
#include "rest-bridge/api/router.hpp"

namespace berth::rest {
namespace {

/// Calls `see` with the name of every `$ref` below `value`.
template <typename See>
void each_reference(const Json& value, const See& see) {
  if (value.is_object() && value.contains("$ref")) see(value["$ref"].get<std::string>());
  if (value.is_structured())
    for (const auto& inner : value) each_reference(inner, see);
}

TEST(OpenApi, DescribesEveryRouteThatIsServed) {
  const auto rows = openapi::description_table();
  for (const auto& route : all_routes()) {
    const auto described = std::count_if(rows.begin(), rows.end(), [&](const auto& row) {
      return row.method == route.method && row.pattern == route.pattern;
    });
    EXPECT_EQ(described, route.handler ? 1 : 0)
        << route.method << ' ' << route.pattern << ": openapi/descriptions.cpp has a row for each route that is served, and for no other";
  }
}

TEST(OpenApi, DescribesNothingThatIsNotThere) {
  const auto& routes = all_routes();
  for (const auto& row : openapi::description_table())
    EXPECT_TRUE(std::any_of(routes.begin(), routes.end(), [&](const Route& route) {
      return route.handler && row.method == route.method && row.pattern == route.pattern;
    })) << row.method << ' ' << row.pattern;
}

TEST(OpenApi, HasNoReferenceThatLeadsNowhere) {
  const auto document = openapi_document();
  each_reference(document, [&](const std::string& name) {
    ASSERT_TRUE(name.starts_with("#/")) << name;
    EXPECT_TRUE(document.contains(Json::json_pointer(name.substr(1)))) << name;
  });
}

TEST(OpenApi, GivesEveryOperationANameOfItsOwnAndAnAnswer) {
  std::set<std::string> ids;
  std::size_t operations = 0;
  const auto document = openapi_document();
  for (const auto& [path, methods] : document["paths"].items())
    for (const auto& [method, operation] : methods.items()) {
      ++operations;
      ids.insert(operation["operationId"].get<std::string>());
      EXPECT_GE(operation["responses"].size(), 2U) << method << ' ' << path;
    }
  EXPECT_EQ(ids.size(), operations);
  EXPECT_EQ(operations, openapi::description_table().size());
}

TEST(OpenApi, NotationHasListsObjectsChoicesAndNull) {
  using openapi::schema_of;
  EXPECT_EQ(schema_of("[text]"), (Json{{"type", "array"}, {"items", {{"type", "string"}}}}));
  EXPECT_EQ(schema_of("{[url]}?")["nullable"], true);
  EXPECT_EQ(schema_of("{[url]}")["additionalProperties"]["items"]["format"], "uri-reference");
  EXPECT_EQ(schema_of("(a|b)")["enum"], (Json{"a", "b"}));
  EXPECT_EQ(schema_of("[url]|[Profile]")["anyOf"].size(), 2U);
  EXPECT_EQ(schema_of("Profile")["$ref"], "#/components/schemas/Profile");
}

TEST(OpenApi, NotationOfASchemaInheritsAndTellsWhatMayBeMissing) {
  const auto schemas = openapi::schemas_in("A: one\n  x  text  the first\n  y? [A]\nB < A: more\n  z number\nC?: may be null\n");
  EXPECT_EQ(schemas["A"]["required"], Json{"x"});
  EXPECT_EQ(schemas["A"]["properties"]["x"]["description"], "the first");
  EXPECT_EQ(schemas["B"]["required"], (Json{"x", "z"}));
  EXPECT_EQ(schemas["B"]["properties"].size(), 3U);
  EXPECT_EQ(schemas["C"]["nullable"], true);
}

}  // namespace
}  // namespace berth::rest
