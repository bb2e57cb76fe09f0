#pragma once

#include "base/names.hpp"
#include "base/result.hpp"
#include "daemon/adapters/sqlite/database.hpp"
#include "daemon/domain/types.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace berth::sqlite {

/// Maps as they stand in text columns: JSON objects of strings.
std::string to_column(const ConfigMap& map);
std::string to_column(const DeviceMap& map);
inline std::int64_t to_column(Timestamp time) { return time.time_since_epoch().count(); }

/// What update calls answer when somebody else was faster.
Error revision_mismatch(std::string_view kind, std::string_view name, std::uint64_t stored, std::uint64_t expected);

/// Reads the columns of a row one after the other. The first that is not what it should be is told by check(): a
/// damaged row is an error, never a half-filled object.
class RowReader {
 public:
  explicit RowReader(const Statement& row) : row_(row) {}

  std::string text() { return std::string(row_.text(next_++)); }
  std::int64_t integer() { return row_.integer(next_++); }
  std::uint32_t uid() { return static_cast<std::uint32_t>(integer()); }
  std::uint64_t count() { return static_cast<std::uint64_t>(integer()); }
  bool flag() { return integer() != 0; }
  Timestamp time() { return Timestamp{std::chrono::microseconds{integer()}}; }
  ConfigMap config();
  DeviceMap devices();
  /// Names that the query joined with kListSeparator.
  template <typename NameType>
  Result<std::vector<NameType>> names() {
    std::vector<NameType> out;
    std::string_view left = row_.text(next_++);
    while (!left.empty()) {
      const auto end = left.find(kListSeparator);
      BERTH_TRY(auto name, NameType::parse(left.substr(0, end)));
      out.push_back(std::move(name));
      left = end == std::string_view::npos ? std::string_view{} : left.substr(end + 1);
    }
    return out;
  }
  template <typename NameType>
  Result<NameType> name() {
    return NameType::parse(row_.text(next_++));
  }
  Result<void> check() const;

  /// `group_concat(name, char(31))`: no name has a control character.
  static constexpr char kListSeparator = '\x1f';

 private:
  const Statement& row_;
  int next_ = 0;
  bool damaged_ = false;
};

}  // namespace berth::sqlite
