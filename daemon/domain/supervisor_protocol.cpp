#include "daemon/domain/supervisor_protocol.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <nlohmann/json.hpp>

namespace berth::supervisor {
namespace {

using nlohmann::json;

constexpr std::uint64_t kLongestShutdown = 86'400;  ///< seconds

std::string dump(const json& object) { return object.dump(-1, ' ', false, json::error_handler_t::replace); }

Result<json> parse_object(std::string_view text) {
  json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return Error{Code::InvalidArgument, "a supervisor's message is not a JSON object"};
  return object;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

template <typename Number>
Number number_of(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_number_integer()) return 0;
  const auto value = found->get<std::int64_t>();
  return std::in_range<Number>(value) ? static_cast<Number>(value) : Number{0};
}

bool flag_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

std::vector<std::string> texts_of(const json& object, const char* key) {
  std::vector<std::string> texts;
  const auto found = object.find(key);
  if (found != object.end() && found->is_array())
    for (const auto& item : *found)
      if (item.is_string()) texts.push_back(item.get<std::string>());
  return texts;
}

/// An environment is guest bytes, not always UTF-8, which JSON strings must be: each text is an array of its bytes there.
json bytes_of(const std::string& text) { return json::binary_t::container_type(text.begin(), text.end()); }

std::string from_bytes(const json& value) {
  std::string text;
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_array()) return text;
  for (const auto& byte : value)
    if (byte.is_number_integer()) text += static_cast<char>(byte.get<int>());
  return text;
}

bool is_plain(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

json any_bytes(const std::string& text) { return is_plain(text) ? json(text) : bytes_of(text); }

json json_of(const ExecCommand& exec) {
  json command = json::array();
  for (const auto& word : exec.command) command.push_back(any_bytes(word));
  json environment = json::array();
  for (const auto& [key, value] : exec.environment) environment.push_back({any_bytes(key), any_bytes(value)});
  return {{"command", command},       {"environment", environment}, {"uid", exec.uid},
          {"gid", exec.gid},          {"cwd", any_bytes(exec.cwd)}, {"deferred", exec.deferred},
          {"terminal", exec.terminal}, {"width", exec.width},        {"height", exec.height},
          {"lifeline", exec.lifeline}};
}

ExecCommand exec_of(const json& object) {
  ExecCommand exec;
  if (const auto words = object.find("command"); words != object.end() && words->is_array())
    for (const auto& word : *words) exec.command.push_back(from_bytes(word));
  if (const auto pairs = object.find("environment"); pairs != object.end() && pairs->is_array())
    for (const auto& pair : *pairs)
      if (pair.is_array() && pair.size() == 2) exec.environment[from_bytes(pair[0])] = from_bytes(pair[1]);
  exec.uid = number_of<std::uint32_t>(object, "uid");
  exec.gid = number_of<std::uint32_t>(object, "gid");
  if (const auto cwd = object.find("cwd"); cwd != object.end()) exec.cwd = from_bytes(*cwd);
  exec.deferred = flag_of(object, "deferred");
  exec.terminal = flag_of(object, "terminal");
  exec.width = number_of<std::uint16_t>(object, "width");
  exec.height = number_of<std::uint16_t>(object, "height");
  exec.lifeline = flag_of(object, "lifeline");
  return exec;
}

using Reason = ExitReport::Reason;
constexpr std::array<std::pair<Reason, std::string_view>, 5> kReasons{{{Reason::Stopped, "stopped"},
                                                                       {Reason::Rebooted, "rebooted"},
                                                                       {Reason::StartFailed, "start-failed"},
                                                                       {Reason::Killed, "killed"},
                                                                       {Reason::HostShutdown, "host-shutdown"}}};

}  // namespace

std::string encode(const Message& message) {
  json object{{"type", message.type}};
  if (message.type == type::kPrepare || message.type == type::kState) object["protocol"] = message.protocol;
  if (!message.id.empty()) object["id"] = message.id;
  if (!message.unit.empty()) object["unit"] = message.unit;
  if (!message.invocation.empty()) object["invocation"] = message.invocation;
  if (!message.code.empty()) object["code"] = message.code;
  if (!message.message.empty()) object["message"] = message.message;
  if (message.pid != 0) object["pid"] = message.pid;
  if (message.value != 0) object["value"] = message.value;
  if (message.type == type::kList) object["ids"] = message.ids;
  if (message.exec) object["exec"] = json_of(*message.exec);
  return dump(object);
}

Result<Message> decode(std::string_view text) {
  BERTH_TRY(const json object, parse_object(text));
  Message message;
  message.type = text_of(object, "type");
  message.protocol = number_of<int>(object, "protocol");
  message.id = text_of(object, "id");
  message.unit = text_of(object, "unit");
  message.invocation = text_of(object, "invocation");
  message.code = text_of(object, "code");
  message.message = text_of(object, "message");
  message.pid = number_of<std::int32_t>(object, "pid");
  message.value = number_of<std::int32_t>(object, "value");
  message.ids = texts_of(object, "ids");
  if (const auto exec = object.find("exec"); exec != object.end() && exec->is_object()) message.exec = exec_of(*exec);
  return message;
}

Message error_message(const Error& error) {
  return Message{.type = std::string(type::kError),
                 .code = std::string(error_row(error.code).dbus_name),
                 .message = error.message};
}

Error error_of(const Message& message) { return Error{code_from_dbus(message.code), message.message}; }

std::string encode_plan(const StartPlan& plan) {
  json lines = json::array();
  for (const auto& [key, value] : plan.lxc_config) lines.push_back({key, value});
  const bool overlay = plan.root.kind == RootSpec::Kind::Overlay;
  return dump({{"protocol", kProtocol},
               {"uuid", plan.uuid.str()},
               {"project", plan.project.str()},
               {"name", plan.name.str()},
               {"root", overlay ? json{{"kind", "overlay"}, {"lower", plan.root.lower}, {"layer", plan.root.layer}}
                                : json{{"kind", "plain"}, {"plain", plan.root.plain}}},
               {"root_readonly", plan.root_readonly},
               {"idmap", idmap_to_json(plan.idmap)},
               {"lxc_config", lines},
               {"host_shutdown_timeout", plan.host_shutdown_timeout.count()},
               {"log_file", plan.log_file},
               {"console_file", plan.console_file}});
}

Result<StartPlan> decode_plan(std::string_view text) {
  BERTH_TRY(const json object, parse_object(text));
  BERTH_TRY(Uuid uuid, Uuid::parse(text_of(object, "uuid")));
  BERTH_TRY(ProjectName project, ProjectName::parse(text_of(object, "project")));
  BERTH_TRY(InstanceName name, InstanceName::parse(text_of(object, "name")));
  BERTH_TRY(IdMap idmap, idmap_from_json(text_of(object, "idmap")));
  StartPlan plan{.uuid = std::move(uuid), .project = std::move(project), .name = std::move(name), .idmap = std::move(idmap)};
  const auto root = object.find("root");
  if (root == object.end() || !root->is_object()) return Error{Code::InvalidArgument, "a start plan names no root"};
  const std::string kind = text_of(*root, "kind");
  if (kind != "overlay" && kind != "plain")
    return Error{Code::NotSupported, "this supervisor cannot build a root of kind \"" + kind + "\""};
  plan.root.kind = kind == "overlay" ? RootSpec::Kind::Overlay : RootSpec::Kind::Plain;
  plan.root.plain = text_of(*root, "plain");
  plan.root.lower = text_of(*root, "lower");
  plan.root.layer = text_of(*root, "layer");
  if (const auto readonly = object.find("root_readonly"); readonly != object.end() && readonly->is_boolean())
    plan.root_readonly = readonly->get<bool>();
  if (const auto lines = object.find("lxc_config"); lines != object.end() && lines->is_array())
    for (const auto& line : *lines)
      if (line.is_array() && line.size() == 2 && line[0].is_string() && line[1].is_string())
        plan.lxc_config.emplace_back(line[0].get<std::string>(), line[1].get<std::string>());
  if (const auto limit = object.find("host_shutdown_timeout"); limit != object.end() && limit->is_number_unsigned())
    plan.host_shutdown_timeout = std::chrono::seconds(std::min<std::uint64_t>(limit->get<std::uint64_t>(), kLongestShutdown));
  plan.log_file = text_of(object, "log_file");
  plan.console_file = text_of(object, "console_file");
  return plan;
}

std::string encode_exit(const ExitReport& report) {
  std::string_view word = kReasons.front().second;
  for (const auto& [reason, text] : kReasons)
    if (reason == report.reason) word = text;
  return dump({{"protocol", kProtocol},
               {"reason", word},
               {"message", report.message},
               {"at", static_cast<std::uint64_t>(report.at.time_since_epoch().count())}});
}

Result<ExitReport> decode_exit(std::string_view text) {
  BERTH_TRY(const json object, parse_object(text));
  ExitReport report;
  const std::string word = text_of(object, "reason");
  for (const auto& [reason, spelled] : kReasons)
    if (spelled == word) report.reason = reason;
  report.message = text_of(object, "message");
  report.at = Timestamp(std::chrono::microseconds(number_of<std::int64_t>(object, "at")));
  return report;
}

bool valid_unit_name(std::string_view name) {
  constexpr std::size_t kLongest = 255;
  return !name.empty() && name.size() <= kLongest && name.find('/') == std::string_view::npos && name.front() != '.' &&
         !has_control_characters(name);
}

}  // namespace berth::supervisor
