#include "daemon/domain/backup_document.hpp"

#include <array>
#include <cstdio>
#include <ctime>
#include <nlohmann/json.hpp>

namespace berth {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxSnapshots = 400;
constexpr auto kZeroTime = "0001-01-01T00:00:00Z";

std::string rfc3339(Timestamp time) {
  if (time == kNever) return kZeroTime;
  const auto count = time.time_since_epoch().count();
  const std::time_t seconds = count / 1'000'000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  (void)std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", parts.tm_year + 1900,
                      parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                      static_cast<int>(count % 1'000'000));
  return text.data();
}

/// Times before 1970, and texts that are none, are "never".
Timestamp parse_time(const std::string& text) {
  std::tm parts{};
  int offset_hours = 0, offset_minutes = 0, used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon, &parts.tm_mday,
                  &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &used) != 6)
    return kNever;
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  std::string_view rest = std::string_view(text).substr(static_cast<std::size_t>(used));
  std::int64_t micros = 0;
  if (rest.starts_with('.')) {
    std::int64_t unit = 100'000;
    for (rest.remove_prefix(1); !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; rest.remove_prefix(1)) {
      micros += (rest[0] - '0') * unit;
      unit /= 10;
    }
  }
  int sign = 0;
  if (rest.size() == 6 && (rest[0] == '+' || rest[0] == '-')) {
    sign = rest[0] == '+' ? 1 : -1;
    if (std::sscanf(std::string(rest.substr(1)).c_str(), "%2d:%2d", &offset_hours, &offset_minutes) != 2) return kNever;
  }
  const std::int64_t seconds = timegm(&parts) - sign * (offset_hours * 3600 + offset_minutes * 60);
  if (seconds <= 0) return kNever;
  return Timestamp(std::chrono::microseconds(seconds * 1'000'000 + micros));
}

/// Where the host of today had its ids means nothing elsewhere; whoever restores it makes a map of its own.
ConfigMap portable(const ConfigMap& config) {
  ConfigMap out = config;
  std::erase_if(out, [](const auto& entry) { return entry.first.starts_with("volatile.idmap."); });
  out["volatile.last_state.idmap"] = "[]";
  return out;
}

json names_of(const std::vector<ProfileName>& profiles) {
  json out = json::array();
  for (const auto& name : profiles) out.push_back(name.str());
  return out;
}

json instance_json(const BackupSubject& subject) {
  const auto& it = subject.instance;
  return {{"architecture", it.architecture},
          {"config", portable(it.config)},
          {"devices", it.devices},
          {"ephemeral", it.ephemeral},
          {"profiles", names_of(it.profiles)},
          {"stateful", false},
          {"description", it.description},
          {"created_at", rfc3339(it.created_at)},
          {"expanded_config", portable(subject.expanded.config)},
          {"expanded_devices", subject.expanded.devices},
          {"name", it.name.str()},
          {"status", "Stopped"},
          {"status_code", 102},
          {"last_used_at", rfc3339(it.last_used_at)},
          {"location", "none"},
          {"type", "container"},
          {"project", it.project.str()}};
}

json snapshot_json(const Snapshot& it, const Expanded& expanded) {
  return {{"architecture", it.architecture},
          {"config", portable(it.config)},
          {"devices", it.devices},
          {"ephemeral", it.ephemeral},
          {"profiles", names_of(it.profiles)},
          {"stateful", false},
          {"created_at", rfc3339(it.created_at)},
          {"expires_at", rfc3339(it.expires_at)},
          {"expanded_config", portable(expanded.config)},
          {"expanded_devices", expanded.devices},
          {"last_used_at", kZeroTime},
          {"name", it.name.str()},
          {"size", -1}};
}

json config_json(const BackupSubject& subject) {
  json snapshots = json::array(), volumes = json::array(), profiles = json::array();
  for (const auto& [snapshot, expanded] : subject.snapshots) {
    snapshots.push_back(snapshot_json(snapshot, expanded));
    volumes.push_back({{"name", snapshot.name.str()},
                       {"description", ""},
                       {"expires_at", rfc3339(snapshot.expires_at)},
                       {"config", json::object()},
                       {"content_type", "filesystem"},
                       {"created_at", rfc3339(snapshot.created_at)}});
  }
  for (const auto& profile : subject.profiles)
    profiles.push_back({{"name", profile.name.str()},
                        {"description", profile.description},
                        {"config", profile.config},
                        {"devices", profile.devices},
                        {"used_by", json::array()}});
  // A server takes a pool of the same name, or its own; of the driver it only wants to know the name.
  const json pool{{"name", subject.instance.pool.str()}, {"driver", "dir"},          {"description", ""},
                  {"config", json::object()},            {"used_by", json::array()}, {"status", "Created"},
                  {"locations", {"none"}}};
  const json volume{{"name", subject.instance.name.str()}, {"type", "container"},
                    {"description", ""},                   {"config", json::object()},
                    {"used_by", json::array()},            {"location", "none"},
                    {"content_type", "filesystem"},        {"project", subject.instance.project.str()},
                    {"created_at", rfc3339(subject.instance.created_at)}};
  return {{"container", instance_json(subject)}, {"snapshots", snapshots}, {"pool", pool},
          {"profiles", profiles},                {"volume", volume},       {"volume_snapshots", volumes}};
}

