#include "cli/command.hpp"
#include "cli/output/text.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

std::string indented(const std::string& text) {
  std::string result;
  for (const auto& line : split(text, '\n')) result += (line.empty() ? "" : "  " + line) + '\n';
  return result;
}

struct Entry {
  std::string left;
  std::string right;
};

std::string columns(const std::vector<Entry>& entries) {
  std::size_t width = 0;
  for (const auto& entry : entries) width = std::max(width, entry.left.size());
  std::string text;
  for (const auto& entry : entries)
    text += "  " + entry.left + std::string(width - entry.left.size() + 3, ' ') + entry.right + '\n';
  return text;
}

/// `-f,--force` as help shows it: long names below each other.
Entry entry_of(const Flag& flag) {
  auto left = flag.names;
  if (const auto comma = left.find(','); comma != std::string::npos)
    left.insert(comma + 1, " ");
  else if (left.starts_with("--"))
    left.insert(0, "    ");
  if (const auto* optional = std::get_if<Flag::Optional>(&flag.target)) left += "[=\"" + optional->value + "\"]";
  auto right = flag.help;
  if (const auto* const* text = std::get_if<std::string*>(&flag.target); text && !(*text)->empty())
    right += " (default \"" + **text + "\")";
  if (const auto* const* number = std::get_if<int*>(&flag.target))
    right += " (default " + std::to_string(**number) + ')';
  return {.left = std::move(left), .right = std::move(right)};
}

const std::vector<Entry>& global_entries() {
  static const std::vector<Entry> entries{
      {"    --debug", "Show each request to the daemon"},
      {"    --force-local", "Use this machine's daemon (there is no other)"},
      {"-h, --help", "Print help"},
      {"    --project", "Work in this project"},
      {"-q, --quiet", "Don't show progress information"},
      {"-v, --verbose", "Show what is being done"},
      {"    --version", "Print version number"},
  };
  return entries;
}

}  // namespace

std::string help_text(const std::vector<const Command*>& path) {
  const auto& command = *path.back();
  const bool root = path.size() == 1;
  std::string name;
  for (const auto* part : path) name += (name.empty() ? "" : " ") + part->name;

  auto text =
      "Description:\n" + indented(command.summary + (command.description.empty() ? "" : "\n\n" + command.description));
  text += "\nUsage:\n  " + name;
  if (command.run) text += (command.arguments.empty() ? "" : " " + command.arguments);
  if (command.run && command.arguments.find("[flags]") == std::string::npos) text += " [flags]";
  if (!command.commands.empty()) text += " [command]";
  text += '\n';
  if (!command.aliases.empty()) text += "\nAliases:\n  " + command.name + ", " + join(command.aliases, ", ") + '\n';
  if (!command.examples.empty()) text += "\nExamples:\n" + indented(command.examples);
  std::vector<Entry> entries;
  for (const auto& child : command.commands) entries.push_back({.left = child.name, .right = child.summary});
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.left < b.left; });
  if (!entries.empty()) text += "\nAvailable Commands:\n" + columns(entries);
  entries.clear();
  for (const auto& flag : command.flags) entries.push_back(entry_of(flag));
  if (!entries.empty()) text += "\nFlags:\n" + columns(entries);
  text += (root ? "\nFlags:\n" : "\nGlobal Flags:\n") + columns(global_entries());
  if (!command.commands.empty())
    text += "\nUse \"" + name + " [command] --help\" for more information about a command.\n";
  return text;
}

}  // namespace berth::cli
