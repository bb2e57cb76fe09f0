// A stand-in for berthd behind the D-Bus contract, for the tests of the bridge: a small model in memory, commands that run
// as plain processes of the host. Every call's signature is held against the interface files, both ways.
#include <fcntl.h>
#include <pty.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/object_path.hpp"
#include "base/unique_fd.hpp"

using Json = nlohmann::json;
using berth::UniqueFd;

namespace {

struct Failure {
  std::string code;
  std::string message;
};

[[noreturn]] void fail(const std::string& code, const std::string& message) { throw Failure{code, message}; }

std::uint64_t now() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

/// The contract: "Interface.Member" to its signatures.
struct Signature {
  std::string in, out;
};
std::map<std::string, Signature> load_contract(const std::vector<std::string>& files) {
  std::map<std::string, Signature> contract;
  for (const auto& file : files) {
    std::ifstream stream(file);
    std::string line, interface, method;
    const std::regex name("name=\"([^\"]+)\""), type("type=\"([^\"]+)\"");
    while (std::getline(stream, line)) {
      std::smatch match;
      if (line.find("<interface ") != std::string::npos && std::regex_search(line, match, name)) interface = match[1];
      if (line.find("<method ") != std::string::npos && std::regex_search(line, match, name)) {
        method = interface + "." + match[1].str();
        contract[method];
      }
      if (line.find("<arg ") != std::string::npos && std::regex_search(line, match, type))
        (line.find("direction=\"in\"") != std::string::npos ? contract[method].in : contract[method].out) += match[1].str();
    }
  }
  return contract;
}

Json read_value(sd_bus_message* m, std::vector<UniqueFd>& fds, bool& end) {
  char type = 0;
  const char* contents = nullptr;
  end = sd_bus_message_peek_type(m, &type, &contents) <= 0;
  if (end) return nullptr;
  bool inner = false;
  switch (type) {
    case 's':
    case 'o': {
      const char* text = nullptr;
      sd_bus_message_read_basic(m, type, &text);
      return text;
    }
    case 'b': {
      int value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value != 0;
    }
    case 'i': {
      std::int32_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 'u': {
      std::uint32_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 'x': {
      std::int64_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 't': {
      std::uint64_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 'h': {
      int fd = -1;
      sd_bus_message_read_basic(m, type, &fd);
      fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
      return fds.size() - 1;
    }
    case 'v': {
      const std::string inside = contents;
      sd_bus_message_enter_container(m, 'v', inside.c_str());
      auto value = read_value(m, fds, inner);
      sd_bus_message_exit_container(m);
      return value;
    }
    case 'a': {
      const std::string inside = contents;
      const bool dictionary = inside[0] == '{';
      auto result = dictionary ? Json::object() : Json::array();
      sd_bus_message_enter_container(m, 'a', inside.c_str());
      for (;;) {
        if (dictionary) {
          if (sd_bus_message_enter_container(m, 'e', inside.substr(1, inside.size() - 2).c_str()) <= 0) break;
          const auto key = read_value(m, fds, inner).get<std::string>();
          result[key] = read_value(m, fds, inner);
          sd_bus_message_exit_container(m);
        } else {
          auto value = read_value(m, fds, inner);
          if (inner) break;
          result.push_back(std::move(value));
        }
      }
      sd_bus_message_exit_container(m);
      return result;
    }
    default: fail("Internal", "type not known here");
  }
}

/// Adds one complete type from the front of `signature`.
void append(sd_bus_message* m, std::string_view& signature, const Json& value) {
  const char type = signature[0];
  if (type == 'a' && signature.starts_with("a{sv}")) {
    signature.remove_prefix(5);
    sd_bus_message_open_container(m, 'a', "{sv}");
    for (const auto& [key, inner] : value.items()) {
      sd_bus_message_open_container(m, 'e', "sv");
      sd_bus_message_append_basic(m, 's', key.c_str());
      const std::string inside = inner.is_string() ? "s" : inner.is_boolean() ? "b" : inner.is_number() ? "t" : inner.is_array() ? "as" : "a{ss}";
      sd_bus_message_open_container(m, 'v', inside.c_str());
      std::string_view rest = inside;
      append(m, rest, inner);
      sd_bus_message_close_container(m);
      sd_bus_message_close_container(m);
    }
    sd_bus_message_close_container(m);
    return;
  }
  if (type == 'a') {
    // The element ends where its brackets do.
    std::size_t length = 1;
    if (signature[1] == '(' || signature[1] == '{') {
      int depth = 0;
      do {
        if (signature[length] == '(' || signature[length] == '{') ++depth;
        if (signature[length] == ')' || signature[length] == '}') --depth;
        ++length;
      } while (depth > 0);
    } else {
      ++length;
    }
    const std::string element(signature.substr(1, length - 1));
    signature.remove_prefix(length);
    sd_bus_message_open_container(m, 'a', element.c_str());
    if (element[0] == '{') {
      for (const auto& [key, inner] : value.items()) sd_bus_message_append(m, element.c_str(), key.c_str(), inner.get<std::string>().c_str());
    } else {
      for (const auto& inner : value) {
        std::string_view rest = element;
        append(m, rest, inner);
      }
    }
    sd_bus_message_close_container(m);
    return;
  }
  if (type == '(') {
    const std::string inside(signature.substr(1, signature.find(')') - 1));
    signature.remove_prefix(inside.size() + 2);
    sd_bus_message_open_container(m, 'r', inside.c_str());
    std::string_view rest = inside;
    for (const auto& field : value) append(m, rest, field);
    sd_bus_message_close_container(m);
    return;
  }
  signature.remove_prefix(1);
  switch (type) {
    case 's':
    case 'o': sd_bus_message_append_basic(m, type, value.get<std::string>().c_str()); return;
    case 'b': {
      const int flag = value.get<bool>() ? 1 : 0;
      sd_bus_message_append_basic(m, type, &flag);
      return;
    }
    case 'h': {
      const int fd = value.get<int>();
      sd_bus_message_append_basic(m, type, &fd);
      return;
    }
    case 't': {
      const auto number = value.get<std::uint64_t>();
      sd_bus_message_append_basic(m, type, &number);
      return;
    }
    case 'u': {
      const auto number = value.get<std::uint32_t>();
      sd_bus_message_append_basic(m, type, &number);
      return;
    }
    default: fail("Internal", "cannot answer with this type");
  }
}

UniqueFd sealed(const std::string& text) {
  UniqueFd fd(::memfd_create("rows", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) fail("Internal", "memfd");
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return fd;
}

class Fake {
 public:
  Fake(std::map<std::string, Signature> contract) : contract_(std::move(contract)) {
    profiles_["default"] = {{"config", Json::object()}, {"devices", Json::object()}, {"description", "Default profile"}};
    environment_ = {{"addresses", Json::array()}, {"architectures", {"x86_64", "i686"}}, {"driver", "lxc"},
                    {"driver_version", "5.0.2"}, {"kernel", "Linux"}, {"kernel_architecture", "x86_64"}, {"kernel_version", "6"},
                    {"kernel_features", {{"idmapped_mounts", "true"}}}, {"lxc_features", {{"pidfd", "true"}}},
                    {"os_name", "Debian GNU/Linux"}, {"os_version", "12"}, {"server", "berth"}, {"server_clustered", false},
                    {"server_name", "fake"}, {"server_pid", ::getpid()}, {"server_version", "0.1"}, {"storage", "dir"},
                    {"storage_version", "1"}, {"certificate", ""}, {"certificate_fingerprint", ""}};
  }

  int run() {
    sd_event_default(&event_);
    sigset_t mask;
    sigemptyset(&mask);
    sigaddset(&mask, SIGCHLD);
    sigprocmask(SIG_BLOCK, &mask, nullptr);
    ::signal(SIGPIPE, SIG_IGN);
    if (sd_bus_open_system(&bus_) < 0) return 1;
    sd_bus_add_filter(bus_, nullptr, [](sd_bus_message* m, void* self, sd_bus_error*) { return static_cast<Fake*>(self)->on_message(m); }, this);
    sd_bus_attach_event(bus_, event_, 0);
    sd_bus_match_signal(bus_, nullptr, "org.freedesktop.DBus", nullptr, "org.freedesktop.DBus", "NameOwnerChanged",
        [](sd_bus_message* m, void* self, sd_bus_error*) {
          const char *name = nullptr, *old_owner = nullptr, *new_owner = nullptr;
          sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner);
          if (new_owner[0] == 0) static_cast<Fake*>(self)->bound_.erase(name);
          return 0;
        }, this);
    if (sd_bus_request_name(bus_, "org.berth.Berth1", 0) < 0) return 1;
    std::cout << "ready" << std::endl;
    return sd_event_loop(event_);
  }

 private:
  struct Operation {
    Json row;
    std::vector<std::string> command;
    Json environment;
    std::vector<UniqueFd> guest;  ///< the command's ends: 0, 1, 2, or one terminal
    pid_t pid = 0;
    bool record = false;
  };
  struct Later {
    Fake* fake;
    std::function<void()> work;
  };

  int on_message(sd_bus_message* m) {
    std::uint8_t kind = 0;
    sd_bus_message_get_type(m, &kind);
    const char* interface = sd_bus_message_get_interface(m);
    if (kind != 1 || !interface || std::string_view(interface).substr(0, 16) != "org.berth.Berth1") return 0;
    const std::string member = sd_bus_message_get_member(m);
    const auto method = std::string(interface) + "." + member;
    const auto known = contract_.find(method);
    try {
      if (known == contract_.end()) fail("NotSupported", "no method " + method);
      const std::string given = sd_bus_message_get_signature(m, 1);
      if (given != known->second.in) fail("InvalidArgument", method + " takes " + known->second.in + ", was called with " + given);
      const std::string sender = sd_bus_message_get_sender(m);
      const auto word = std::string(interface).substr(17);
      if (word != "Session" && !bound_.contains(sender) && require_binding_) fail("AccessDenied", "the bridge may call nothing");
      std::vector<UniqueFd> fds;
      auto arguments = Json::array();
      for (;;) {
        bool end = false;
        auto value = read_value(m, fds, end);
        if (end) break;
        arguments.push_back(std::move(value));
      }
      opened_.clear();
      sender_ = sender;
      const auto answer = dispatch(word, member, sd_bus_message_get_path(m), arguments, fds);
      sd_bus_message* reply = nullptr;
      sd_bus_message_new_method_return(m, &reply);
      std::string_view signature = known->second.out;
      for (const auto& value : answer) append(reply, signature, value);
      if (!signature.empty()) std::cerr << "fake: " << method << " answers too little\n";
      sd_bus_send(bus_, reply, nullptr);
      sd_bus_message_unref(reply);
    } catch (const Failure& failure) {
      sd_bus_reply_method_errorf(m, ("org.berth.Berth1.Error." + failure.code).c_str(), "%s", failure.message.c_str());
    } catch (const std::exception& failure) {
      sd_bus_reply_method_errorf(m, "org.berth.Berth1.Error.Internal", "%s: %s", method.c_str(), failure.what());
    }
    opened_.clear();
    return 1;
  }

  int hand_out(UniqueFd fd) {
    opened_.push_back(std::move(fd));
    return opened_.back().get();
  }
  int hand_out_rows(const Json& rows) { return hand_out(sealed(rows.dump())); }

  static std::string last_of(const std::string& path) {
    return *berth::decode_path_element(std::string_view(path).substr(path.rfind('/') + 1));
  }

  void later(std::uint64_t microseconds, std::function<void()> work) {
    auto* held = new Later{this, std::move(work)};
    sd_event_add_time_relative(event_, nullptr, CLOCK_MONOTONIC, microseconds, 100, [](sd_event_source*, std::uint64_t, void* data) {
      auto* job = static_cast<Later*>(data);
      job->work();
      delete job;
      return 0;
    }, held);
  }

  void publish(const std::string& type, Json metadata) {
    const Json event{{"type", type}, {"timestamp", now()}, {"project", "default"}, {"location", "none"}, {"metadata", std::move(metadata)}};
    const auto text = event.dump();
    for (auto socket = subscribers_.begin(); socket != subscribers_.end();)
      socket = ::send(socket->get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? subscribers_.erase(socket) : std::next(socket);
  }
  void lifecycle(const std::string& action, const std::string& kind, const std::string& name) {
    publish("lifecycle", {{"action", action}, {"kind", kind}, {"name", name}, {"requestor", {{"username", "root"}, {"protocol", "unix"}}}});
  }

  std::string add_operation(const std::string& description, const Json& resources, const std::string& kind = "task") {
    const auto id = berth::new_uuid().str();
    auto& operation = operations_[id];
    operation.row = {{"id", id}, {"class", kind}, {"description", description}, {"created_at", now()}, {"updated_at", now()},
                     {"status", "Running"}, {"status_code", 103}, {"resources", resources}, {"metadata", Json::object()},
                     {"may_cancel", false}, {"err", ""}, {"location", "none"}, {"project", "default"}, {"error_code", ""}};
    order_.push_back(id);
    publish("operation", operation.row);
    return id;
  }
  void end_operation(const std::string& id, const std::string& error = {}, const std::string& code = "Internal") {
    auto& row = operations_[id].row;
    row["updated_at"] = now();
    row["status_code"] = error.empty() ? 200 : 400;
    row["status"] = error.empty() ? "Success" : "Failure";
    row["err"] = error;
    if (!error.empty()) row["error_code"] = "org.berth.Berth1.Error." + code;
    publish("operation", row);
  }
  static std::string path_of_operation(const std::string& id) { return "/org/berth/Berth1/operation/" + berth::encode_path_element(id); }

  /// Work that ends a little later, as real work does.
  Json soon(const std::string& description, const Json& resources, std::function<std::string()> work) {
    const auto id = add_operation(description, resources);
    later(15'000, [this, id, work = std::move(work)] { end_operation(id, work()); });
    return {path_of_operation(id)};
  }

  Json& instance(const std::string& name) {
    const auto found = instances_.find(name);
    if (found == instances_.end()) fail("NotFound", "Instance not found");
    return found->second;
  }
  static Json stopped_state() {
    return {{"status", "Stopped"}, {"status_code", 102}, {"disk", Json::object()},
            {"memory", {{"usage", 0}, {"usage_peak", 0}, {"swap_usage", 0}, {"swap_usage_peak", 0}}}, {"network", Json::object()},
            {"pid", 0}, {"processes", 0}, {"cpu", {{"usage", 0}}}};
  }
  Json instance_row(const std::string& name, const std::string& detail) {
    auto row = instance(name);
    auto config = Json::object();
    auto devices = Json::object();
    for (const auto& profile : row["profiles"]) {
      config.update(profiles_[profile.get<std::string>()]["config"]);
      devices.update(profiles_[profile.get<std::string>()]["devices"]);
    }
    config.update(row["config"]);
    devices.update(row["devices"]);
    row["expanded_config"] = config;
    row["expanded_devices"] = devices;
    if (detail == "full") {
      auto state = stopped_state();
      state["status"] = row["status"];
      state["status_code"] = row["status_code"];
      if (row["status_code"] != 102) {
        state["pid"] = ::getpid();
        state["processes"] = 1;
      }
      row["state"] = state;
    }
    return row;
  }
  static void set_status(Json& row, const std::string& status, int code) {
    row["status"] = status;
    row["status_code"] = code;
  }

  static void merge(Json& into, const Json& changes, bool replace) {
    for (const auto* field : {"config", "devices", "properties"}) {
      if (!changes.contains(field)) continue;
      if (replace) {
        into[field] = changes[field];
        continue;
      }
      for (const auto& [key, value] : changes[field].items()) {
        if (value == "")
          into[field].erase(key);
        else
          into[field][key] = value;
      }
    }
    for (const auto& [key, value] : changes.items())
      if (key != "config" && key != "devices" && key != "properties") into[key == "auto-update" ? "auto_update" : key] = value;
    into["revision"] = into.value("revision", std::uint64_t{0}) + 1;
  }
  static void check_revision(const Json& row, const Json& options) {
    if (options.contains("if-revision") && options["if-revision"] != row.value("revision", Json()))
      fail("RevisionMismatch", "it was changed meanwhile");
  }
  static void check_config(const Json& config) {
    for (const auto& [key, value] : config.items())
      if (key.starts_with("no.such")) fail("InvalidArgument", "Unknown configuration key: " + key);
  }

  Json dispatch(const std::string& interface, const std::string& member, const std::string& path, const Json& a, std::vector<UniqueFd>& fds) {
    if (interface == "Session") {
      if (bound_.contains(sender_)) fail("FailedPrecondition", "bound already");
      int accepting = 1;
      socklen_t size = sizeof accepting;
      if (::getsockopt(fds.at(0).get(), SOL_SOCKET, SO_ACCEPTCONN, &accepting, &size) != 0 || accepting != 0) fail("AccessDenied", "no peer");
      bound_.insert(sender_);
      ++bindings_;
      return Json::array();
    }
    if (interface == "Manager") return manager(member, a, fds);
    if (interface == "Instance") return on_instance(member, last_of(path), a);
    if (interface == "Operation") return on_operation(member, last_of(path), a);
    if (interface == "Profile") return on_profile(member, last_of(path), a);
    if (interface == "Image") return on_image(member, last_of(path), a);
    if (interface == "StoragePool") {
      if (last_of(path) != "default") fail("NotFound", "Storage pool not found");
      if (member == "GetConfig") return {Json{{"name", "default"}, {"driver", "dir"}, {"description", ""}, {"config", {{"source", "/x"}}}, {"status", "Created"}}};
      return {Json{{"space_used", 1}, {"space_total", 2}, {"inodes_used", 3}, {"inodes_total", 4}}};
    }
    fail("NotSupported", interface);
  }

  Json manager(const std::string& member, const Json& a, std::vector<UniqueFd>& fds) {
    if (member == "DescribeServer") {
      auto environment = environment_;
      environment["bindings"] = bindings_;
      return {hand_out_rows(Json::array({Json{{"environment", environment}, {"config", config_}, {"revision", 1}}}))};
    }
    if (member == "SetServerConfig") {
      if (a[0].contains("no.such")) fail("InvalidArgument", "cannot set 'no.such' to '1': unknown key");
      if (a[1].value("replace", false)) config_ = Json::object();
      for (const auto& [key, value] : a[0].items())
        if (value == "")
          config_.erase(key);
        else
          config_[key] = value;
      return Json::array();
    }
    if (member == "Subscribe") {
      int pair[2];
      if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) fail("Internal", "socketpair");
      subscribers_.emplace_back(pair[0]);
      return {hand_out(UniqueFd(pair[1]))};
    }
    if (member == "DescribeInstances") {
      auto rows = Json::array();
      const auto detail = a[1].value("detail", "config");
      if (a[1].contains("names"))
        for (const auto& name : a[1]["names"]) rows.push_back(instance_row(name.get<std::string>(), detail));
      else if (a[0] == "" || a[0] == "default")
        for (const auto& [name, row] : instances_) rows.push_back(instance_row(name, detail));
      return {hand_out_rows(rows)};
    }
    if (member == "DescribeOperations") {
      auto rows = Json::array();
      if (a[1].contains("ids")) {
        for (const auto& id : a[1]["ids"]) {
          const auto found = operations_.find(id.get<std::string>());
          if (found == operations_.end()) fail("NotFound", "Operation not found");
          rows.push_back(found->second.row);
        }
      } else {
        for (const auto& id : order_) rows.push_back(operations_[id].row);
      }
      return {hand_out_rows(rows)};
    }
    if (member == "CreateInstance") return create_instance(a[1], a[2]);
    if (member == "ImportImage") return import_image(a[2], fds);
    if (member == "DescribeImages") {
      auto rows = Json::array();
      if (a[1].contains("references")) {
        for (const auto& reference : a[1]["references"]) rows.push_back(image_row(resolve(reference.get<std::string>())));
      } else {
        for (const auto& [fingerprint, row] : images_) rows.push_back(image_row(fingerprint));
      }
      return {hand_out_rows(rows)};
    }
    if (member == "ListImageAliases") {
      auto rows = Json::array();
      for (const auto& [name, alias] : aliases_) rows.push_back(Json::array({name, alias["target"], "container", alias["description"]}));
      return {rows};
    }
    if (member == "CreateImageAlias") {
      if (aliases_.contains(a[1])) fail("AlreadyExists", "Alias \"" + a[1].get<std::string>() + "\" already exists");
      if (!images_.contains(a[2])) fail("NotFound", "Image not found");
      aliases_[a[1]] = {{"target", a[2]}, {"description", a[3].value("description", "")}};
      return Json::array();
    }
    if (member.ends_with("ImageAlias")) {
      const auto name = a[1].get<std::string>();
      if (!aliases_.contains(name)) fail("NotFound", "Image alias not found");
      if (member == "UpdateImageAlias") aliases_[name].update(a[2]);
      if (member == "RenameImageAlias") {
        if (aliases_.contains(a[2])) fail("AlreadyExists", "Alias already exists");
        aliases_[a[2]] = aliases_[name];
      }
      if (member != "UpdateImageAlias") aliases_.erase(name);
      return Json::array();
    }
    if (member == "CreateProfile") {
      const auto name = a[1].get<std::string>();
      if (!berth::ProfileName::parse(name)) fail("InvalidArgument", "Profile names may not contain slashes");
      if (profiles_.contains(name)) fail("AlreadyExists", "The profile already exists");
      check_config(a[2].value("config", Json::object()));
      profiles_[name] = {{"config", a[2].value("config", Json::object())}, {"devices", a[2].value("devices", Json::object())},
                         {"description", a[2].value("description", "")}, {"revision", 1}};
      lifecycle("profile-created", "profile", name);
      return {"/org/berth/Berth1/project/default/profile/" + berth::encode_path_element(name)};
    }
    if (member == "DescribeProfiles") {
      auto rows = Json::array();
      for (const auto& [name, profile] : profiles_) {
        if (a[1].contains("names") && a[1]["names"][0] != name) continue;
        auto row = profile;
        row["name"] = name;
        row["used_by"] = Json::array();
        for (const auto& [user, instance] : instances_)
          for (const auto& used : instance["profiles"])
            if (used == name) row["used_by"].push_back({{"kind", "instances"}, {"project", "default"}, {"name", user}});
        rows.push_back(row);
      }
      if (a[1].contains("names") && rows.empty()) fail("NotFound", "Profile not found");
      return {hand_out_rows(rows)};
    }
    if (member == "ListStoragePools") return {Json::array({Json::array({"/org/berth/Berth1/storage_pool/default", "default", "dir", ""})})};
    fail("NotSupported", member);
  }

  std::string resolve(const std::string& reference) {
    for (const auto& [fingerprint, row] : images_)
      if (fingerprint.starts_with(reference)) return fingerprint;
    fail("NotFound", "Image not found");
  }
  Json image_row(const std::string& fingerprint) {
    auto row = images_[fingerprint];
    row["aliases"] = Json::array();
    for (const auto& [name, alias] : aliases_)
      if (alias["target"] == fingerprint) row["aliases"].push_back({{"name", name}, {"description", alias["description"]}});
    return row;
  }

  Json create_instance(const Json& asked, const Json& options) {
    const auto name = asked == "" ? std::string("made-up-name") : asked.get<std::string>();
    if (!berth::InstanceName::parse(name)) fail("InvalidArgument", "Invalid instance name: " + name);
    const auto& source = options["source"];
    std::string fingerprint;
    if (source["type"] == "image") {
      if (source.contains("alias")) {
        if (!aliases_.contains(source["alias"])) fail("NotFound", "Image alias not found");
        fingerprint = aliases_[source["alias"]]["target"];
      } else {
        fingerprint = resolve(source["fingerprint"].get<std::string>());
      }
    }
    const auto profiles = options.value("profiles", Json::array({"default"}));
    for (const auto& profile : profiles)
      if (!profiles_.contains(profile)) fail("NotFound", "Requested profile \"" + profile.get<std::string>() + "\" doesn't exist");
    check_config(options.value("config", Json::object()));
    if (instances_.contains(name)) fail("AlreadyExists", "Instance \"" + name + "\" already exists");
    auto config = options.value("config", Json::object());
    if (!fingerprint.empty()) config["volatile.base_image"] = fingerprint;
    instances_[name] = {{"name", name}, {"project", "default"}, {"type", "container"}, {"location", "none"}, {"architecture", "x86_64"},
                        {"config", config}, {"devices", options.value("devices", Json::object())}, {"profiles", profiles},
                        {"ephemeral", options.value("ephemeral", false)}, {"stateful", false}, {"description", options.value("description", "")},
                        {"created_at", now()}, {"last_used_at", 0}, {"status", "Stopped"}, {"status_code", 102}, {"revision", 1}, {"pool", "default"}};
    return soon("Creating instance", {{"instances", {name}}}, [this, name] {
      lifecycle("instance-created", "instance", name);
      return std::string();
    });
  }

  /// Reads an upload to its end, a little at a time, and makes an image of its length.
  struct Import {
    std::string id, fingerprint_seed;
    Json options;
    std::vector<UniqueFd> parts;
    std::size_t part = 0;
    std::uint64_t size = 0, sum = 0;
  };
  Json import_image(const Json& options, std::vector<UniqueFd>& fds) {
    auto import = std::make_shared<Import>();
    import->id = add_operation("Downloading image", Json::object());
    operations_[import->id].row["may_cancel"] = true;
    import->options = options;
    // fds are in the order they were read: the file, then the rootfs of the options.
    import->parts = std::move(fds);
    if (options.value("filename", "") == "refuse.tar.gz") {
      import->parts.clear();
      later(10'000, [this, import] { end_operation(import->id, "not an image", "InvalidArgument"); });
    } else {
      for (const auto& part : import->parts) ::fcntl(part.get(), F_SETFL, O_NONBLOCK);
      read_import(import);
    }
    return {path_of_operation(import->id)};
  }
  void read_import(const std::shared_ptr<Import>& import) {
    char buffer[65536];
    for (int i = 0; i < 64 && import->part < import->parts.size(); ++i) {
      const auto size = ::read(import->parts[import->part].get(), buffer, sizeof buffer);
      if (size < 0) break;
      if (size == 0) {
        ++import->part;
        continue;
      }
      for (ssize_t at = 0; at < size; ++at) import->sum = import->sum * 31 + static_cast<unsigned char>(buffer[at]);
      import->size += static_cast<std::uint64_t>(size);
    }
    if (operations_[import->id].row["status_code"] != 103) {
      import->parts.clear();
      return;
    }
    if (import->part < import->parts.size()) return later(500, [this, import] { read_import(import); });
    char digits[65];
    std::snprintf(digits, sizeof digits, "%016llx%048d", static_cast<unsigned long long>(import->sum), 0);
    const std::string fingerprint = digits;
    auto properties = Json{{"description", "test image"}};
    properties.update(import->options.value("properties", Json::object()));
    operations_[import->id].row["metadata"] = {{"fingerprint", fingerprint}, {"size", std::to_string(import->size)}};
    if (images_.contains(fingerprint)) return end_operation(import->id, "Image with same fingerprint already exists", "AlreadyExists");
    images_[fingerprint] = {{"auto_update", false}, {"properties", properties}, {"public", import->options.value("public", false)},
                            {"expires_at", 0}, {"profiles", {"default"}}, {"architecture", "x86_64"}, {"cached", false},
                            {"filename", import->options.value("filename", "")}, {"fingerprint", fingerprint}, {"size", import->size},
                            {"type", "container"}, {"created_at", 1700000000000000}, {"last_used_at", 0}, {"uploaded_at", now()}, {"revision", 1}};
    end_operation(import->id);
  }

  Json on_image(const std::string& member, const std::string& fingerprint, const Json& a) {
    if (!images_.contains(fingerprint)) fail("NotFound", "Image not found");
    if (member == "Update") {
      check_revision(images_[fingerprint], a[1]);
      merge(images_[fingerprint], a[0], a[1].value("replace", false));
      return Json::array();
    }
    if (member == "Delete")
      return soon("Deleting image", {{"images", {fingerprint}}}, [this, fingerprint] {
        images_.erase(fingerprint);
        return std::string();
      });
    fail("NotSupported", member);
  }

  Json on_profile(const std::string& member, const std::string& name, const Json& a) {
    if (!profiles_.contains(name)) fail("NotFound", "Profile not found");
    if (member == "Update") {
      check_revision(profiles_[name], a[1]);
      merge(profiles_[name], a[0], a[1].value("replace", false));
      return Json::array();
    }
    if (member == "Rename") {
      profiles_[a[0]] = profiles_[name];
      profiles_.erase(name);
      return {"/org/berth/Berth1/project/default/profile/" + berth::encode_path_element(a[0].get<std::string>())};
    }
    for (const auto& [user, row] : instances_)
      for (const auto& used : row["profiles"])
        if (used == name) fail("FailedPrecondition", "Profile is currently in use");
    profiles_.erase(name);
    return Json::array();
  }

  Json on_instance(const std::string& member, const std::string& name, const Json& a) {
    auto& row = instance(name);
    const Json self{{"instances", {name}}};
    const bool running = row["status_code"] == 103;
    if (member == "Start")
      return soon("Starting instance", self, [this, name, running]() -> std::string {
        if (running) return "The instance is already running";
        set_status(instances_[name], "Running", 103);
        instances_[name]["last_used_at"] = now();
        lifecycle("instance-started", "instance", name);
        return {};
      });
    if (member == "Stop" || member == "Restart")
      return soon(member == "Stop" ? "Stopping instance" : "Restarting instance", self, [this, name, member]() -> std::string {
        auto& it = instances_[name];
        if (it["status_code"] == 102) return "The instance is already stopped";
        set_status(it, member == "Stop" ? "Stopped" : "Running", member == "Stop" ? 102 : 103);
        lifecycle(member == "Stop" ? "instance-stopped" : "instance-restarted", "instance", name);
        if (member == "Stop" && it["ephemeral"] == true) instances_.erase(name);
        return {};
      });
    if (member == "Freeze" || member == "Unfreeze")
      return soon(member == "Freeze" ? "Freezing instance" : "Unfreezing instance", self, [this, name, member]() -> std::string {
        auto& it = instances_[name];
        if (it["status_code"] == 102) return "The container isn't running";
        set_status(it, member == "Freeze" ? "Frozen" : "Running", member == "Freeze" ? 110 : 103);
        lifecycle(member == "Freeze" ? "instance-paused" : "instance-resumed", "instance", name);
        return {};
      });
    if (member == "Rename") {
      const auto other = a[0].get<std::string>();
      if (instances_.contains(other)) fail("AlreadyExists", "Name \"" + other + "\" already in use");
      if (!berth::InstanceName::parse(other)) fail("InvalidArgument", "Invalid instance name");
      if (running) fail("FailedPrecondition", "Renaming of running instance not allowed");
      return soon("Renaming instance", self, [this, name, other] {
        instances_[other] = instances_[name];
        instances_[other]["name"] = other;
        instances_.erase(name);
        return std::string();
      });
    }
    if (member == "Delete") {
      if (row["status_code"] != 102) fail("FailedPrecondition", "Instance is running");
      return soon("Deleting instance", self, [this, name] {
        instances_.erase(name);
        lifecycle("instance-deleted", "instance", name);
        return std::string();
      });
    }
    if (member == "Update") {
      check_revision(row, a[1]);
      check_config(a[0].value("config", Json::object()));
      for (const auto& profile : a[0].value("profiles", Json::array()))
        if (!profiles_.contains(profile)) fail("NotFound", "Profile not found");
      const auto changes = a[0];
      const bool replace = a[1].value("replace", false);
      return soon("Updating instance", self, [this, name, changes, replace]() -> std::string {
        if (changes.value("description", "") == "fail") return "this change fails late";
        merge(instances_[name], changes, replace);
        lifecycle("instance-updated", "instance", name);
        return {};
      });
    }
    if (member.starts_with("Exec")) {
      if (!running) fail("FailedPrecondition", "Instance is not running");
      return exec(member, name, a[0].get<std::vector<std::string>>(), a[1]);
    }
    if (member == "OpenConsole") {
      if (!running) fail("FailedPrecondition", "Instance is not running");
      int master = -1, slave = -1;
      ::openpty(&master, &slave, nullptr, nullptr, nullptr);
      console_slaves_.emplace_back(slave);
      ::fcntl(master, F_SETFD, FD_CLOEXEC);
      ::fcntl(slave, F_SETFD, FD_CLOEXEC);
      if (::write(slave, "login: ", 7) != 7) fail("Internal", "console");
      return {hand_out(UniqueFd(master))};
    }
    if (member == "ListLogs") return {Json::array({"lxc.log", "exec_x.stdout"})};
    if (member == "OpenLog") {
      if (a[0] == "lxc.log") return {hand_out(sealed("a log\n"))};
      if (a[0] != "console.log") fail("NotFound", "no such log");
      int ends[2];
      if (::pipe2(ends, O_CLOEXEC) != 0 || ::write(ends[1], "console text\n", 13) != 13) fail("Internal", "pipe");
      ::close(ends[1]);
      return {hand_out(UniqueFd(ends[0]))};
    }
    fail("NotSupported", member);
  }

  Json exec(const std::string& member, const std::string& name, std::vector<std::string> command, const Json& options) {
    const auto id = add_operation("Executing command", {{"instances", {name}}}, member == "ExecDetached" ? "task" : "websocket");
    auto& operation = operations_[id];
    operation.command = std::move(command);
    operation.environment = options.value("environment", Json::object());
    operation.record = options.value("record-output", false);
    Json answer = Json::array({path_of_operation(id)});
    if (member == "Exec") {
      for (int i = 0; i < 3; ++i) {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) fail("Internal", "pipe");
        operation.guest.emplace_back(ends[i == 0 ? 0 : 1]);
        answer.push_back(hand_out(UniqueFd(ends[i == 0 ? 1 : 0])));
      }
    } else if (member == "ExecTerminal") {
      int master = -1, slave = -1;
      winsize size{};
      size.ws_col = static_cast<unsigned short>(options.value("width", 80U));
      size.ws_row = static_cast<unsigned short>(options.value("height", 24U));
      ::openpty(&master, &slave, nullptr, nullptr, &size);
      ::fcntl(master, F_SETFD, FD_CLOEXEC);
      ::fcntl(slave, F_SETFD, FD_CLOEXEC);
      operation.guest.emplace_back(slave);
      answer.push_back(hand_out(UniqueFd(master)));
    }
    if (member != "ExecDetached")
      operation.row["metadata"] = {{"command", operation.command}, {"environment", operation.environment}, {"interactive", member == "ExecTerminal"}};
    if (!options.value("deferred", false)) start(id);
    return answer;
  }

  void start(const std::string& id) {
    auto& operation = operations_[id];
    std::vector<char*> arguments;
    for (auto& word : operation.command) arguments.push_back(word.data());
    arguments.push_back(nullptr);
    for (const auto& [key, value] : operation.environment.items()) ::setenv(key.c_str(), value.get<std::string>().c_str(), 1);
    const pid_t child = ::fork();
    if (child == 0) {
      sigset_t none;
      sigemptyset(&none);
      sigprocmask(SIG_SETMASK, &none, nullptr);
      ::signal(SIGPIPE, SIG_DFL);
      ::setsid();
      if (operation.guest.size() == 1) ::ioctl(operation.guest[0].get(), TIOCSCTTY, 0);
      for (int i = 0; i < 3; ++i) {
        if (operation.guest.empty())
          ::dup2(::open("/dev/null", O_RDWR), i);
        else
          ::dup2(operation.guest[operation.guest.size() == 1 ? 0 : static_cast<std::size_t>(i)].get(), i);
      }
      ::execvp(arguments[0], arguments.data());
      ::_exit(127);
    }
    operation.guest.clear();
    operation.pid = child;
    auto* held = new std::pair<Fake*, std::string>(this, id);
    sd_event_add_child(event_, nullptr, child, WEXITED, [](sd_event_source*, const siginfo_t* info, void* data) {
      auto* job = static_cast<std::pair<Fake*, std::string>*>(data);
      auto& ended = job->first->operations_[job->second];
      ended.row["metadata"]["return"] = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
      if (ended.record) ended.row["metadata"]["output"] = {{"1", "exec_" + job->second + ".stdout"}, {"2", "exec_" + job->second + ".stderr"}};
      ended.pid = 0;
      job->first->end_operation(job->second);
      delete job;
      return 0;
    }, held);
  }

  Json on_operation(const std::string& member, const std::string& id, const Json& a) {
    const auto found = operations_.find(id);
    if (found == operations_.end()) fail("NotFound", "Operation not found");
    auto& operation = found->second;
    if (member == "Begin") {
      if (operation.guest.empty()) fail("FailedPrecondition", "there is nothing to begin");
      start(id);
      return Json::array();
    }
    if (member == "SendSignal") {
      if (operation.pid == 0) fail("FailedPrecondition", "nothing runs");
      ::kill(operation.pid, a[0].get<int>());
      return Json::array();
    }
    if (member == "Cancel") {
      if (operation.row["may_cancel"] != true || operation.row["status_code"] != 103) fail("FailedPrecondition", "This operation can't be cancelled");
      operation.row["status_code"] = 401;
      operation.row["err"] = "cancelled";
      publish("operation", operation.row);
      return Json::array();
    }
    fail("NotSupported", member);
  }

  std::map<std::string, Signature> contract_;
  sd_event* event_ = nullptr;
  sd_bus* bus_ = nullptr;
  std::string sender_;
  std::set<std::string> bound_;
  bool require_binding_ = ::getenv("FAKE_UNBOUND") == nullptr;
  int bindings_ = 0;
  std::vector<UniqueFd> opened_;
  std::list<UniqueFd> subscribers_;
  std::list<UniqueFd> console_slaves_;
  std::map<std::string, Json> instances_, images_, aliases_, profiles_;
  std::map<std::string, Operation> operations_;
  std::vector<std::string> order_;
  Json environment_, config_ = Json::object();
};

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> files(argv + 1, argv + argc);
  return Fake(load_contract(files)).run();
}
