#include "cli/complete.hpp"

#include "cli/complete_names.hpp"
#include "cli/output/text.hpp"

#include <algorithm>
#include <variant>

namespace berth::cli {
namespace {

/// The parts of a usage line at blanks that stand in no brackets.
Strings usage_parts(const std::string& usage) {
  Strings parts;
  std::string part;
  int depth = 0;
  for (const char c : usage) {
    if (c == '[' || c == '<') ++depth;
    if (c == ']' || c == '>') --depth;
    if (c == ' ' && depth == 0) {
      if (!part.empty()) parts.push_back(std::exchange(part, {}));
    } else {
      part += c;
    }
  }
  if (!part.empty()) parts.push_back(std::move(part));
  return parts;
}

bool takes_value(const Flag& flag) {
  return !std::holds_alternative<bool*>(flag.target) && !std::holds_alternative<Flag::Optional>(flag.target);
}

bool is_named(const Flag& flag, std::string_view word) {
  const auto names = split(flag.names, ',');
  return std::find(names.begin(), names.end(), word) != names.end();
}

const Flag* find_flag(const Command& command, std::string_view word) {
  for (const auto& flag : command.flags)
    if (is_named(flag, word)) return &flag;
  return nullptr;
}

const Command* find_child(const Command& parent, const std::string& word) {
  for (const auto& child : parent.commands)
    if (child.name == word || std::find(child.aliases.begin(), child.aliases.end(), word) != child.aliases.end())
      return &child;
  return nullptr;
}

constexpr std::string_view kGlobalFlags[] = {"--debug", "--force-local", "--help",   "--project",
                                             "--quiet", "--verbose",     "--version"};

/// What is known of the line when its last word is reached.
struct Line {
  Strings path;  ///< names of the command and its groups
  const Command* command = nullptr;
  Strings arguments;
  std::string flag;         ///< whose value the last word is: its longest name
  bool is_foreign = false;  ///< behind `--`
};

std::string long_name(const Flag& flag) { return split(flag.names, ',').back(); }

Line read_line(const Command& root, const Strings& words) {
  Line line{.command = &root};
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const auto& word = words[i];
    if (!line.flag.empty()) {
      line.flag.clear();
    } else if (word == "--") {
      line.is_foreign = true;
      return line;
    } else if (word.size() > 1 && word.front() == '-') {
      const auto* const flag = find_flag(*line.command, word);
      if (word == "--project") line.flag = word;
      if (flag && takes_value(*flag)) line.flag = long_name(*flag);
    } else if (const auto* const child = line.arguments.empty() ? find_child(*line.command, word) : nullptr) {
      line.command = child;
      line.path.push_back(child->name);
    } else {
      line.arguments.push_back(word);
    }
  }
  return line;
}

/// The kind of a flag's value.
std::string kind_of_flag(const std::string& flag) {
  constexpr std::pair<std::string_view, const char*> kKinds[] = {{"--project", "project"},
                                                                 {"--target-project", "project"},
                                                                 {"--projects", "project"},
                                                                 {"--profile", "profile"},
                                                                 {"--storage", "pool"},
                                                                 {"--config", "setting"},
                                                                 {"--format", "format"},
                                                                 {"--mode", "mode"},
                                                                 {"--compression", "compression"},
                                                                 {"--loglevel", "level"},
                                                                 {"--network", "network"}};
  for (const auto& [name, kind] : kKinds)
    if (name == flag) return kind;
  return {};
}

void keep_beginning(Strings& words, std::string_view beginning) {
  std::erase_if(words, [&](const std::string& word) { return !word.starts_with(beginning); });
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
}

Strings flags_of(const Command& command) {
  Strings words(std::begin(kGlobalFlags), std::end(kGlobalFlags));
  for (const auto& flag : command.flags)
    for (const auto& name : split(flag.names, ',')) words.push_back(name);
  return words;
}

}  // namespace

std::vector<ArgumentKind> argument_kinds(const std::string& usage) {
  std::vector<ArgumentKind> kinds;
  for (const auto& part : usage_parts(usage)) {
    if (part == "[flags]" || part == "[--]") continue;
    ArgumentKind kind;
    kind.repeats = part.find("...") != std::string::npos;
    kind.has_remote = part.find("<remote>:") != std::string::npos;
    kind.has_snapshot = part.find("[/<snapshot>]") != std::string::npos;
    kind.has_path = part.find("/<path>") != std::string::npos;
    for (std::size_t begin = 0; (begin = part.find('<', begin)) != std::string::npos; ++begin) {
      kind.name = part.substr(begin + 1, part.find('>', begin) - begin - 1);
      if (kind.name != "remote") break;
    }
    kinds.push_back(std::move(kind));
  }
  return kinds;
}

Candidates complete(Context& context, const Command& root, const Strings& words) {
  Candidates found;
  if (words.empty()) return found;
  const auto& last = words.back();
  const auto line = read_line(root, words);
  if (line.is_foreign) {
    found.files = true;
    return found;
  }
  if (line.flag.empty() && last.starts_with("--") && last.find('=') != std::string::npos) {
    const auto equals = last.find('=') + 1;
    found.words = names_for({.name = kind_of_flag(last.substr(0, equals - 1))}, context, {}, {}, last.substr(equals));
    for (auto& word : found.words) word.insert(0, last.substr(0, equals));
  } else if (!line.flag.empty()) {
    found.words = names_for({.name = kind_of_flag(line.flag)}, context, {}, {}, last);
  } else if (last.starts_with('-')) {
    found.words = flags_of(*line.command);
  } else if (!line.command->commands.empty()) {
    for (const auto& child : line.command->commands) found.words.push_back(child.name);
  } else {
    const auto kinds = argument_kinds(line.command->arguments);
    const auto at = line.arguments.size();
    if (at < kinds.size() || (!kinds.empty() && kinds.back().repeats)) {
      const auto& kind = kinds[std::min(at, kinds.size() - 1)];
      found.words = names_for(kind, context, line.path, line.arguments, last);
      found.files = kind.name.find("path") == 0 || kind.name == "source path" || kind.name == "target path" ||
                    kind.name == "tarball" || kind.name == "rootfs tarball" || kind.name == "backup file" ||
                    kind.name == "cert" || (kind.name == "target" && line.path.back() == "export");
      // `file push` ends in the instance's path, and until then has files.
      if (line.path == Strings{"file", "push"} && at > 0)
        found.words = names_for(kinds.back(), context, line.path, {}, last);
      if (line.path == Strings{"file", "push"}) found.files = true;
      if (line.path == Strings{"file", "pull"} && at > 0) found.files = true;
    }
  }
  keep_beginning(found.words, last);
  return found;
}

}  // namespace berth::cli
