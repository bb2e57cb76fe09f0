#include "daemon/adapters/sqlite/kept_table.hpp"

#include <gtest/gtest.h>

namespace berth::sqlite {
namespace {

TEST(AKeptTable, IsReadOnceAndKnowsEachChange) {
  KeptTable<int> table;
  int reads = 0;
  const auto read = [&reads]() -> Result<int> { return ++reads; };
  EXPECT_EQ(*table.get(read), 1);
  EXPECT_EQ(*table.get(read), 1);
  table.changed_to(7);
  EXPECT_EQ(*table.get(read), 7);
  table.changed_to(std::nullopt);
  EXPECT_EQ(*table.get(read), 2);
}

TEST(AKeptTable, DoesNotKeepWhatAChangeOvertook) {
  KeptTable<int> table;
  const auto overtaken = table.get([&table]() -> Result<int> {
    table.changed_to(std::nullopt);
    return 1;
  });
  EXPECT_EQ(*overtaken, 1);
  EXPECT_EQ(*table.get([]() -> Result<int> { return 2; }), 2);
}

TEST(AKeptTable, DoesNotKeepAFailure) {
  KeptTable<int> table;
  EXPECT_FALSE(table.get([]() -> Result<int> { return Error{Code::Internal, "no disk"}; }));
  EXPECT_EQ(*table.get([]() -> Result<int> { return 3; }), 3);
}

}  // namespace
}  // namespace berth::sqlite
