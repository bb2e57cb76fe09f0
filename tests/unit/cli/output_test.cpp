#include "cli/event_line.hpp"
#include "cli/image_table.hpp"
#include "cli/output/csv.hpp"
#include "cli/output/json.hpp"
#include "cli/output/listing.hpp"
#include "cli/output/text.hpp"
#include "cli/output/units.hpp"
#include "cli/progress.hpp"

#include <gtest/gtest.h>

#include <clocale>

namespace berth::cli {
namespace {

TEST(Printable, EscapesWhatATerminalWouldTakeAsACommand) {
  EXPECT_EQ(printable("a\x1b[31mred"), "a\\x1b[31mred");
  EXPECT_EQ(printable("two\nlines\r\t\x7f"), "two\\nlines\\r\\t\\x7f");
  EXPECT_EQ(printable("c1 \xc2\x9b end"), "c1 \\x9b end");
  EXPECT_EQ(printable("turned \xe2\x80\xae round"), "turned \\u202e round");
}

TEST(Printable, EscapesBytesThatAreNoUtf8) {
  EXPECT_EQ(printable("\xff\xc0\xaf"), "\\xff\\xc0\\xaf");
  EXPECT_EQ(printable("cut \xe2\x82"), "cut \\xe2\\x82");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(Printable, LeavesEverybodysLanguageAlone) { EXPECT_EQ(printable("grün € 日本 😀"), "grün € 日本 😀"); }

TEST(Printable, KeepsLinesAndTabsOfMessages) { EXPECT_EQ(printable_lines("a\n\tb\x1b"), "a\n\tb\\x1b"); }

TEST(NaturalOrder, CountsRunsOfDigitsAsNumbers) {
  EXPECT_TRUE(natural_less("c2", "c10"));
  EXPECT_FALSE(natural_less("c10", "c2"));
  EXPECT_TRUE(natural_less("c19", "c20"));
  EXPECT_TRUE(natural_less("c1", "c10"));
  EXPECT_TRUE(natural_less("a9", "b1"));
  EXPECT_FALSE(natural_less("same", "same"));
}

TEST(Table, CentresHeadersAndKeepsCellsOfSeveralLines) {
  EXPECT_EQ(table_text({"NAME", "STATE"}, {{"c1", "RUNNING"}, {"a\nb", "x"}}),
            "+------+---------+\n"
            "| NAME |  STATE  |\n"
            "+------+---------+\n"
            "| c1   | RUNNING |\n"
            "+------+---------+\n"
            "| a    | x       |\n"
            "| b    |         |\n"
            "+------+---------+\n");
}

TEST(Table, HasAHeaderWhenItHasNoRows) { EXPECT_EQ(table_text({"NAME"}, {}), "+------+\n| NAME |\n+------+\n"); }

TEST(Table, MeasuresCellsAsATerminalShowsThem) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  EXPECT_EQ(table_text({"U"}, {{"日本"}, {"grün"}}),
            "+------+\n|  U   |\n+------+\n| 日本 |\n+------+\n| grün |\n+------+\n");
}

TEST(Table, ShowsKeysAsWordsInItsHeader) {
  EXPECT_EQ(table_text({"user.my_key"}, {}), "+-------------+\n| USER MY KEY |\n+-------------+\n");
}

TEST(Table, HasACompactForm) {
  EXPECT_EQ(compact_text({"NAME", "STATE"}, {{"c1", "RUNNING"}}), "  NAME   STATE   \n  c1    RUNNING  \n");
}

TEST(Csv, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(csv_text({{"plain", "a,b", "say \"x\"", "two\nlines", "", " lead"}}),
            "plain,\"a,b\",\"say \"\"x\"\"\",\"two\nlines\",,\" lead\"\n");
}

TEST(JsonLine, HasTheShapesOrderAndItsEmptyValues) {
  EXPECT_EQ(json_line(Json{{"name", "p"}, {"config", {{"k", "v"}}}, {"unknown", 1}}, kProfile),
            R"({"config":{"k":"v"},"description":"","devices":{},"name":"p","used_by":[]})"
            "\n");
}

TEST(JsonLine, EscapesMarkupAndWhatATerminalWouldObey) {
  EXPECT_EQ(json_line("<a&b>\x1b\x7f\xc2\x9b"), "\"\\u003ca\\u0026b\\u003e\\u001b\\u007f\\u009b\"\n");
}

TEST(JsonPretty, KeepsTheOrderOfATextAndIndentsByTabs) {
  EXPECT_EQ(json_pretty_text(R"({"b":1,"a":[2]})"), "{\n\t\"b\": 1,\n\t\"a\": [\n\t\t2\n\t]\n}\n");
}

TEST(Listing, RefusesAnUnknownFormat) {
  const auto text = render(Listing{}, "xml");
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().message, "Invalid format \"xml\"");
}

TEST(Listing, SortsRowsByTheirCellsAndPutsNamelessOnesLast) {
  std::vector<Row> rows{{"", "z"}, {"c10", "a"}, {"c2", "b"}, {"c2", "a"}};
  sort_rows(rows);
  EXPECT_EQ(rows, (std::vector<Row>{{"c2", "a"}, {"c2", "b"}, {"c10", "a"}, {"", "z"}}));
}

TEST(Units, ShowBytesInPowersOf1024) {
  EXPECT_EQ(size_text(1023), "1023B");
  EXPECT_EQ(size_text(1536), "1.50KiB");
  EXPECT_EQ(size_text(2LL << 30), "2.00GiB");
}

TEST(Units, ReadBytesOfConfigurationValues) {
  EXPECT_EQ(size_of_text("1024"), 1024);
  EXPECT_EQ(size_of_text("2GiB"), 2LL << 30);
  EXPECT_EQ(size_of_text("5MB"), 5'000'000);
  EXPECT_EQ(size_of_text("50%"), 0);
  EXPECT_EQ(size_of_text("lots"), 0);
}

TEST(Units, ShowTimesInUtcAndNothingForUnsetOnes) {
  EXPECT_EQ(minute_text("2026-11-26T13:44:24.9Z"), "2026/11/26 13:44 UTC");
  EXPECT_EQ(minute_text("2026-11-26T13:44:24+02:00"), "2026/11/26 11:44 UTC");
  EXPECT_EQ(minute_text("0001-01-01T00:00:00Z"), "");
  EXPECT_EQ(minute_text("not a time"), "");
  EXPECT_EQ(day_text("2026-11-06T13:04:24Z"), "Nov 6, 2026 at 1:04pm (UTC)");
}

TEST(ProgressLine, IsTheProgressOfTheOperationThatIsWaitedFor) {
  const std::string event =
      R"({"type":"operation","metadata":{"id":"one","metadata":{"create_image_unpack_progress":"Image: 40%\u001b"}}})";
  EXPECT_EQ(progress_line(event, "one", "Importing"), "Importing: Image: 40%\\x1b");
  EXPECT_EQ(progress_line(event, "two", "Importing"), "");
  EXPECT_EQ(progress_line(R"({"type":"lifecycle"})", "one", "Importing"), "");
  EXPECT_EQ(progress_line("no json", "one", "Importing"), "");
}

TEST(EventLine, SaysWhatHappenedOnOneLine) {
  const Json event{
      {"type", "lifecycle"},
      {"timestamp", "2026-11-26T11:44:24.123Z"},
      {"metadata", {{"action", "instance-started"}, {"source", "/1.0/instances/c1"}, {"context", {{"k", "v w"}}}}}};
  EXPECT_EQ(event_line(event),
            "INFO   [2026-11-26T11:44:24Z] Action: instance-started, Source: /1.0/instances/c1 k=\"v w\"\n");
}

TEST(EventLine, KeepsLogMessagesBelowTheLevelOut) {
  const Json event{{"type", "logging"}, {"metadata", {{"level", "info"}, {"message", "m"}, {"context", {}}}}};
  EXPECT_TRUE(is_logged(event, ""));
  EXPECT_TRUE(is_logged(event, "debug"));
  EXPECT_FALSE(is_logged(event, "warning"));
  EXPECT_FALSE(log_level("loud"));
}

TEST(ImageListing, ShowsTheShortestAliasAndHowManyMoreThereAre) {
  const Json images{{{"fingerprint", std::string(64, 'a')},
                     {"size", 1048576},
                     {"aliases", {{{"name", "debian"}}, {{"name", "deb"}}}},
                     {"properties", {{"os", "Debian"}}}},
                    {{"fingerprint", std::string(64, 'b')},
                     {"size", 1},
                     {"aliases", Json::array()},
                     {"properties", {{"os", "Busybox"}}}}};
  const auto all = image_listing(images, {}, "lfs");
  ASSERT_TRUE(all);
  EXPECT_EQ(all->rows, (std::vector<Row>{{"deb (1 more)", "aaaaaaaaaaaa", "1.00MB"}, {"", "bbbbbbbbbbbb", "0.00MB"}}));
  EXPECT_EQ(image_listing(images, {"os=Busybox"}, "f")->rows, (std::vector<Row>{{"bbbbbbbbbbbb"}}));
  EXPECT_EQ(image_listing(images, {"ebia"}, "f")->rows, (std::vector<Row>{{"aaaaaaaaaaaa"}}));
  EXPECT_FALSE(image_listing(images, {}, "z"));
}

}  // namespace
}  // namespace berth::cli
