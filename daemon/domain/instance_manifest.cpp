#include "daemon/domain/instance_manifest.hpp"

#include "daemon/domain/value_types.hpp"

#include <nlohmann/json.hpp>

namespace berth {
namespace {

using nlohmann::json;

/// What the file says it is, and in which form; a later form gets another number.
constexpr std::string_view kFormat = "berth-instance";
constexpr std::uint64_t kVersion = 1;
/// A manifest holds cloud-init data at most a few times over.
constexpr std::size_t kLargest = 8U * 1024 * 1024;

Error wrong(const std::string& what) { return Error{Code::InvalidArgument, "Invalid instance manifest: " + what}; }

/// Takes fields out of a JSON object and remembers the first that is not what it should be.
class Fields {
 public:
  explicit Fields(const json& object) : object_(object) {}

  template <typename T>
  T take(const char* name, bool (json::*is)() const noexcept) {
    const auto found = object_.find(name);
    if (found == object_.end() || !((*found).*is)()) {
      if (bad_.empty()) bad_ = name;
      return T{};
    }
    return found->template get<T>();
  }
  std::string text(const char* name) { return take<std::string>(name, &json::is_string); }
  std::uint64_t number(const char* name) { return take<std::uint64_t>(name, &json::is_number_unsigned); }
  std::uint32_t uid(const char* name) {
    const auto value = number(name);
    if (value > UINT32_MAX && bad_.empty()) bad_ = name;
    return static_cast<std::uint32_t>(value);
  }
  Timestamp time(const char* name) {
    return Timestamp{std::chrono::microseconds{take<std::int64_t>(name, &json::is_number_integer)}};
  }
  bool flag(const char* name) { return take<bool>(name, &json::is_boolean); }
  ConfigMap config(const char* name) { return strings_of(take<json>(name, &json::is_object), name); }
  DeviceMap devices(const char* name) {
    DeviceMap out;
    const auto object = take<json>(name, &json::is_object);
    for (const auto& [device, keys] : object.items()) {
      if (has_control_characters(device) && bad_.empty()) bad_ = name;
      out[device] = strings_of(keys, name);
    }
    return out;
  }
  std::vector<std::string> list(const char* name) {
    std::vector<std::string> out;
    const auto entries = take<json>(name, &json::is_array);
    for (const auto& entry : entries) {
      if (entry.is_string())
        out.push_back(entry.get<std::string>());
      else if (bad_.empty())
        bad_ = name;
    }
    return out;
  }
  /// Texts that may not have control characters.
  std::string line(const char* name) {
    auto value = text(name);
    if (has_control_characters(value) && bad_.empty()) bad_ = name;
    return value;
  }
  Result<void> check() const {
    if (bad_.empty()) return {};
    return wrong("the field '" + bad_ + "' is missing or has a wrong value");
  }

 private:
  ConfigMap strings_of(const json& object, const char* name) {
    ConfigMap out;
    bool good = object.is_object();
    if (good)
      for (const auto& [key, value] : object.items()) {
        const bool text = value.is_string() && validate_value(ValueType::Text, value.get_ref<const std::string&>());
        if (text && !has_control_characters(key))
          out.emplace(key, value.get<std::string>());
        else
          good = false;
      }
    if (!good && bad_.empty()) bad_ = name;
    return out;
  }

  const json& object_;
  std::string bad_;
};

}  // namespace

std::string manifest_to_json(const Instance& instance) {
  json profiles = json::array();
  for (const auto& profile : instance.profiles) profiles.push_back(profile.str());
  const json object{
      {"format", kFormat},
      {"version", kVersion},
      {"uuid", instance.uuid.str()},
      {"project", instance.project.str()},
      {"name", instance.name.str()},
      {"type", instance.type},
      {"location", instance.location},
      {"owner_uid", instance.owner_uid},
      {"architecture", instance.architecture},
      {"revision", instance.revision},
      {"created_at", instance.created_at.time_since_epoch().count()},
      {"last_used_at", instance.last_used_at.time_since_epoch().count()},
      {"ephemeral", instance.ephemeral},
      {"description", instance.description},
      {"profiles", profiles},
      {"config", instance.config},
      {"devices", instance.devices},
      {"pool", instance.pool.str()},
  };
  return object.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<Instance> manifest_from_json(std::string_view text) {
  if (text.size() > kLargest) return wrong("it is larger than 8 MiB");
  const auto object = json::parse(text, nullptr, false);
  if (!object.is_object()) return wrong("it is not a JSON object");
  Fields fields(object);
  if (fields.text("format") != kFormat) return wrong("it is not of the format berth-instance");
  if (fields.number("version") != kVersion) return wrong("its version is not 1");
  BERTH_TRY(auto uuid, Uuid::parse(fields.text("uuid")));
  BERTH_TRY(auto project, ProjectName::parse(fields.text("project")));
  BERTH_TRY(auto name, InstanceName::parse(fields.text("name")));
  BERTH_TRY(auto pool, PoolName::parse(fields.text("pool")));
  Instance instance{
      .uuid = std::move(uuid), .project = std::move(project), .name = std::move(name), .pool = std::move(pool)};
  instance.type = fields.line("type");
  instance.location = fields.line("location");
  instance.owner_uid = fields.uid("owner_uid");
  instance.architecture = fields.line("architecture");
  instance.revision = fields.number("revision");
  instance.created_at = fields.time("created_at");
  instance.last_used_at = fields.time("last_used_at");
  instance.ephemeral = fields.flag("ephemeral");
  instance.description = fields.line("description");
  for (const auto& profile : fields.list("profiles")) {
    BERTH_TRY(auto parsed, ProfileName::parse(profile));
    instance.profiles.push_back(std::move(parsed));
  }
  instance.config = fields.config("config");
  instance.devices = fields.devices("devices");
  BERTH_CHECK(fields.check());
  return instance;
}

}  // namespace berth
