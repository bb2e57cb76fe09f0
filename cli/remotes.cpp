#include "cli/remotes.hpp"

#include "base/unique_fd.hpp"
#include "cli/output/text.hpp"
#include "cli/output/yaml.hpp"
#include "cli/terminal.hpp"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::cli {
namespace {

std::string environment(const char* name) {
  const auto* const value = std::getenv(name);
  return value ? value : "";
}

std::string home_folder() {
  if (auto home = environment("HOME"); !home.empty()) return home;
  const auto* const entry = ::getpwuid(::getuid());
  return entry ? entry->pw_dir : "/";
}

std::string configuration_folder() {
  for (const auto* const name : {"BERTH_CONF", "LXD_CONF"})
    if (auto folder = environment(name); !folder.empty()) return folder;
  return home_folder() + "/.config/lxc";
}

std::string text_at(const YAML::Node& node, const char* name) {
  const auto child = node[name];
  return child && child.IsScalar() ? child.Scalar() : std::string();
}

bool flag_at(const YAML::Node& node, const char* name) {
  bool flag = false;
  const auto child = node[name];
  return child && YAML::convert<bool>::decode(child, flag) && flag;
}

Remote local_remote() { return {.address = "unix://", .auth_type = "file access", .is_static = true}; }

void read_remotes(const YAML::Node& nodes, std::map<std::string, Remote>& remotes) {
  for (const auto& entry : nodes) {
    const auto& node = entry.second;
    Remote remote{.address = text_at(node, "addr"),
                  .auth_type = text_at(node, "auth_type"),
                  .project = text_at(node, "project"),
                  .protocol = text_at(node, "protocol"),
                  .domain = text_at(node, "domain"),
                  .is_public = flag_at(node, "public")};
    if (remote.protocol.empty()) remote.protocol = "lxd";
    // As older files have it.
    if (remote.address.starts_with("unix:/") && !remote.address.starts_with("unix://")) remote.address.insert(5, "//");
    remotes.insert_or_assign(entry.first.Scalar(), std::move(remote));
  }
}

}  // namespace

Json remote_object(const Remote& remote) {
  Json object{{"addr", remote.address}, {"public", remote.is_public}};
  if (remote.is_static && remote.project.empty()) return object;
  const std::pair<const char*, const std::string&> texts[] = {{"auth_type", remote.auth_type},
                                                              {"project", remote.project},
                                                              {"protocol", remote.protocol},
                                                              {"domain", remote.domain}};
  for (const auto& [name, text] : texts)
    if (!text.empty()) object[name] = text;
  return object;
}

Configuration Configuration::only_local() {
  Configuration made;
  made.remotes.emplace("local", local_remote());
  return made;
}

Result<Configuration> Configuration::parse(const std::string& text, std::string folder) {
  auto made = only_local();
  made.folder_ = std::move(folder);
  try {
    const auto root = YAML::Load(text);
    if (root.IsNull()) return made;
    if (!root.IsMap()) return Error{Code::InvalidArgument, "it is no map"};
    if (const auto nodes = root["remotes"]; nodes && nodes.IsMap()) read_remotes(nodes, made.remotes);
    if (const auto nodes = root["aliases"]; nodes && nodes.IsMap())
      for (const auto& entry : nodes) made.aliases[entry.first.Scalar()] = entry.second.Scalar();
    if (auto name = text_at(root, "default-remote"); !name.empty()) made.default_remote = std::move(name);
  } catch (const YAML::Exception& failure) {
    return Error{Code::InvalidArgument, failure.what()};
  }
  // Whatever a file says of it: local is this machine. Only its project is the user's to choose.
  auto local = local_remote();
  local.project = made.remotes["local"].project;
  made.remotes["local"] = std::move(local);
  return made;
}

Result<Configuration> Configuration::load() {
  auto folder = configuration_folder();
  const auto path = folder + "/config.yml";
  auto text = read_configuration_file(path);
  // Whoever runs this with the home of somebody else has no configuration there.
  if (!text && text.error().code != Code::NotFound && text.error().code != Code::AccessDenied)
    return std::move(text).error();
  auto made = parse(text ? *text : std::string(), std::move(folder));
  if (!made) return std::move(made).error().within("cannot read the configuration " + path);
  return made;
}

std::string Configuration::text() const {
  auto listed = Json::object();
  for (const auto& [name, remote] : remotes)
    if (!remote.is_static || !remote.project.empty()) listed[name] = remote_object(remote);
  return yaml_text(Json{{"default-remote", default_remote}, {"remotes", listed}, {"aliases", Json(aliases)}});
}

Result<void> Configuration::save() const { return write_configuration_file(folder_ + "/config.yml", text(), 0600); }

Result<RemoteName> Configuration::split(std::string_view argument) const {
  const auto colon = argument.find(':');
  if (colon == std::string_view::npos) return RemoteName{.remote = default_remote, .name = std::string(argument)};
  RemoteName named{.remote = std::string(argument.substr(0, colon)), .name = std::string(argument.substr(colon + 1))};
  BERTH_CHECK(find(named.remote));
  return named;
}

Result<const Remote*> Configuration::find(const std::string& name) const {
  const auto found = remotes.find(name);
  if (found != remotes.end()) return &found->second;
  return Error{Code::NotFound, "The remote \"" + printable(name) + "\" doesn't exist"};
}

std::string Configuration::certificate_path(const std::string& remote) const {
  return folder_ + "/servercerts/" + remote + ".crt";
}

Result<void> check_remote_name(const std::string& name) {
  if (name.empty() || name.front() == '.' || name.find_first_of(":/") != std::string::npos || printable(name) != name)
    return Error{Code::InvalidArgument, "Remote names may not be empty, begin with a dot, or have colons and slashes"};
  return {};
}

Result<std::string> read_configuration_file(const std::string& path) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file && (errno == ENOENT || errno == ENOTDIR)) return Error{Code::NotFound, path + " is not there"};
  if (!file && errno == EACCES) return Error{Code::AccessDenied, "cannot open " + path + ": permission denied"};
  if (!file) return system_error("cannot open " + path, errno);
  return read_all(file.get());
}

Result<void> write_configuration_file(const std::string& path, const std::string& text, unsigned mode) {
  std::error_code failure;
  const auto folder = std::filesystem::path(path).parent_path();
  if (!std::filesystem::exists(folder, failure)) {
    std::filesystem::create_directories(folder, failure);
    if (failure) return system_error("cannot make the folder " + folder.string(), failure.value());
    std::filesystem::permissions(folder, std::filesystem::perms(0750), failure);
  }
  std::string temporary = path + ".XXXXXX";
  const UniqueFd file(::mkostemp(temporary.data(), O_CLOEXEC));
  if (!file) return system_error("cannot write " + path, errno);
  const bool written = ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fchmod(file.get(), mode) == 0 && ::fsync(file.get()) == 0 &&
                       ::rename(temporary.c_str(), path.c_str()) == 0;
  if (written) return {};
  const int saved = errno;
  ::unlink(temporary.c_str());
  return system_error("cannot write " + path, saved);
}

}  // namespace berth::cli
