#pragma once

#include "base/result.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace berth::cli {

class Context;
using Strings = std::vector<std::string>;

/// One option of a command, and where its value goes. The target must live as long as the command: commands keep
/// theirs in a shared struct that `run` holds.
struct Flag {
  /// `--console` alone means `value`, `--console=x` means x.
  struct Optional {
    std::string* target;
    std::string value;
  };
  std::string names;  ///< "-f,--force"
  std::variant<bool*, std::string*, int*, Strings*, Optional> target;
  std::string help;
};

/// One command as a user sees it: how it is called, what its help says, what it does. A command with `commands` is a
/// group and does nothing itself.
struct Command {
  static constexpr std::size_t kAny = static_cast<std::size_t>(-1);

  std::string name;
  Strings aliases;
  std::string arguments;    ///< for the usage line: "[<remote>:]<instance>"
  std::string summary;      ///< one line
  std::string description;  ///< more lines below the summary; may be empty
  std::string examples;
  std::size_t least = 0;  ///< how many arguments it takes
  std::size_t most = 0;
  std::vector<Flag> flags;
  /// Gives the exit status. It has what the user typed, checked for its count alone.
  std::function<Result<int>(Context&, const Strings&)> run;
  std::vector<Command> commands;
};

/// A group: its commands are what it is for.
Command group(std::string name, std::string summary, std::vector<Command> commands, std::string description = {});

/// What can be said before or after any command.
struct Globals {
  std::string project;
  bool force_local = false;
  bool quiet = false;
  bool debug = false;
  bool verbose = false;
};

/// The help of the command at the end of `path` (its ancestors first).
std::string help_text(const std::vector<const Command*>& path);

/// What a command line asks for.
struct Invocation {
  std::vector<const Command*> path;  ///< the root first
  Strings arguments;
  bool help = false;
  bool version = false;
};

/// Reads the words after the program's name and fills the flags of the command they name, and `globals`.
/// Errors: InvalidArgument for an unknown command or flag and for a bad value; the message is for the user.
Result<Invocation> parse_command_line(const Command& root, Globals& globals, const Strings& words);

}  // namespace berth::cli
