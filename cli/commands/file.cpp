#include "cli/commands/commands.hpp"
#include "cli/commands/file_transfer.hpp"
#include "cli/commands/shared.hpp"
#include "cli/editor.hpp"
#include "cli/guest_files.hpp"
#include "cli/terminal.hpp"

#include <sys/mman.h>
#include <unistd.h>

namespace berth::cli {
namespace {

Result<UniqueFd> memory_of(const std::string& text) {
  UniqueFd memory(::memfd_create("berth-file", MFD_CLOEXEC));
  if (!memory || ::write(memory.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::lseek(memory.get(), 0, SEEK_SET) != 0)
    return system_error("cannot keep the file in memory", errno);
  return memory;
}

/// A file that is there keeps its owner and its mode; another one is the server's to choose.
Result<int> edit_file(Context& context, const std::string& argument) {
  BERTH_TRY(const auto path, guest_path(context, argument, "target"));
  auto file = open_guest_file(path);
  if (file && file->info.type == FileType::Folder) return Error{Code::InvalidArgument, path.path + " is a directory"};
  if (!file && (file.error().code != Code::NotFound || is_terminal(STDIN_FILENO))) return file.error();
  FileInfo info;
  if (file) info = file->info;
  // The text of a link is its target's; writing goes through it as well.
  info.type = FileType::File;
  if (!is_terminal(STDIN_FILENO)) {
    BERTH_TRY(const auto text, read_all(STDIN_FILENO));
    BERTH_TRY(auto content, memory_of(text));
    BERTH_CHECK(write_guest_file(path, info, std::move(content)));
    return 0;
  }
  BERTH_TRY(auto before, memory_of(""));
  BERTH_CHECK(file->copy_to(before.get()));
  ::lseek(before.get(), 0, SEEK_SET);
  BERTH_TRY(const auto text, read_all(before.get()));
  BERTH_TRY(const auto edited, edited_text(text));
  if (edited == text) return 0;
  BERTH_TRY(auto content, memory_of(edited));
  BERTH_CHECK(write_guest_file(path, info, std::move(content)));
  return 0;
}

Command edit_command() {
  return {.name = "edit",
          .aliases = {},
          .arguments = "[<remote>:]<instance>/<path>",
          .summary = "Edit files in instances",
          .description = "Standard input is the file's new content when it is no terminal.",
          .examples = "berth file edit web/etc/hosts",
          .least = 1,
          .most = 1,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) { return edit_file(context, arguments[0]); },
          .commands = {}};
}

Command delete_file_command() {
  return {.name = "delete",
          .aliases = {"rm"},
          .arguments = "[<remote>:]<instance>/<path> [[<remote>:]<instance>/<path>...]",
          .summary = "Delete files in instances",
          .description = "A folder must be empty.",
          .examples = "berth file delete web/etc/motd",
          .least = 1,
          .most = Command::kAny,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            for (const auto& argument : arguments) {
              BERTH_TRY(const auto path, guest_path(context, argument, "path"));
              BERTH_CHECK(remove_guest_file(path));
            }
            return 0;
          },
          .commands = {}};
}

}  // namespace

Command file_command() {
  return group("file", "Manage files in instances",
               {push_command(), pull_command(), edit_command(), delete_file_command(), mount_command()});
}

}  // namespace berth::cli
