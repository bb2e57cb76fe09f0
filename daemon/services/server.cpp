#include "daemon/services/server.hpp"

#include "base/architecture.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/server_keys.hpp"
#include "daemon/domain/storage_pool_document.hpp"
#include "daemon/services/lifecycle_events.hpp"

#include <cerrno>
#include <fstream>
#include <set>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

namespace berth::services {
namespace {

/// One key of os-release(5), without its quotes.
std::string os_release(const std::string& key) {
  std::ifstream file("/etc/os-release");
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key + "=")) continue;
    auto value = line.substr(key.size() + 1);
    if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

Document host_facts(const ServerFacts& facts) {
  utsname host{};
  (void)uname(&host);
  std::vector<Document> drivers;
  for (const auto& [name, version] : facts.storage_drivers)
    drivers.push_back({{"name", name}, {"version", version}, {"remote", false}});
  std::vector<std::string> architectures;
  if (const auto architecture = host_architecture()) architectures = runnable_architectures(*architecture);
  return {{"architectures", std::move(architectures)},
          {"driver", "lxc"},
          {"driver_version", facts.lxc_version},
          {"kernel", std::string(host.sysname)},
          {"kernel_architecture", std::string(host.machine)},
          {"kernel_version", std::string(host.release)},
          {"kernel_features", facts.kernel_features},
          {"lxc_features", facts.lxc_features},
          {"os_name", os_release("NAME")},
          {"os_version", os_release("VERSION_ID")},
          {"server", "berth"},
          {"server_version", BERTH_VERSION},
          {"server_pid", std::int64_t{getpid()}},
          {"server_name", std::string(host.nodename)},
          {"server_clustered", false},
          {"storage_supported_drivers", std::move(drivers)}};
}

/// Changes whenever the configuration does: the rows of the server have no counter of their own.
std::uint64_t revision_of(const ConfigMap& config) {
  std::uint64_t hash = 14695981039346656037U;  // FNV-1a, 64 bits
  const auto add = [&hash](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211U;
    hash = (hash ^ 0xffU) * 1099511628211U;
  };
  for (const auto& [key, value] : config) {
    add(key);
    add(value);
  }
  return hash;
}

bool has_root_in(const DeviceMap& devices, const PoolName& pool) {
  for (const auto& [name, device] : devices) {
    const auto type = device.find("type");
    const auto path = device.find("path");
    const auto in = device.find("pool");
    if (type != device.end() && type->second == "disk" && path != device.end() && path->second == "/" &&
        in != device.end() && in->second == pool.str())
      return true;
  }
  return false;
}

}  // namespace

Server::Server(Context& context, ServerFacts facts, Https& https, ports::Credentials& credentials,
               ports::HostHardware& hardware)
    : context_(context),
      https_(https),
      credentials_(credentials),
      hardware_(hardware),
      storage_versions_(facts.storage_drivers),
      fixed_(host_facts(facts)) {}

Result<Document> Server::info(const Principal&) {
  BERTH_TRY(const auto rows, context_.store.pools());
  std::set<std::string> used;
  for (const auto& row : rows) used.insert(row.driver);
  std::string names;
  std::string versions;
  for (const auto& driver : used) {
    const auto version = storage_versions_.find(driver);
    names += (names.empty() ? "" : " | ") + driver;
    versions +=
        (versions.empty() ? "" : " | ") + (version == storage_versions_.end() ? std::string("1") : version->second);
  }
  Document environment = fixed_;
  environment["storage"] = names;
  environment["storage_version"] = versions;
  environment.merge(https_.environment());
  return environment;
}

Result<Document> Server::describe(const Principal& who) {
  BERTH_TRY(auto environment, info(who));
  ConfigMap config;
  // The server's configuration is not of a project.
  if (who.kind != PrincipalKind::Restricted) {
    BERTH_TRY(config, context_.store.server_config());
  }
  const auto revision = revision_of(config);
  Document row;  // moved into place: a braced list would copy the environment once more
  row.emplace("environment", std::move(environment));
  row.emplace("config", shown_server_config(std::move(config)));
  row.emplace("revision", revision);
  return row;
}

