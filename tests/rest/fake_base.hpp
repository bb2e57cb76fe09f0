#pragma once

#include "tests/rest/fake_codec.hpp"

namespace berth::fake {

/// The bus side of the stand-in: messages in and out, bindings, operations, events, and the model's rows.
class FakeBase {
 public:
  virtual ~FakeBase() = default;
  explicit FakeBase(std::map<std::string, Signature> contract) : contract_(std::move(contract)) {
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
    sd_bus_add_filter(bus_, nullptr, [](sd_bus_message* m, void* self, sd_bus_error*) { return static_cast<FakeBase*>(self)->on_message(m); }, this);
    sd_bus_attach_event(bus_, event_, 0);
    sd_bus_match_signal(bus_, nullptr, "org.freedesktop.DBus", nullptr, "org.freedesktop.DBus", "NameOwnerChanged",
        [](sd_bus_message* m, void* self, sd_bus_error*) {
          const char *name = nullptr, *old_owner = nullptr, *new_owner = nullptr;
          sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner);
          if (new_owner[0] == 0) static_cast<FakeBase*>(self)->bound_.erase(name);
          return 0;
        }, this);
    if (sd_bus_request_name(bus_, "org.berth.Berth1", 0) < 0) return 1;
    std::cout << "ready" << std::endl;
    return sd_event_loop(event_);
  }


 protected:
  struct Operation {
    Json row;
    std::vector<std::string> command;
    Json environment;
    std::vector<UniqueFd> guest;  ///< the command's ends: 0, 1, 2, or one terminal
    UniqueFd lifeline;            ///< the end of its other end kills the command
    pid_t pid = 0;
    bool record = false;
  };
  struct Later {
    FakeBase* fake;
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

  /// Work that ends a little later, as real work does; of an instance called "waits" a second later.
  Json soon(const std::string& description, const Json& resources, std::function<std::string()> work) {
    const auto id = add_operation(description, resources);
    later(resources.dump().find("\"waits\"") == std::string::npos ? 15'000 : 1'000'000, [this, id, work = std::move(work)] { end_operation(id, work()); });
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

  /// Answers one call: the values of its out arguments.
  virtual Json dispatch(const std::string& interface, const std::string& member, const std::string& path, const Json& a,
                        std::vector<UniqueFd>& fds) = 0;

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
  std::map<std::string, Json> instances_, images_, aliases_, profiles_, certificates_;
  std::map<std::string, Operation> operations_;
  std::vector<std::string> order_;
  Json environment_, config_ = Json::object();
};

}  // namespace berth::fake
