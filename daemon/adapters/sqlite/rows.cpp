#include "daemon/adapters/sqlite/rows.hpp"

#include <nlohmann/json.hpp>

namespace berth::sqlite {
namespace {

using nlohmann::json;

/// Fills maps straight from the text: lists of many rows spend most of their time here, and a tree in between would
/// double it. `depth` 1 is a ConfigMap, 2 a DeviceMap.
class MapReader : public nlohmann::json_sax<json> {
 public:
  explicit MapReader(ConfigMap& config) : config_(&config), depth_(1) {}
  explicit MapReader(DeviceMap& devices) : devices_(&devices), depth_(2) {}

  bool start_object(std::size_t) override { return ++level_ <= depth_; }
  bool end_object() override {
    --level_;
    return true;
  }
  bool key(string_t& name) override {
    if (devices_ != nullptr && level_ == 1)
      config_ = &(*devices_)[name];
    else
      key_ = std::move(name);
    return true;
  }
  bool string(string_t& value) override {
    if (level_ != depth_) return false;
    config_->insert_or_assign(std::move(key_), std::move(value));
    return true;
  }
  bool null() override { return false; }
  bool boolean(bool) override { return false; }
  bool number_integer(number_integer_t) override { return false; }
  bool number_unsigned(number_unsigned_t) override { return false; }
  bool number_float(number_float_t, const string_t&) override { return false; }
  bool binary(binary_t&) override { return false; }
  bool start_array(std::size_t) override { return false; }
  bool end_array() override { return false; }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  ConfigMap* config_ = nullptr;
  DeviceMap* devices_ = nullptr;
  int depth_;
  int level_ = 0;
  std::string key_;
};

template <typename Map>
bool read_map(std::string_view text, Map& out) {
  if (text == "{}") return true;
  MapReader reader(out);
  return json::sax_parse(text, &reader);
}

template <typename Map>
std::string dump(const Map& map) {
  // A value that is not UTF-8 would make a row that no reader accepts.
  return map.empty() ? "{}" : json(map).dump(-1, ' ', false, json::error_handler_t::replace);
}

}  // namespace

std::string to_column(const ConfigMap& map) { return dump(map); }
std::string to_column(const DeviceMap& map) { return dump(map); }

Error revision_mismatch(std::string_view kind, std::string_view name, std::uint64_t stored, std::uint64_t expected) {
  return Error{Code::RevisionMismatch, "The " + std::string(kind) + " \"" + std::string(name) +
                                           "\" has changed: it has revision " + std::to_string(stored) + ", not " +
                                           std::to_string(expected)};
}

ConfigMap RowReader::config() {
  ConfigMap map;
  if (!read_map(row_.text(next_++), map)) damaged_ = true;
  return map;
}

DeviceMap RowReader::devices() {
  DeviceMap map;
  if (!read_map(row_.text(next_++), map)) damaged_ = true;
  return map;
}

Result<void> RowReader::check() const {
  if (!damaged_) return {};
  return Error{Code::Internal, "The database has a row whose configuration is not JSON: put a copy in its place"};
}

}  // namespace berth::sqlite