std::string text_of(const json& document) {
  // No escapes of characters: YAML knows no pairs of surrogates.
  return document.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Error wrong(const std::string& field, std::string_view what) {
  return Error{Code::InvalidArgument, "the backup's " + field + " " + std::string(what)};
}

/// A text; absent is empty. YAML has a few words without quotes that are no texts.
Result<std::string> text(const json& object, const std::string& field) {
  if (!object.contains(field) || object[field].is_null()) return std::string();
  const json& value = object[field];
  if (value.is_boolean()) return std::string(value.get<bool>() ? "true" : "false");
  if (!value.is_string()) return wrong(field, "must be a text");
  return value.get<std::string>();
}

bool flag(const json& object, const std::string& field) {
  return object.contains(field) && object[field].is_boolean() && object[field].get<bool>();
}

Result<ConfigMap> strings(const json& object, const std::string& field) {
  ConfigMap out;
  if (!object.contains(field) || object[field].is_null()) return out;
  if (!object[field].is_object()) return wrong(field, "must be a map");
  for (const auto& [key, value] : object[field].items()) {
    BERTH_TRY(out[key], text(object[field], key));
  }
  return out;
}

Result<BackupTree> tree_of(const json& object) {
  BackupTree out;
  BERTH_TRY(out.architecture, text(object, "architecture"));
  BERTH_TRY(const std::string created, text(object, "created_at"));
  out.created_at = parse_time(created);
  out.ephemeral = flag(object, "ephemeral");
  if (object.contains("profiles") && object["profiles"].is_array())
    for (const json& name : object["profiles"]) {
      if (!name.is_string()) return wrong("profiles", "must be names");
      BERTH_TRY(auto profile, ProfileName::parse(name.get<std::string>()));
      out.profiles.push_back(std::move(profile));
    }
  BERTH_TRY(out.config, strings(object, "config"));
  if (object.contains("devices") && !object["devices"].is_null()) {
    if (!object["devices"].is_object()) return wrong("devices", "must be a map");
    for (const auto& [name, device] : object["devices"].items()) {
      if (!device.is_object()) return wrong("devices", "must be maps");
      BERTH_TRY(out.devices[name], strings(object["devices"], name));
    }
  }
  const auto shift = out.config.find("volatile.last_state.idmap");
  if (shift != out.config.end() && !shift->second.empty()) {
    BERTH_TRY(out.shift, idmap_from_json(shift->second));
  }
  return out;
}

}  // namespace

std::string backup_config(const BackupSubject& subject) { return text_of(config_json(subject)); }

std::string backup_index(const BackupSubject& subject) {
  json names = json::array();
  for (const auto& [snapshot, expanded] : subject.snapshots) names.push_back(snapshot.name.str());
  json index{{"name", subject.instance.name.str()},
             {"backend", "dir"},
             {"pool", subject.instance.pool.str()},
             {"optimized", false},
             {"optimized_header", false},
             {"type", "container"},
             {"config", config_json(subject)}};
  if (!names.empty()) index["snapshots"] = std::move(names);
  return text_of(index);
}

Result<BackupDescription> parse_backup(std::string_view text_in) {
  const json all = json::parse(text_in, nullptr, false);
  if (!all.is_object() || !all.contains("index") || !all["index"].is_object() || !all.contains("config") ||
      !all["config"].is_object())
    return Error{Code::Internal, "what the helper found in the backup is not understood"};
  const json& index = all["index"];
  const json& config = all["config"];
  BackupDescription out;
  BERTH_TRY(out.name, text(index, "name"));
  BERTH_TRY(out.pool, text(index, "pool"));
  BERTH_TRY(out.type, text(index, "type"));
  out.optimized = flag(index, "optimized");
  const char* const key = config.contains("container") && config["container"].is_object() ? "container" : "instance";
  if (!config.contains(key) || !config[key].is_object()) return wrong("container", "is missing");
  const json& instance = config[key];
  BERTH_TRY(out.instance, tree_of(instance));
  BERTH_TRY(out.description, text(instance, "description"));
  BERTH_TRY(const std::string used, text(instance, "last_used_at"));
  out.last_used_at = parse_time(used);
  if (out.type.empty()) {
    BERTH_TRY(out.type, text(instance, "type"));
  }
  // The index says which snapshots the archive has; the other document may know of more.
  if (!index.contains("snapshots") || index["snapshots"].is_null()) return out;
  if (!index["snapshots"].is_array() || index["snapshots"].size() > kMaxSnapshots)
    return wrong("snapshots", "must be a list of no more than " + std::to_string(kMaxSnapshots) + " names");
  for (const json& listed : index["snapshots"]) {
    if (!listed.is_string()) return wrong("snapshots", "must be names");
    const std::string name = listed.get<std::string>();
    BERTH_TRY(auto parsed, SnapshotName::parse(name));
    const json* found = nullptr;
    if (config.contains("snapshots") && config["snapshots"].is_array())
      for (const json& one : config["snapshots"]) {
        if (!one.is_object()) return wrong("snapshots", "must be maps");
        BERTH_TRY(std::string called, text(one, "name"));
        // Older backups have the instance's name in front.
        if (const auto slash = called.rfind('/'); slash != std::string::npos) called.erase(0, slash + 1);
        if (called == name) found = &one;
      }
    if (found == nullptr) return wrong("snapshot " + name, "is listed but not described");
    for (const auto& other : out.snapshots)
      if (other.name == parsed) return wrong("snapshot " + name, "is listed twice");
    BERTH_TRY(auto tree, tree_of(*found));
    BERTH_TRY(const std::string expires, text(*found, "expires_at"));
    out.snapshots.push_back({std::move(parsed), parse_time(expires), std::move(tree)});
  }
  return out;
}

}  // namespace berth
