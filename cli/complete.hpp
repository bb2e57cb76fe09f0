#pragma once

#include "cli/command.hpp"

#include <span>

namespace berth::cli {

/// What could stand in the place of the last word.
struct Candidates {
  Strings words;
  bool files = false;  ///< names of files as well, which the shell knows
};

/// Which kind of thing an argument of a command is, from its usage line.
struct ArgumentKind {
  std::string name;         ///< "instance", "key", "path"; empty for none that is known
  bool has_remote = false;  ///< `[remote:]` may stand in front of it
  bool has_snapshot = false;
  bool has_path = false;  ///< `/path` stands behind it
  bool repeats = false;
};
/// The kinds in "[<remote>:]<instance>[/<snapshot>] <key>=<value>...".
std::vector<ArgumentKind> argument_kinds(const std::string& usage);

/// Gives what could be typed next, for the words of a command line without the program's name, the last of which is
/// being typed and may be empty. Names come from the server. Never fails: where nothing is known nothing is offered.
Candidates complete(Context& context, const Command& root, const Strings& words);

/// The keys of instances and profiles, and those of the server, as this build knows them.
std::span<const std::string_view> known_instance_keys();
std::span<const std::string_view> known_server_keys();

}  // namespace berth::cli
