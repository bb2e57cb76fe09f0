#include <gtest/gtest.h>

#include <string>

#include "base/reverter.hpp"

namespace berth {
namespace {

TEST(AReverter, UndoesInReverseOrderWhenNotCommitted) {
  std::string trace;
  {
    Reverter undo;
    undo.add([&trace] { trace += '1'; });
    undo.add([&trace] { trace += '2'; });
  }
  EXPECT_EQ(trace, "21");
}

TEST(AReverter, DoesNothingAfterCommit) {
  bool undone = false;
  {
    Reverter undo;
    undo.add([&undone] { undone = true; });
    undo.commit();
  }
  EXPECT_FALSE(undone);
}

}  // namespace
}  // namespace berth
