#include "cli/commands/file_transfer.hpp"
#include "cli/guest_files.hpp"
#include "cli/terminal.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
  std::string mode;
  int uid = -1;
  int gid = -1;
  bool recursive = false;
  bool make_folders = false;
};

/// `644` and `0644` are the same.
Result<std::optional<unsigned>> mode_of(const std::string& text) {
  if (text.empty()) return std::optional<unsigned>();
  unsigned mode = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
  if (end.ec != std::errc{} || end.ptr != text.data() + text.size() || mode > 07777)
    return Error{Code::InvalidArgument, "Invalid mode \"" + text + "\", expecting an octal number"};
  return std::optional<unsigned>(mode);
}

std::optional<unsigned> id_of(int flag) {
  return flag < 0 ? std::nullopt : std::optional<unsigned>(static_cast<unsigned>(flag));
}

FileInfo info_of(const struct stat& status, FileType type) {
  return {.type = type, .uid = status.st_uid, .gid = status.st_gid, .mode = status.st_mode & 0777U};
}

Result<UniqueFd> open_source(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return system_error("cannot open " + path, errno);
  return file;
}

/// One entry of a tree: a file, a folder or a link, as it is here.
Result<void> push_entry(const GuestPath& to, const fs::path& source) {
  struct stat status {};
  if (::lstat(source.c_str(), &status) != 0) return system_error("cannot look at " + source.string(), errno);
  if (S_ISDIR(status.st_mode)) return write_guest_file(to, info_of(status, FileType::Folder), {});
  if (S_ISLNK(status.st_mode)) {
    std::error_code failure;
    const auto target = fs::read_symlink(source, failure);
    if (failure) return system_error("cannot read the link " + source.string(), failure.value());
    return write_guest_file(to, info_of(status, FileType::Link), {}, target.string());
  }
  if (!S_ISREG(status.st_mode))
    return Error{Code::InvalidArgument, "'" + source.string() + "' isn't a supported file type"};
  BERTH_TRY(auto content, open_source(source.string()));
  return write_guest_file(to, info_of(status, FileType::File), std::move(content));
}

Result<void> push_tree(const GuestPath& folder, const std::string& source) {
  auto top = fs::path(source).lexically_normal();
  if (!top.has_filename()) top = top.parent_path();
  const auto name = top.filename() == "." || top.filename() == ".." ? fs::path() : top.filename();
  const auto below = [&](const fs::path& path) {
    GuestPath to = folder;
    to.path = (fs::path(folder.path) / name / path.lexically_relative(top)).lexically_normal().string();
    if (to.path.size() > 1 && to.path.back() == '/') to.path.pop_back();
    return to;
  };
  const auto to_top = below(top);
  if (to_top.path != "/" && !(name.empty() && to_top.path == folder.path)) BERTH_CHECK(push_entry(to_top, top));
  std::error_code failure;
  if (!fs::is_directory(fs::symlink_status(top, failure))) return {};
  for (fs::recursive_directory_iterator entry(top, failure), end; !failure && entry != end; entry.increment(failure))
    BERTH_CHECK(push_entry(below(entry->path()), entry->path()));
  if (failure) return system_error("cannot read the folder " + source, failure.value());
  return {};
}

Result<void> push_trees(const Flags& flags, const GuestPath& to, const Strings& sources) {
  if (flags.uid != -1 || flags.gid != -1 || !flags.mode.empty())
    return Error{Code::InvalidArgument, "Can't supply uid/gid/mode in recursive mode"};
  if (flags.make_folders) {
    struct stat status {};
    if (::stat(sources.front().c_str(), &status) != 0) return system_error("cannot look at " + sources.front(), errno);
    auto info = info_of(status, FileType::Folder);
    if (!S_ISDIR(status.st_mode)) info.mode.reset();
    BERTH_CHECK(make_guest_folders(to, info));
  }
  for (const auto& source : sources) BERTH_CHECK(push_tree(to, source));
  return {};
}

Result<void> push_file(const Flags& flags, const GuestPath& to, const std::string& source) {
  FileInfo info{.type = FileType::File, .uid = id_of(flags.uid), .gid = id_of(flags.gid), .mode = {}};
  BERTH_TRY(info.mode, mode_of(flags.mode));
  UniqueFd content;
  if (source == "-") {
    content.reset(::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3));
  } else {
    BERTH_TRY(content, open_source(source));
    struct stat status {};
    if (::fstat(content.get(), &status) != 0) return system_error("cannot look at " + source, errno);
    if (S_ISDIR(status.st_mode)) return Error{Code::InvalidArgument, source + " is a directory; use --recursive"};
    if (!info.uid) info.uid = status.st_uid;
    if (!info.gid) info.gid = status.st_gid;
    if (!info.mode) info.mode = status.st_mode & 0777U;
  }
  if (flags.make_folders) {
    GuestPath folder = to;
    folder.path = fs::path(to.path).parent_path().string();
    BERTH_CHECK(make_guest_folders(folder, {.uid = id_of(flags.uid), .gid = id_of(flags.gid)}));
  }
  return write_guest_file(to, info, std::move(content));
}

Result<int> push(Context& context, const Flags& flags, const Strings& arguments) {
  BERTH_TRY(const auto to, guest_path(context, arguments.back(), "target"));
  const Strings sources(arguments.begin(), arguments.end() - 1);
  if (flags.recursive) {
    BERTH_CHECK(push_trees(flags, to, sources));
    return 0;
  }
  if (sources.size() > 1 && !to.is_folder) return Error{Code::InvalidArgument, "Missing target directory"};
  for (const auto& source : sources) {
    auto file = to;
    if (to.is_folder) file.path = (fs::path(to.path) / fs::path(source).filename()).string();
    BERTH_CHECK(push_file(flags, file, source));
  }
  return 0;
}

}  // namespace

Command push_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "push",
          .aliases = {},
          .arguments = "<source path>... [<remote>:]<instance>/<path>",
          .summary = "Push files into instances",
          .description = "The source - is standard input.",
          .examples =
              "berth file push /etc/hosts web/etc/hosts\n\nberth file push --recursive site web/srv\n"
              "    Put the folder \"site\" with all it has into /srv.",
          .least = 2,
          .most = Command::kAny,
          .flags = {{"-p,--create-dirs", &flags->make_folders, "Create any directories necessary"},
                    {"--gid", &flags->gid, "Set the file's gid on push"},
                    {"--mode", &flags->mode, "Set the file's perms on push"},
                    {"-r,--recursive", &flags->recursive, "Recursively transfer files"},
                    {"--uid", &flags->uid, "Set the file's uid on push"}},
          .run = [flags](Context& context, const Strings& arguments) { return push(context, *flags, arguments); },
          .commands = {}};
}

}  // namespace berth::cli
