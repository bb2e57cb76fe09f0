#pragma once

#include "tests/rest/fake_base.hpp"

namespace berth::fake {

/// What the objects of the stand-in do: instances and their commands, images, profiles, operations.
class FakeObjects : public FakeBase {
 public:
  using FakeBase::FakeBase;

 protected:
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

  Json on_project(const std::string& member, const std::string& name, const Json& a) {
    if (!projects_.contains(name)) fail("NotFound", "Project \"" + name + "\" not found");
    const bool used = name == "full";
    if (member == "GetState") return {Json{{"resources", {{"cpu", {{"limit", -1}, {"usage", 3}}}}}}};
    if (member == "Update") {
      check_revision(projects_[name], a[1]);
      merge(projects_[name], a[0], a[1].value("replace", false));
      projects_[name]["revision"] = projects_[name]["revision"].get<int>() + 1;
      return Json::array();
    }
    if (member == "Rename")
      return soon("Renaming project", Json::object(), [this, name, used, to = a[0].get<std::string>()] {
        if (used) return std::string("Only empty projects can be renamed");
        projects_[to] = projects_[name];
        projects_.erase(name);
        return std::string();
      });
    if (used) fail("FailedPrecondition", "Only empty projects can be removed");
    projects_.erase(name);
    return Json::array();
  }
  std::map<std::string, Json> projects_{
      {"default", {{"config", {{"features.images", "true"}}}, {"description", "Default LXD project"}, {"revision", 1}, {"created_at", 5}}}};

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

  Json on_instance(const std::string& member, const std::string& name, const Json& a, std::vector<UniqueFd>& fds) {
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
    if (member == "Move") {
      if (a[0] == "nowhere") fail("NotFound", "Project not found");
      if (running) fail("FailedPrecondition", "only a stopped one can be moved");
      return soon("Moving instance", self, [this, name] {
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
      return exec(member, name, a[0].get<std::vector<std::string>>(), a[1], fds);
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
    if (member == "RemoveLog") {
      if (a[0] != "console.log" && a[0] != "exec_x.stdout") fail("NotFound", "no such log");
      return Json::array();
    }
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

  Json exec(const std::string& member, const std::string& name, std::vector<std::string> command, const Json& options,
            std::vector<UniqueFd>& fds) {
    const auto id = add_operation("Executing command", {{"instances", {name}}}, member == "ExecDetached" ? "task" : "websocket");
    auto& operation = operations_[id];
    operation.command = std::move(command);
    operation.environment = options.value("environment", Json::object());
    operation.record = options.value("record-output", false);
    if (options.contains("lifeline")) operation.lifeline = std::move(fds.at(options["lifeline"].get<std::size_t>()));
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
    if (operation.lifeline) watch_lifeline(id, operation.lifeline.get());
    auto* held = new std::pair<FakeObjects*, std::string>(this, id);
    sd_event_add_child(event_, nullptr, child, WEXITED, [](sd_event_source*, const siginfo_t* info, void* data) {
      auto* job = static_cast<std::pair<FakeObjects*, std::string>*>(data);
      auto& ended = job->first->operations_[job->second];
      ended.row["metadata"]["return"] = info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
      if (ended.record) ended.row["metadata"]["output"] = {{"1", "exec_" + job->second + ".stdout"}, {"2", "exec_" + job->second + ".stderr"}};
      ended.pid = 0;
      const auto code = ended.row["metadata"]["return"].dump() + "\n";
      if (ended.lifeline) (void)!::send(ended.lifeline.get(), code.data(), code.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
      if (ended.lifeline) ::shutdown(ended.lifeline.get(), SHUT_RDWR);
      job->first->end_operation(job->second);
      delete job;
      return 0;
    }, held);
  }

  /// Asked only when it has something to say, and then never again: a byte lets the command go, the end kills it.
  void watch_lifeline(const std::string& id, int fd) {
    auto* held = new std::pair<FakeObjects*, std::string>(this, id);
    sd_event_source* source = nullptr;
    sd_event_add_io(event_, &source, fd, EPOLLIN, [](sd_event_source* from, int line, std::uint32_t, void* data) {
      auto* job = static_cast<std::pair<FakeObjects*, std::string>*>(data);
      const auto& operation = job->first->operations_[job->second];
      char byte = 0;
      if (::recv(line, &byte, 1, MSG_DONTWAIT) == 0 && operation.pid > 0) {
        // As the supervisor does: the group may not be there yet, and the command may have left it.
        ::kill(-operation.pid, SIGKILL);
        ::kill(operation.pid, SIGKILL);
      }
      sd_event_source_unref(from);
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
};

}  // namespace berth::fake
