#include <gtest/gtest.h>

#include "base/object_path.hpp"

namespace berth {
namespace {

TEST(PathElements, AreEscapedAsSystemdDoes) {
  EXPECT_EQ(encode_path_element("web-1"), "web_2d1");
  EXPECT_EQ(encode_path_element("1a"), "_31a");
  EXPECT_EQ(encode_path_element(""), "_");
  EXPECT_EQ(encode_path_element("a_b"), "a_5fb");
}

TEST(PathElements, DecodeToWhatWasEncoded) {
  for (const std::string text : {"", "web-1", "1a", "a_b", "ü/..", "x_", "-"}) {
    const auto back = decode_path_element(encode_path_element(text));
    ASSERT_TRUE(back) << text;
    EXPECT_EQ(*back, text);
  }
}

TEST(PathElements, RefuseWhatEncodingCannotMake) {
  for (const auto* bad : {"a_", "a_2", "a_2D", "_61", "a-b", "a__", "a_zz"}) EXPECT_FALSE(decode_path_element(bad)) << bad;
}

TEST(ObjectPaths, CarryProjectAndName) {
  EXPECT_EQ(instance_path(default_project(), *InstanceName::parse("web-1")),
            "/org/berth/Berth1/project/default/instance/web_2d1");
}

}  // namespace
}  // namespace berth