Document Server::resources(const Principal&) { return hardware_.resources(); }

Result<ConfigMap> Server::config(const Principal&) {
  BERTH_TRY(auto config, context_.store.server_config());
  return shown_server_config(std::move(config));
}

Result<ConfigMap> Server::merged(const ConfigMap& current, const ConfigMap& changes, bool replace,
                                 const std::vector<std::string>& keep) {
  ConfigMap wanted = replace ? ConfigMap{} : current;
  for (const auto& key : keep) {
    if (!is_secret_server_key(key)) return Error{Code::InvalidArgument, "Only a secret key can be kept, not '" + key + "'"};
    if (const auto old = current.find(key); old != current.end()) wanted.insert(*old);
  }
  for (const auto& [key, value] : changes) {
    if (value.empty()) {
      wanted.erase(key);
    } else if (is_secret_server_key(key)) {
      BERTH_TRY(wanted[key], credentials_.hash_password(value));
    } else {
      wanted[key] = value;
    }
  }
  return wanted;
}

Result<void> Server::set_config(const Principal& who, const ConfigMap& config, bool replace,
                                std::optional<std::uint64_t> if_revision, const std::vector<std::string>& keep) {
  BERTH_TRY(const auto lock, context_.locks.lock("server", "The server", "configure", EntityLocks::Purpose::Cleanup));
  BERTH_TRY(const auto current, context_.store.server_config());
  if (if_revision && *if_revision != revision_of(current))
    return Error{Code::RevisionMismatch, "The server's configuration has changed meanwhile"};
  BERTH_CHECK(validate_server_config(config));
  BERTH_TRY(const auto wanted, merged(current, config, replace, keep));
  if (wanted == current) return {};
  const auto address_in = [](const ConfigMap& map) {
    const auto found = map.find(std::string(kHttpsAddressKey));
    return found == map.end() ? std::string() : found->second;
  };
  const auto address = address_in(wanted);
  std::optional<Https::Opened> opened;
  if (address != address_in(current)) {
    auto sockets = https_.open(address);
    if (!sockets) return std::move(sockets).error().within("cannot set 'core.https_address' to '" + address + "'");
    opened = *std::move(sockets);
  }
  BERTH_CHECK(context_.store.set_server_config(wanted));
  if (opened) {
    https_.adopt(*std::move(opened));
  } else {
    https_.settings_changed();
  }
  publish_lifecycle(context_, who, LifecycleSubject{"config", default_project(), "", who.uid}, "config-updated");
  return {};
}

Result<std::vector<StoragePool>> Server::pools(const Principal&) { return context_.store.pools(); }

Result<Document> Server::pool(const Principal& who, const PoolName& name) {
  BERTH_TRY(const auto row, context_.store.pool(name));
  std::vector<Reference> users;
  BERTH_TRY(const auto instances, context_.store.instances(who, std::nullopt));
  for (const auto& instance : instances)
    if (instance.pool == name) users.push_back({"instances", instance.project, instance.name.str()});
  BERTH_TRY(const auto projects, context_.store.projects(who));
  for (const auto& project : projects) {
    if (effective_project(project, ProjectFeature::Profiles) != project.name) continue;
    BERTH_TRY(const auto profiles, context_.store.profiles(who, project.name));
    for (const auto& profile : profiles)
      if (has_root_in(profile.devices, name)) users.push_back({"profiles", profile.project, profile.name.str()});
  }
  return storage_pool_document(row, users);
}

Result<Document> Server::pool_resources(const Principal&, const PoolName& name) {
  BERTH_TRY(const auto row, context_.store.pool(name));
  const auto source = row.config.find("source");
  struct statvfs space {};
  if (source == row.config.end() || statvfs(source->second.c_str(), &space) != 0)
    return system_error("cannot measure storage pool " + name.str(), errno);
  const std::uint64_t block = space.f_frsize;
  return Document{{"space_used", (space.f_blocks - space.f_bfree) * block},
                  {"space_total", space.f_blocks * block},
                  {"inodes_used", std::uint64_t{space.f_files - space.f_ffree}},
                  {"inodes_total", std::uint64_t{space.f_files}}};
}

}  // namespace berth::services
