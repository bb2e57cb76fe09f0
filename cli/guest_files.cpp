#include "cli/guest_files.hpp"

#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/url.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <unistd.h>

namespace berth::cli {
namespace {

std::string target_of(const GuestPath& path) {
  return api_path("instances", path.instance.name) + "/files?path=" + rest::percent_encode(path.path);
}

std::optional<unsigned> number_in(std::string_view text, int base) {
  unsigned number = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (text.empty() || end.ec != std::errc{} || end.ptr != text.data() + text.size()) return std::nullopt;
  return number;
}

const char* word_of(FileType type) {
  if (type == FileType::Folder) return "directory";
  return type == FileType::Link ? "symlink" : "file";
}

FileInfo info_of(const rest::Headers& headers) {
  const auto type = headers.get("X-LXD-type");
  return {.type = type == "directory" ? FileType::Folder
                  : type == "symlink" ? FileType::Link
                                      : FileType::File,
          .uid = number_in(headers.get("X-LXD-uid"), 10),
          .gid = number_in(headers.get("X-LXD-gid"), 10),
          .mode = number_in(headers.get("X-LXD-mode"), 8)};
}

/// Names that a server sent become names of files here: each must be a plain one.
Result<std::vector<std::string>> entries_of(const rest::Response& answer) {
  BERTH_TRY(const auto names, metadata(answer));
  std::vector<std::string> entries;
  for (const auto& name : names) {
    const auto text = name.is_string() ? name.get<std::string>() : std::string();
    if (text.empty() || text == "." || text == ".." || text.find('/') != std::string::npos ||
        text.find('\0') != std::string::npos)
      return Error{Code::Internal, "the server sent a folder with the impossible name \"" + printable(text) + '"'};
    entries.push_back(text);
  }
  return entries;
}

}  // namespace

Result<GuestPath> guest_path(Context& context, const std::string& argument, const char* what) {
  const auto slash = argument.find('/');
  if (slash == std::string::npos) return Error{Code::InvalidArgument, "Invalid " + std::string(what) + ' ' + argument};
  BERTH_TRY(auto place, context.named(argument.substr(0, slash), "instance"));
  auto path = std::filesystem::path(argument.substr(slash)).lexically_normal().string();
  const bool is_folder = path.back() == '/';
  path.erase(0, path.find_first_not_of('/'));
  path.insert(0, "/");
  if (is_folder && path.size() > 1 && path.back() == '/') path.pop_back();
  return GuestPath{.instance = std::move(place), .path = std::move(path), .is_folder = is_folder};
}

Result<void> GuestFile::copy_to(int fd) {
  const auto write_all = [fd](const char* data, std::size_t size) -> Result<void> {
    while (size > 0) {
      const auto written = ::write(fd, data, size);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) return system_error("cannot write", errno);
      data += written;
      size -= static_cast<std::size_t>(written);
    }
    return {};
  };
  const auto* const body = std::get_if<rest::FileBody>(&answer.body);
  if (!body) return write_all(answer.text().data(), answer.text().size());
  static std::array<char, 256 * 1024> buffer;
  std::uint64_t total = 0;
  for (;;) {
    const auto size = ::read(body->fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("cannot read the answer", errno);
    if (size == 0) break;
    BERTH_CHECK(write_all(buffer.data(), static_cast<std::size_t>(size)));
    total += static_cast<std::uint64_t>(size);
  }
  if (body->size && total < *body->size)
    return Error{Code::Internal, "the transfer broke off after " + std::to_string(total) + " of " +
                                     std::to_string(*body->size) + " bytes"};
  return {};
}

Result<GuestFile> open_guest_file(const GuestPath& path) {
  BERTH_TRY(auto answer, path.instance.server->fetch(target_of(path)));
  GuestFile file{.info = info_of(answer.headers), .answer = std::move(answer), .entries = {}};
  if (file.info.type == FileType::Folder) {
    BERTH_TRY(file.entries, entries_of(file.answer));
  }
  return file;
}

Result<void> write_guest_file(const GuestPath& path, const FileInfo& info, UniqueFd content, std::string text) {
  rest::Request request;
  request.method = "POST";
  request.target = target_of(path);
  request.headers.add("Content-Type", "application/octet-stream");
  request.headers.add("X-LXD-type", word_of(info.type));
  if (info.uid) request.headers.add("X-LXD-uid", std::to_string(*info.uid));
  if (info.gid) request.headers.add("X-LXD-gid", std::to_string(*info.gid));
  if (info.mode) {
    std::array<char, 16> mode{};
    (void)std::snprintf(mode.data(), mode.size(), "%04o", *info.mode & 0777U);
    request.headers.add("X-LXD-mode", mode.data());
  }
  if (content) {
    rest::Upload upload;
    upload.file = std::move(content);
    request.body = std::move(upload);
  } else {
    request.body = std::move(text);
  }
  auto done = path.instance.server->send(std::move(request), {});
  if (!done) return std::move(done).error();
  return {};
}

Result<void> make_guest_folders(const GuestPath& folder, const FileInfo& info) {
  std::vector<std::string> missing;
  for (std::filesystem::path place = folder.path; place != place.parent_path(); place = place.parent_path()) {
    GuestPath here = folder;
    here.path = place.string();
    const auto found = open_guest_file(here);
    if (found && found->info.type == FileType::Folder) break;
    if (found && found->info.type == FileType::File)
      return Error{Code::FailedPrecondition, here.path + " is not a directory"};
    if (found) break;  // a link: what is below it is found through it
    if (found.error().code != Code::NotFound) return found.error();
    missing.push_back(here.path);
  }
  for (auto path = missing.rbegin(); path != missing.rend(); ++path) {
    GuestPath here = folder;
    here.path = *path;
    BERTH_CHECK(write_guest_file(
        here, {.type = FileType::Folder, .uid = info.uid, .gid = info.gid, .mode = info.mode.value_or(0755)}, {}));
  }
  return {};
}

Result<void> remove_guest_file(const GuestPath& path) {
  auto done = path.instance.server->send("DELETE", target_of(path), nullptr);
  if (!done) return std::move(done).error();
  return {};
}

}  // namespace berth::cli
