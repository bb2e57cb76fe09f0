#include "daemon/adapters/sqlite/rows.hpp"

#include "base/rapid_json.hpp"
#include "base/text.hpp"

namespace berth::sqlite {
namespace {

/// Fills maps straight from the text: lists of many rows spend much of their time here, and a tree in between would
/// double it. `depth` 1 is a ConfigMap, 2 a DeviceMap.
class MapReader : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, MapReader> {
 public:
  explicit MapReader(ConfigMap& config) : config_(&config), depth_(1) {}
  explicit MapReader(DeviceMap& devices) : devices_(&devices), depth_(2) {}

  bool Default() { return false; }
  bool StartObject() { return ++level_ <= depth_; }
  bool EndObject(rapidjson::SizeType) {
    --level_;
    return true;
  }
  bool Key(const char* name, rapidjson::SizeType length, bool) {
    if (devices_ != nullptr && level_ == 1)
      config_ = &(*devices_)[std::string(name, length)];
    else
      key_.assign(name, length);
    return true;
  }
  bool String(const char* value, rapidjson::SizeType length, bool) {
    if (level_ != depth_) return false;
    config_->insert_or_assign(config_->end(), std::move(key_), std::string(value, length));  // sorted as they were written
    return true;
  }

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
  if (!is_text(text)) return false;
  std::string own(text);  // parsed in its own place
  MapReader handler(out);
  rapidjson::InsituStringStream stream(own.data());
  rapidjson::Reader reader;
  return !reader.Parse<rapidjson::kParseInsituFlag>(stream, handler).IsError();
}

using Writer = rapidjson::Writer<rapidjson::StringBuffer>;

/// A value that is not UTF-8 would make a row that no reader accepts.
void write(Writer& writer, const std::string& text) {
  const auto readable = is_text(text) ? text : as_text(text);
  (void)writer.String(readable.data(), static_cast<rapidjson::SizeType>(readable.size()));
}

template <typename Value>
void write(Writer& writer, const std::map<std::string, Value>& map) {
  writer.StartObject();
  for (const auto& [name, value] : map) {
    write(writer, name);
    write(writer, value);
  }
  writer.EndObject();
}

template <typename Map>
std::string dump(const Map& map) {
  rapidjson::StringBuffer buffer;
  Writer writer(buffer);
  write(writer, map);
  return {buffer.GetString(), buffer.GetSize()};
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
