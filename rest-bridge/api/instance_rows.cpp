#include "rest-bridge/api/instance_rows.hpp"

#include <functional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/rapid_json.hpp"
#include "rest-bridge/api/envelope.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

using rapidjson::SizeType;

/// Levels of a row in its array, and of one of its snapshots or backups in theirs.
constexpr int kRow = 2;
constexpr int kCopy = 4;
constexpr int kState = 3;  ///< the object `state` of a row

/// Passes what it reads to a writer, but for the fields that look otherwise in the API. Texts point into the rows.
class Rewriter : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Rewriter> {
 public:
  explicit Rewriter(bool full) : full_(full) {}

  std::string take() const { return {buffer_.GetString(), buffer_.GetSize()}; }
  /// The fields that an instance's tag is made of, one after the other.
  const std::string& tagged() const { return tagged_; }
  std::uint64_t revision() const { return revision_; }

  bool Key(const char* text, SizeType length, bool) {
    if (skipped_ > 0) return true;
    begin_held();
    if (level_ == kRow) end_tagged();
    key_ = {text, length};
    if (level_ == kRow) in_copies_ = key_ == "snapshots" || key_ == "backups";
    if (level_ == kRow) in_state_ = key_ == "state";
    const bool own_field = level_ == (in_copies_ && level_ > kRow ? kCopy : kRow);
    skip_next_ = own_field && (is_hidden(resource(), key_) || (!full_ && level_ == kRow && (in_copies_ || in_state_)));
    if (skip_next_) return true;
    const bool written = writer_.Key(text, length);
    if (level_ == kRow && is_tagged(key_)) tagged_from_ = buffer_.GetSize();
    return written;
  }
  bool String(const char* text, SizeType length, bool) {
    if (!scalar()) return true;
    if (length == 0 && level_ == kRow && key_ == "location") return writer_.String("none");
    return writer_.String(text, length);
  }
  bool Null() { return !scalar() || writer_.Null(); }
  bool Bool(bool flag) { return !scalar() || writer_.Bool(flag); }
  bool Double(double number) { return !scalar() || writer_.Double(number); }
  bool Int(int number) { return Int64(number); }
  bool Uint(unsigned number) { return Uint64(number); }
  bool Int64(std::int64_t number) {
    if (!scalar()) return true;
    return key_.ends_with("_at") ? time(number > 0 ? static_cast<std::uint64_t>(number) : 0) : writer_.Int64(number);
  }
  bool Uint64(std::uint64_t number) {
    if (level_ == kRow && key_ == "revision") revision_ = number;
    if (!scalar()) return true;
    return key_.ends_with("_at") ? time(number) : writer_.Uint64(number);
  }
  bool StartObject() {
    if (!container()) return true;
    if (level_ == kState + 1 && in_state_ && key_ == "network") return hold(Held::Object);
    return writer_.StartObject();
  }
  bool EndObject(SizeType) {
    if (level_ == kRow && skipped_ == 0) end_tagged();
    return !leave() || (null_held() ? writer_.Null() : writer_.EndObject());
  }
  bool StartArray() {
    if (!container()) return true;
    return level_ == kRow + 1 && in_copies_ ? hold(Held::Array) : writer_.StartArray();
  }
  bool EndArray(SizeType) { return !leave() || (null_held() ? writer_.Null() : writer_.EndArray()); }

 private:
  /// A container whose first member decides how it is written: where it has none, as null.
  enum class Held { Nothing, Object, Array };

  Resource resource() const { return in_copies_ && level_ > kRow ? Resource::InstanceSnapshot : Resource::Instance; }
  bool time(std::uint64_t microseconds) {
    const auto text = time_text(resource(), key_, microseconds);
    return writer_.String(text.data(), static_cast<SizeType>(text.size()));
  }
  /// False: the scalar that comes is one to leave out.
  bool scalar() {
    if (skipped_ > 0 || std::exchange(skip_next_, false)) return false;
    begin_held();
    return true;
  }
  bool container() {
    if (skipped_ > 0 || std::exchange(skip_next_, false)) {
      ++skipped_;
      return false;
    }
    begin_held();
    ++level_;
    return true;
  }
  bool leave() {
    if (skipped_ > 0) {
      --skipped_;
      return false;
    }
    --level_;
    return true;
  }
  static bool is_tagged(std::string_view field) {
    return field == "architecture" || field == "config" || field == "devices" || field == "ephemeral" || field == "profiles";
  }
  void end_tagged() {
    if (tagged_from_ == 0) return;
    tagged_.append(buffer_.GetString() + tagged_from_, buffer_.GetSize() - tagged_from_);
    tagged_from_ = 0;
  }
  bool hold(Held what) {
    held_ = what;
    return true;
  }
  void begin_held() {
    if (held_ == Held::Object) writer_.StartObject();
    if (held_ == Held::Array) writer_.StartArray();
    held_ = Held::Nothing;
  }
  bool null_held() { return std::exchange(held_, Held::Nothing) != Held::Nothing; }

