#include "cli/complete_names.hpp"

#include "cli/guest_files.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"

#include <algorithm>
#include <config_keys.hpp>

namespace berth::cli {
namespace {

/// The last parts of the URLs in a list of the API.
Strings listed(Server& server, const std::string& target) {
  Strings names;
  const auto urls = server.get(target);
  if (!urls || !urls->is_array()) return names;
  for (const auto& url : *urls)
    if (url.is_string()) names.push_back(name_in_url(url.get<std::string>()));
  return names;
}

Strings keys_of(const Json& map) {
  Strings names;
  if (map.is_object())
    for (const auto& [name, value] : map.items()) names.push_back(name);
  return names;
}

Json object_at(Server& server, const std::string& path) {
  auto object = server.get(path);
  return object ? *std::move(object) : Json();
}

/// Aliases of images, and fingerprints once somebody has begun to type one.
Strings images(Server& server, const std::string& typed) {
  auto names = listed(server, "/1.0/images/aliases");
  if (typed.find_first_not_of("0123456789abcdef") == std::string::npos && !typed.empty())
    for (auto& fingerprint : listed(server, "/1.0/images")) names.push_back(fingerprint.substr(0, 12));
  return names;
}

Strings operations(Server& server) {
  Strings names;
  const auto by_status = object_at(server, "/1.0/operations");
  for (const auto& urls : by_status)
    for (const auto& url : urls)
      if (url.is_string()) names.push_back(name_in_url(url.get<std::string>()));
  return names;
}

/// `web/etc/h` to what is in that folder of the instance.
Strings guest_paths(Server& server, const std::string& typed) {
  const auto slash = typed.find('/');
  Strings names;
  if (slash == std::string::npos) {
    for (auto& name : listed(server, "/1.0/instances")) names.push_back(name + '/');
    return names;
  }
  const auto folder = typed.substr(0, typed.rfind('/') + 1);
  const GuestPath path{.instance = {.server = &server, .remote = {}, .name = typed.substr(0, slash)},
                       .path = folder.substr(slash),
                       .is_folder = true};
  const auto file = open_guest_file(path);
  if (file)
    for (const auto& entry : file->entries)
      if (printable(entry) == entry) names.push_back(folder + entry);
  return names;
}

Strings snapshots(Server& server, const std::string& instance) {
  Strings names;
  for (auto& name : listed(server, api_path("instances", instance) + "/snapshots")) names.push_back(std::move(name));
  return names;
}

Strings instances(Server& server, const ArgumentKind& kind, const std::string& typed) {
  if (kind.has_path) return guest_paths(server, typed);
  const auto slash = typed.find('/');
  if (slash == std::string::npos || !kind.has_snapshot) return listed(server, "/1.0/instances");
  Strings names;
  for (const auto& name : snapshots(server, typed.substr(0, slash))) names.push_back(typed.substr(0, slash + 1) + name);
  return names;
}

/// Keys of what the command is about: those that are set, to be read or unset; all that are known, to be set.
Strings keys(Server& server, const Strings& path, const std::string& owner) {
  const auto group = path.empty() ? std::string() : path.front();
  const auto verb = path.empty() ? std::string() : path.back();
  const bool sets = verb == "set";
  std::string place = owner.empty() ? "/1.0" : api_path("instances", owner);
  if (group == "profile") place = api_path("profiles", owner);
  if (group == "project") place = api_path("projects", owner);
  if (group == "image") return keys_of(child_of(object_at(server, api_path("images/aliases", owner)), "properties"));
  auto names = keys_of(child_of(object_at(server, place), "config"));
  if (sets && group != "project") {
    const auto known = owner.empty() ? known_server_keys() : known_instance_keys();
    names.insert(names.end(), known.begin(), known.end());
  }
  if (sets)
    for (auto& name : names) name += '=';
  return names;
}

Strings words_of(const std::string& kind) {
  if (kind == "format") return {"compact", "csv", "json", "table", "yaml"};
  if (kind == "mode") return {"auto", "interactive", "non-interactive", "pull", "push", "relay"};
  if (kind == "compression") return {"bzip2", "gzip", "lzma", "none", "xz", "zstd"};
  if (kind == "level") return {"debug", "error", "info", "warning"};
  if (kind == "setting") {
    Strings settings;
    for (const auto key : known_instance_keys()) settings.push_back(std::string(key) + '=');
    return settings;
  }
  return {};
}

/// Names on one server.
Strings names_on(Server& server, const ArgumentKind& kind, const Strings& path, const Strings& before,
                 const std::string& typed) {
  const auto& name = kind.name;
  const auto group = path.empty() ? std::string() : path.front();
  const bool copies = path == Strings{"copy"} || path == Strings{"move"};
  if (name == "instance" || (copies && name == "source")) return instances(server, kind, typed);
  if (name == "image") return images(server, typed);
  if (name == "alias" && group == "image") return listed(server, "/1.0/images/aliases");
  if (name == "profile" || name == "profiles") return listed(server, "/1.0/profiles");
  if (name == "project") return listed(server, "/1.0/projects");
  if (name == "pool") return listed(server, "/1.0/storage-pools");
  if (name == "network") return listed(server, "/1.0/networks");
  if (name == "operation") return operations(server);
  if (name == "fingerprint") return listed(server, group == "image" ? "/1.0/images" : "/1.0/certificates");
  const auto owner = before.empty() ? std::string() : before.front().substr(before.front().find(':') + 1);
  if (name == "snapshot") return snapshots(server, owner);
  if (name == "device")
    return keys_of(
        child_of(object_at(server, api_path(group == "profile" ? "profiles" : "instances", owner)), "devices"));
  if (name == "template") {
    Strings names;
    for (const auto& one : object_at(server, api_path("instances", owner) + "/metadata/templates"))
      if (one.is_string()) names.push_back(one.get<std::string>());
    return names;
  }
  if (name == "key") return keys(server, path, owner);
  return {};
}

Strings remotes(Context& context, const char* end) {
  Strings names;
  const auto configuration = context.configuration();
  if (configuration)
    for (const auto& [name, remote] : (*configuration)->remotes) names.push_back(name + end);
  return names;
}

}  // namespace

std::span<const std::string_view> known_instance_keys() { return kInstanceKeys; }
std::span<const std::string_view> known_server_keys() { return kServerKeys; }

Strings names_for(const ArgumentKind& kind, Context& context, const Strings& path, const Strings& before,
                  const std::string& typed) {
  if (auto words = words_of(kind.name); !words.empty()) return words;
  if (kind.name == "remote" && !kind.has_remote) return remotes(context, "");
  if (path == Strings{"alias", "remove"} || path == Strings{"alias", "rename"}) {
    Strings names;
    if (const auto configuration = context.configuration())
      for (const auto& [name, target] : (*configuration)->aliases) names.push_back(name);
    return names;
  }
  // Where the server's name is the first argument's, the others are about that server as well.
  const auto& with_remote = kind.has_remote || before.empty() ? typed : before.front();
  const auto colon = with_remote.find(':');
  const auto server = context.server(colon == std::string::npos ? std::string() : with_remote.substr(0, colon));
  Strings names;
  if (kind.has_remote && colon == std::string::npos) names = remotes(context, ":");
  if (!server) return names;
  const auto prefix = kind.has_remote && colon != std::string::npos ? typed.substr(0, colon + 1) : std::string();
  for (const auto& name : names_on(**server, kind, path, before, typed.substr(prefix.size())))
    if (printable(name) == name) names.push_back(prefix + name);
  // `config get KEY` and `config set KEY=VALUE` are about the server.
  const bool optional_instance = kind.name == "instance" && path.size() == 2 && path.front() == "config" &&
                                 (path.back() == "get" || path.back() == "set" || path.back() == "unset");
  if (optional_instance)
    for (auto& key : keys(**server, path, {})) names.push_back(std::move(key));
  return names;
}

}  // namespace berth::cli
