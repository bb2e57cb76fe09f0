#include "base/text.hpp"

#include <gtest/gtest.h>

namespace berth {
namespace {

TEST(Text, IsUtf8OfAnyLanguage) {
  for (const auto* text : {"", "web-1", "é", "日本", "🐧", "\xf4\x8f\xbf\xbd"}) {
    EXPECT_TRUE(is_text(text)) << text;
    EXPECT_EQ(as_text(text), text);
  }
}

TEST(Text, IsNotWhatTheBusRefuses) {
  using namespace std::string_view_literals;
  for (const auto text : {"\xff"sv, "\xc3"sv, "a\x80"sv, "\xc0\xaf"sv, "\xe0\x80\xaf"sv, "\xf0\x80\x80\xaf"sv, "\xed\xa0\x80"sv,
                          "\xef\xbf\xbf"sv, "\xf4\x90\x80\x80"sv, "\xf8\x88\x80\x80\x80"sv, "a\0b"sv}) {
    EXPECT_FALSE(is_text(text));
    EXPECT_TRUE(is_text(as_text(text)));
  }
}

TEST(Text, WithABadByteAnywhereIsNone) {
  for (const char bad : {'\0', '\x80', '\xff'})
    for (std::size_t at = 0; at < 24; ++at) {
      std::string text(24, 'a');
      EXPECT_TRUE(is_text(text));
      text[at] = bad;
      EXPECT_FALSE(is_text(text)) << at;
    }
  EXPECT_TRUE(is_text("a text of some length \xc3\xa4 and more after that"));
}

TEST(Text, KeepsWhatStandsAroundABadByte) { EXPECT_EQ(as_text("There is no pool \xff here \xc3"), "There is no pool ? here ?"); }

TEST(AWord, IsTheSameInAnyCaseOfAscii) {
  EXPECT_TRUE(same_word("Same-Origin", "same-origin"));
  EXPECT_TRUE(same_word("", {})) << "an empty text may have no address";
  EXPECT_FALSE(same_word("same", "same-origin"));
  EXPECT_FALSE(same_word("[", "{")) << "only letters have a case";
  EXPECT_FALSE(same_word("\xc3\x84", "\xc3\xa4"));
}

}  // namespace
}  // namespace berth
