#include "cli/commands/file_transfer.hpp"
#include "cli/guest_files.hpp"
#include "cli/terminal.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  bool recursive = false;
  bool make_folders = false;
};

/// In a tree that a server describes no link is followed: it may be one that this very tree has brought. `extra` are
/// the flags of open(2) that say so.
Result<void> write_file(GuestFile& file, const std::string& target, int extra = 0) {
  if (target == "-") return file.copy_to(STDOUT_FILENO);
  if (file.info.type == FileType::Link) {
    const auto text = [&]() -> Result<std::string> {
      if (const auto* body = std::get_if<rest::FileBody>(&file.answer.body)) return read_all(body->fd.get());
      return std::string(file.answer.text());
    }();
    if (!text) return text.error();
    if (::symlink(text->c_str(), target.c_str()) != 0) return system_error("cannot make the link " + target, errno);
    return {};
  }
  const UniqueFd out(::open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | extra, 0600));
  if (!out) return system_error("cannot write " + target, errno);
  struct stat status {};
  // What is no plain file (a terminal, /dev/null) keeps its mode.
  if (::fstat(out.get(), &status) == 0 && S_ISREG(status.st_mode) &&
      ::fchmod(out.get(), file.info.mode.value_or(0644)) != 0)
    return system_error("cannot set the mode of " + target, errno);
  return file.copy_to(out.get());
}

Result<void> pull_tree(const GuestPath& from, GuestFile file, const std::string& folder) {
  const auto target = (fs::path(folder) / fs::path(from.path).filename()).string();
  if (file.info.type != FileType::Folder) return write_file(file, target, O_NOFOLLOW);
  if (::mkdir(target.c_str(), 0700) != 0) {
    const int saved = errno;
    struct stat status {};
    if (saved != EEXIST || ::lstat(target.c_str(), &status) != 0 || !S_ISDIR(status.st_mode))
      return system_error("cannot make the folder " + target, saved);
  }
  for (const auto& name : file.entries) {
    GuestPath entry = from;
    entry.path = (fs::path(from.path) / name).string();
    BERTH_TRY(auto child, open_guest_file(entry));
    BERTH_CHECK(pull_tree(entry, std::move(child), target));
  }
  // Last, since a folder that may not be written takes no files.
  if (::chmod(target.c_str(), file.info.mode.value_or(0755)) != 0)
    return system_error("cannot set the mode of " + target, errno);
  return {};
}

/// Whether the target is a folder, which is made where it has to be one.
Result<bool> prepare_target(const Flags& flags, const std::string& target, std::size_t sources) {
  std::error_code failure;
  if (target == "-") return false;
  if (fs::exists(target, failure)) {
    const bool is_folder = fs::is_directory(target, failure);
    if (!is_folder && sources > 1)
      return Error{Code::InvalidArgument, "More than one file to download, but target is not a directory"};
    return is_folder;
  }
  const bool is_folder = target.ends_with('/') || sources > 1;
  if (is_folder)
    fs::create_directories(target, failure);
  else if (flags.make_folders && fs::path(target).has_parent_path())
    fs::create_directories(fs::path(target).parent_path(), failure);
  if (failure) return system_error("cannot make the folder for " + target, failure.value());
  return is_folder;
}

Result<int> pull(Context& context, const Flags& flags, const Strings& arguments) {
  const auto& target = arguments.back();
  BERTH_TRY(const bool is_folder, prepare_target(flags, target, arguments.size() - 1));
  for (std::size_t i = 0; i + 1 < arguments.size(); ++i) {
    BERTH_TRY(const auto from, guest_path(context, arguments[i], "source"));
    BERTH_TRY(auto file, open_guest_file(from));
    if (file.info.type == FileType::Folder) {
      if (!flags.recursive) return Error{Code::InvalidArgument, "Can't pull a directory without --recursive"};
      std::error_code failure;
      if (!is_folder) fs::create_directories(target, failure);
      BERTH_CHECK(pull_tree(from, std::move(file), target));
      continue;
    }
    BERTH_CHECK(write_file(file, is_folder ? (fs::path(target) / fs::path(from.path).filename()).string() : target));
  }
  return 0;
}

}  // namespace

Command pull_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "pull",
          .aliases = {},
          .arguments = "[<remote>:]<instance>/<path> [[<remote>:]<instance>/<path>...] <target path>",
          .summary = "Pull files from instances",
          .description = "The target - is standard output.",
          .examples =
              "berth file pull web/etc/hosts .\n\nberth file pull web/etc/os-release -\n\n"
              "berth file pull --recursive web/srv backup",
          .least = 2,
          .most = Command::kAny,
          .flags = {{"-p,--create-dirs", &flags->make_folders, "Create any directories necessary"},
                    {"-r,--recursive", &flags->recursive, "Recursively transfer files"}},
          .run = [flags](Context& context, const Strings& arguments) { return pull(context, *flags, arguments); },
          .commands = {}};
}

}  // namespace berth::cli