  const bool full_;
  rapidjson::StringBuffer buffer_;
  rapidjson::Writer<rapidjson::StringBuffer> writer_{buffer_};
  std::string_view key_;
  int level_ = 0;
  int skipped_ = 0;  ///< containers entered that are left out
  bool skip_next_ = false;
  bool in_copies_ = false;
  bool in_state_ = false;
  Held held_ = Held::Nothing;
  std::string tagged_;
  std::size_t tagged_from_ = 0;  ///< where the value begins that is being written; 0: none of those
  std::uint64_t revision_ = 0;
};

Error broken_rows() { return Error{Code::Internal, "the daemon's rows are not as it writes them"}; }

/// Reads the daemon's rows through `rewriter`, in their own place.
Result<void> rewrite(std::string& rows, Rewriter& rewriter) {
  rapidjson::Reader reader;
  rapidjson::InsituStringStream stream(rows.data());
  if (reader.Parse<rapidjson::kParseInsituFlag>(stream, rewriter).IsError())
    return broken_rows();
  return {};
}

/// Members of an instance, without its braces.
Result<std::string> shown_members(std::string_view members, bool full) {
  Rewriter rewriter(full);
  std::string row = "[{";
  row.append(members).append("}]");
  BERTH_CHECK(rewrite(row, rewriter));
  const auto shown = rewriter.take();
  return shown.substr(2, shown.size() - 4);
}

/// The first line of each row, rewritten once: it changes with the instance alone, and the same line looks the same to
/// whoever asks.
class ShownLines {
 public:
  /// What `members` looks like; lives until the next call.
  Result<const std::string*> of(std::string_view members) {
    if (const auto found = shown_.find(members); found != shown_.end()) return &found->second;
    BERTH_TRY(auto text, shown_members(members, true));
    if (bytes_ > kMostBytes) {
      shown_.clear();
      bytes_ = 0;
    }
    bytes_ += members.size() + text.size();
    return &shown_.emplace(members, std::move(text)).first->second;
  }

 private:
  /// Room for some 2,000 instances. What is beyond begins anew: then a list costs what it costs without.
  static constexpr std::size_t kMostBytes = std::size_t{8} << 20U;
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  std::unordered_map<std::string, std::string, Hash, std::equal_to<>> shown_;
  std::size_t bytes_ = 0;
};

/// Takes the first line off `left`, without its end.
std::string_view next_line(std::string_view& left) {
  const auto end = left.find('\n');
  const auto line = left.substr(0, end);
  left.remove_prefix(end == std::string_view::npos ? left.size() : end + 1);
  return line;
}

}  // namespace

Json shown_instance(Json row, bool full) {
  const auto take = [&row](const char* kind) {
    auto copies = Json::array();
    if (const auto found = row.find(kind); found != row.end() && found->is_array())
      for (auto& copy : *found) copies.push_back(to_api(std::move(copy), Resource::InstanceSnapshot));
    row.erase(kind);
    return copies.empty() ? Json() : copies;
  };
  auto snapshots = take("snapshots");
  auto backups = take("backups");
  auto instance = to_api(std::move(row), Resource::Instance);
  if (instance.value("location", "").empty()) instance["location"] = "none";
  if (!full) {
    instance.erase("state");
    return instance;
  }
  instance["backups"] = std::move(backups);
  instance["snapshots"] = std::move(snapshots);
  auto& state = instance["state"];
  if (state.is_object() && state.contains("network") && state["network"].empty()) state["network"] = nullptr;
  return instance;
}

Result<std::string> shown_instances(std::string_view rows, bool full) {
  static thread_local ShownLines known;
  if (next_line(rows) != "[") return broken_rows();
  std::string shown = "[";
  shown.reserve(rows.size());
  for (auto line = next_line(rows); line != "]"; line = next_line(rows)) {
    const auto stored = line.substr(line.starts_with(',') ? 1 : 0);
    const auto now = next_line(rows);
    if (!stored.starts_with('{') || !now.starts_with(',') || !now.ends_with('}')) return broken_rows();
    BERTH_TRY(const auto* const text, known.of(stored.substr(1)));
    BERTH_TRY(const auto rest, shown_members(now.substr(1, now.size() - 2), full));
    shown.append(shown.size() == 1 ? "{" : ",{").append(*text).append(",").append(rest).append("}");
  }
  shown.append("]");
  return shown;
}

Result<std::optional<ShownInstance>> shown_only_instance(std::string rows, bool full) {
  Rewriter rewriter(full);
  BERTH_CHECK(rewrite(rows, rewriter));
  const auto array = rewriter.take();
  if (array == "[]") return std::optional<ShownInstance>();
  return std::optional(ShownInstance{.text = array.substr(1, array.size() - 2),
                                     .etag = etag_of_text(rewriter.tagged()),
                                     .revision = rewriter.revision()});
}

}  // namespace berth::rest
