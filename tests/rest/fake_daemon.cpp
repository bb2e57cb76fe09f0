// A stand-in for berthd behind the D-Bus contract, for the tests of the bridge: a small model in memory, commands that run
// as plain processes of the host. Every call's signature is held against the interface files, both ways.
#include "tests/support/instance_lines.hpp"
#include "tests/rest/fake_objects.hpp"

namespace berth::fake {
namespace {

class Fake final : public FakeObjects {
 public:
  using FakeObjects::FakeObjects;

 private:
  Json dispatch(const std::string& interface, const std::string& member, const std::string& path, const Json& a,
                std::vector<UniqueFd>& fds) override {
    if (interface == "Session" && member == "GetListeners") {
      const Json off{{"certificate", ""}, {"key", ""}, {"allowed_origin", "https://allowed.example"}, {"allowed_methods", "GET"},
                     {"allowed_headers", ""}, {"allowed_credentials", false}};
      return {hand_out_rows(Json::array({off})), Json::array()};
    }
    if (interface == "Session" && member == "AddPeer") {
      if (!bound_.contains(sender_)) fail("AccessDenied", "not bound");
      return Json::array();
    }
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
    if (interface == "Instance") return on_instance(member, last_of(path), a, fds);
    if (interface == "Operation") return on_operation(member, last_of(path), a);
    if (interface == "Profile") return on_profile(member, last_of(path), a);
    if (interface == "Certificate") {
      auto& row = certificates_[last_of(path)];
      if (member == "Update") row.update(a[0]);
      if (member == "Delete") certificates_.erase(last_of(path));
      return Json::array();
    }
    if (interface == "Project") return on_project(member, last_of(path), a);
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
    if (member == "AddCertificate") {
      // The sum of the bytes does for a fingerprint here.
      std::uint64_t sum = 0;
      for (const auto& byte : a[1]) sum = sum * 31 + byte.get<std::uint64_t>();
      char digits[65];
      std::snprintf(digits, sizeof digits, "%016llx%048d", static_cast<unsigned long long>(sum), 0);
      if (certificates_.contains(digits)) fail("AlreadyExists", "Certificate already in trust store");
      certificates_[digits] = {{"fingerprint", digits}, {"name", a[0]}, {"type", "client"}, {"certificate", "PEM"}, {"restricted", false},
                               {"projects", Json::array()}, {"revision", 1}, {"created_at", now()}};
      return {"/org/berth/Berth1/certificate/" + berth::encode_path_element(digits)};
    }
    if (member == "DescribeCertificates") {
      auto rows = Json::array();
      for (const auto& [fingerprint, row] : certificates_)
        if (!a[0].contains("references") || fingerprint.starts_with(a[0]["references"][0].get<std::string>())) rows.push_back(row);
      if (a[0].contains("references") && rows.empty()) fail("NotFound", "Certificate not found");
      return {hand_out_rows(rows)};
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
      return {hand_out(sealed(instance_lines(rows)))};
    }
    if (member == "ChangeInstances") {
      auto names = Json::array();
      for (const auto& [name, row] : instances_)
        if ((row["status_code"] == 102) == (a[1] == "start")) names.push_back(name);
      return soon("Stopping instance", Json{{"instances", names}}, [this, names, up = a[1] != "stop"]() -> std::string {
        for (const auto& name : names) set_status(instances_[name.get<std::string>()], up ? "Running" : "Stopped", up ? 103 : 102);
        return {};
      });
    }
    if (member == "ListInstances") {
      auto rows = Json::array();
      if (a[0] == "" || a[0] == "default")
        for (const auto& [name, row] : instances_)
          rows.push_back({"/org/berth/Berth1/project/default/instance/" + name, "default", name, "container", "stopped", "x86_64",
                          false, 0U, 0U});
      return Json::array({rows});
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
      return Json::array({rows});
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
    if (member == "CreateProject") {
      const auto name = a[0].get<std::string>();
      if (projects_.contains(name)) fail("AlreadyExists", "Project \"" + name + "\" already exists");
      projects_[name] = {{"config", a[1].value("config", Json::object())}, {"description", a[1].value("description", "")},
                         {"revision", 1}, {"created_at", now()}};
      return {"/org/berth/Berth1/project/" + berth::encode_path_element(name)};
    }
    if (member == "DescribeProjects") {
      auto rows = Json::array();
      for (const auto& [name, project] : projects_) {
        if (a[0].contains("names") && a[0]["names"][0] != name) continue;
        auto row = project;
        row["name"] = name;
        row["used_by"] = Json::array({Json{{"kind", "profiles"}, {"project", name}, {"name", "default"}}});
        rows.push_back(row);
      }
      if (a[0].contains("names") && rows.empty()) fail("NotFound", "Project \"x\" not found");
      return {hand_out_rows(rows)};
    }
    if (member == "ListStoragePools") return {Json::array({Json::array({"/org/berth/Berth1/storage_pool/default", "default", "dir", ""})})};
    fail("NotSupported", member);
  }
};

}  // namespace
}  // namespace berth::fake

int main(int argc, char** argv) {
  const std::vector<std::string> files(argv + 1, argv + argc);
  return berth::fake::Fake(berth::fake::load_contract(files)).run();
}
