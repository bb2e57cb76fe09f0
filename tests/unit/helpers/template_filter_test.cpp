#include "daemon/helpers/template_filters.hpp"

#include <gtest/gtest.h>

namespace berth::helpers {
namespace {

std::string filtered(const TemplateValue& value, const std::string& name, const TemplateValue& argument = {}) {
  const auto made = apply_template_filter(name, value, argument);
  return made ? made->shown() : "ERROR " + made.error().message;
}

TEST(TemplateFilters, ChangeLetters) {
  EXPECT_EQ(filtered("aBc", "upper"), "ABC");
  EXPECT_EQ(filtered("aBc", "lower"), "abc");
  EXPECT_EQ(filtered("it's a wEB server", "title"), "It's A Web Server");
  EXPECT_EQ(filtered("web", "capfirst"), "Web");
}

TEST(TemplateFilters, FillInDefaults) {
  EXPECT_EQ(filtered("", "default", "x"), "x");
  EXPECT_EQ(filtered("y", "default", "x"), "y");
  EXPECT_EQ(filtered({}, "default", "x"), "x");
  EXPECT_EQ(filtered("", "default_if_none", "x"), "");
  EXPECT_EQ(filtered({}, "default_if_none", "x"), "x");
}

TEST(TemplateFilters, CountInCharacters) {
  EXPECT_EQ(filtered("b\xc3\xa4r", "length"), "3");
  EXPECT_EQ(filtered(TemplateValue::List{"a", "b"}, "length"), "2");
  EXPECT_EQ(filtered("ab", "length_is", TemplateValue(std::int64_t{2})), "True");
}

TEST(TemplateFilters, TakeTextsApartAndTogether) {
  EXPECT_EQ(filtered(*apply_template_filter("split", "a,b,c", ","), "join", "-"), "a-b-c");
  EXPECT_EQ(filtered("abc", "first"), "a");
  EXPECT_EQ(filtered("b\xc3\xa4", "last"), "\xc3\xa4");
  EXPECT_EQ(filtered("", "first"), "");
  EXPECT_EQ(filtered(TemplateValue::List{}, "last"), "");
  EXPECT_EQ(filtered("a-b-c", "cut", "-"), "abc");
}

TEST(TemplateFilters, AddNumbersAndJoinTexts) {
  EXPECT_EQ(filtered(TemplateValue(std::int64_t{1}), "add", TemplateValue(std::int64_t{2})), "3");
  EXPECT_EQ(filtered("1", "add", TemplateValue(std::int64_t{2})), "12");
}

TEST(TemplateFilters, EscapeOnlyWhenAsked) {
  EXPECT_EQ(filtered("<a & 'b'>", "escape"), "&lt;a &amp; &#39;b&#39;&gt;");
  EXPECT_EQ(filtered("<a>", "safe"), "<a>");
  EXPECT_EQ(filtered("a\"b\\", "addslashes"), "a\\\"b\\\\");
}

TEST(TemplateFilters, PadTexts) {
  EXPECT_EQ(filtered("a", "ljust", TemplateValue(std::int64_t{3})), "a  ");
  EXPECT_EQ(filtered("a", "rjust", TemplateValue(std::int64_t{3})), "  a");
  EXPECT_EQ(filtered("abcd", "rjust", TemplateValue(std::int64_t{-1})), "abcd");
}

TEST(TemplateFilters, AnswerYesOrNo) {
  EXPECT_EQ(filtered(TemplateValue(true), "yesno", "on,off"), "on");
  EXPECT_EQ(filtered({}, "yesno", "on,off,what"), "what");
  EXPECT_EQ(filtered("", "yesno"), "no");
  EXPECT_EQ(filtered("x", "yesno", "one"), "ERROR `yesno` needs two words at least, with a comma between");
}

TEST(TemplateFilters, AreRefusedByNameWhenUnknown) {
  EXPECT_EQ(filtered("a", "shell"), "ERROR the filter `shell` is not known here");
}

TEST(TemplateFilters, DivideByNothingWithoutHarm) {
  EXPECT_EQ(filtered(TemplateValue(std::int64_t{4}), "divisibleby", TemplateValue(std::int64_t{0})), "False");
  EXPECT_EQ(filtered(TemplateValue(std::int64_t{4}), "divisibleby", TemplateValue(std::int64_t{2})), "True");
}

}  // namespace
}  // namespace berth::helpers
