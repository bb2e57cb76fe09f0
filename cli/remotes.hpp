#pragma once

#include "base/result.hpp"
#include "cli/output/shape.hpp"

#include <map>
#include <string>
#include <string_view>

namespace berth::cli {

/// A server that the user has a name for.
struct Remote {
  std::string address;  ///< "unix://" (this machine's daemon), "unix:///path", "https://host:port"
  std::string auth_type;
  std::string project;           ///< the project to work in; empty for the server's default
  std::string protocol = "lxd";  ///< "lxd" or "simplestreams"
  std::string domain;            ///< of an authentication that Berth does not have; kept for other programs
  bool is_public = false;        ///< images are all it has
  bool is_static = false;        ///< always there, and in no file

  bool is_local() const noexcept { return address == "unix://" || address == "unix:"; }
};

/// `remote:name`, taken apart.
struct RemoteName {
  std::string remote;
  std::string name;  ///< may be empty
};

/// The user's own configuration: remotes and aliases, in a folder that `lxc` and Berth may share: config.yml,
/// client.crt and client.key (who the user is), client.ca (an authority for all servers), servercerts/REMOTE.crt (the
/// certificates that the user has confirmed).
class Configuration {
 public:
  /// The folder is $BERTH_CONF, $LXD_CONF, or ~/.config/lxc. One that is not there is an empty configuration.
  /// Errors: InvalidArgument for a file that is no configuration; Internal.
  static Result<Configuration> load();
  /// That of `--force-local`: this machine alone.
  static Configuration only_local();
  /// From the text of a config.yml.
  static Result<Configuration> parse(const std::string& text, std::string folder);

  /// What `save` writes.
  std::string text() const;
  /// Errors: Internal, naming the file.
  Result<void> save() const;

  /// Takes `[remote:]name` apart. Errors: NotFound for an unknown remote.
  Result<RemoteName> split(std::string_view argument) const;
  /// Errors: NotFound.
  Result<const Remote*> find(const std::string& name) const;

  /// Where the certificate is that the user confirmed for a remote.
  std::string certificate_path(const std::string& remote) const;
  const std::string& folder() const noexcept { return folder_; }

  std::string default_remote = "local";
  std::map<std::string, Remote> remotes;
  std::map<std::string, std::string> aliases;

 private:
  std::string folder_;
};

/// A remote as config.yml has it.
Json remote_object(const Remote& remote);

/// Whether a text can be a remote's name: it is a file's name, too. Errors: InvalidArgument.
Result<void> check_remote_name(const std::string& name);

/// Writes a file of the configuration as a whole or not at all; its folder is made when it is not there.
Result<void> write_configuration_file(const std::string& path, const std::string& text, unsigned mode);
/// Errors: NotFound, AccessDenied, Internal.
Result<std::string> read_configuration_file(const std::string& path);

}  // namespace berth::cli
