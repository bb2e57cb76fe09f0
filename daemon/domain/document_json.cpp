#include "daemon/domain/document_json.hpp"

#include "base/rapid_json.hpp"
#include "base/text.hpp"

namespace berth {
namespace {

/// Writes documents as they are walked: lists have thousands of rows, and a tree of JSON in between would cost more than
/// all else that is done for one.
class Writing {
 public:
  void write(const Document& document) {
    writer_.StartObject();
    for (const auto& [name, value] : document) {
      key(name);
      std::visit([this](const auto& held) { write(held); }, value.value);
    }
    writer_.EndObject();
  }
  template <typename Element>
  void write(const std::vector<Element>& elements) {
    writer_.StartArray();
    for (const auto& element : elements) write(element);
    writer_.EndArray();
  }
  std::string_view text() const { return {buffer_.GetString(), buffer_.GetSize()}; }

 private:
  template <typename Held>
  void write(const std::map<std::string, Held>& map) {
    writer_.StartObject();
    for (const auto& [name, value] : map) {
      key(name);
      write(value);
    }
    writer_.EndObject();
  }
  /// Text that came from outside may not be UTF-8; a row must stay readable all the same.
  void write(const std::string& text) {
    if (is_text(text))
      (void)writer_.String(text.data(), length(text));
    else
      write(as_text(text));
  }
  void write(bool flag) { (void)writer_.Bool(flag); }
  void write(std::int64_t number) { (void)writer_.Int64(number); }
  void write(std::uint64_t number) { (void)writer_.Uint64(number); }

  void key(const std::string& name) {
    if (is_text(name)) {
      (void)writer_.Key(name.data(), length(name));
    } else {
      const auto readable = as_text(name);
      (void)writer_.Key(readable.data(), length(readable));
    }
  }
  static rapidjson::SizeType length(const std::string& text) { return static_cast<rapidjson::SizeType>(text.size()); }

  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
};

template <typename Value>
std::string json_of(const Value& value) {
  Writing writing;
  writing.write(value);
  return std::string(writing.text());
}

}  // namespace

std::string to_json(const Document& document) { return json_of(document); }
std::string to_json_members(const Document& document) {
  Writing writing;
  writing.write(document);
  const auto object = writing.text();
  return std::string(object.substr(1, object.size() - 2));
}
std::string to_json(const std::vector<Document>& rows) { return json_of(rows); }

}  // namespace berth
