#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <utility>

#include "rest-bridge/api/common.hpp"

namespace berth::rest {
namespace {

/// A number as C writes them: `0` in front means octal, `0x` hexadecimal. Nothing when there is more than digits.
std::optional<std::uint32_t> c_number(std::string_view text) {
  int base = 10;
  if (text.size() > 1 && text[0] == '0') {
    base = text[1] == 'x' || text[1] == 'X' ? 16 : 8;
    text.remove_prefix(base == 16 ? 2 : 1);
  }
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::uint32_t> decimal(std::string_view text) {
  std::uint32_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || parsed.ec != std::errc() || parsed.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

/// The X-LXD-* headers of a file that is sent. What cannot be read is as if it were not there.
Result<Options> write_options(const Headers& headers) {
  Options options;
  for (const auto* const name : {"uid", "gid"})
    if (const auto id = decimal(headers.get(std::string("X-LXD-") + name))) options[name] = *id;
  const auto mode = headers.get("X-LXD-mode");
  // Only what could be a decimal number is read at all, and then by the rules of C: `644` is no octal number.
  if (decimal(mode))
    if (const auto bits = c_number(mode)) options["mode"] = *bits & 0777U;
  const auto type = headers.get("X-LXD-type");
  if (!type.empty()) {
    if (type != "file" && type != "directory" && type != "symlink")
      return Error{Code::InvalidArgument, "Bad file type: " + std::string(type)};
    options["type"] = std::string(type);
  }
  const auto write = headers.get("X-LXD-write");
  if (!write.empty() && write != "overwrite" && write != "append")
    return Error{Code::InvalidArgument, "Bad file write mode: " + std::string(write)};
  if (write == "append") options["append"] = true;
  return options;
}

/// What the request brings, as a descriptor that can be read to its end.
Result<UniqueFd> content_of(Request& request) {
  if (auto* upload = std::get_if<Upload>(&request.body)) return std::move(upload->file);
  const auto text = request.text();
  UniqueFd fd(memfd_create("berth-content", MFD_CLOEXEC));
  if (!fd || write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      lseek(fd.get(), 0, SEEK_SET) != 0)
    return system_error("cannot keep the request's body", errno);
  return fd;
}

Result<std::string> path_of(const Context& context) {
  auto path = std::string(context.query.get("path"));
  if (path.empty()) return Error{Code::InvalidArgument, "Missing path argument"};
  return path;
}

void add_file_headers(Response& response, const Json& info) {
  std::array<char, 16> mode{};
  (void)std::snprintf(mode.data(), mode.size(), "%04o", info.value("mode", 0U) & 0777U);
  response.headers.add("X-LXD-uid", std::to_string(info.value("uid", 0U)));
  response.headers.add("X-LXD-gid", std::to_string(info.value("gid", 0U)));
  response.headers.add("X-LXD-mode", mode.data());
  response.headers.add("X-LXD-type", info.value("type", "file"));
}

/// The last element, as it may stand in a header.
std::string shown_name(const std::string& path) {
  std::string name = path.substr(path.rfind('/') + 1);
  std::erase_if(name, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
  return name;
}

Result<Json> names_in(int fd) {
  auto names = Json::array();
  std::string text;
  std::array<char, 65536> chunk{};
  for (;;) {
    const auto n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read the names of a folder", errno);
    if (n == 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(n));
  }
  for (std::size_t begin = 0, end; (end = text.find('\0', begin)) != std::string::npos; begin = end + 1)
    names.push_back(text.substr(begin, end - begin));
  return names;
}

Task<Result<Reply>> open_file(Context& context, std::string path, bool content) {
  Options options;
  if (!content) options["content"] = false;
  BERTH_CO_TRY(Call call, instance_call(context, "OpenFile", {}));
  call.arguments.emplace_back(std::move(path));
  call.arguments.emplace_back(std::move(options));
  co_return co_await context.bus.call(std::move(call));
}

Answer get_file(Context& context) {
  BERTH_CO_TRY(const std::string path, path_of(context));
  BERTH_CO_TRY(Reply reply, co_await open_file(context, path, true));
  const Json& info = reply.values.at(1);
  auto content = reply.take_fd(0);
  if (info.value("type", "") == "directory") {
    BERTH_CO_TRY(Json names, names_in(content.get()));
    auto response = sync_answer(names);
    add_file_headers(response, info);
    co_return response;
  }
  auto response = raw_answer(std::move(content), "application/octet-stream");
  std::get<FileBody>(response.body).size = info.value("size", std::uint64_t{0});
  response.headers.add("Content-Disposition", "inline;filename=" + shown_name(path));
  add_file_headers(response, info);
  co_return response;
}

Answer look_at_file(Context& context) {
  BERTH_CO_TRY(const std::string path, path_of(context));
  BERTH_CO_TRY(Reply reply, co_await open_file(context, path, false));
  auto response = empty_answer();
  add_file_headers(response, reply.values.at(1));
  co_return response;
}

Answer write_file(Context& context) {
  BERTH_CO_TRY(std::string path, path_of(context));
  BERTH_CO_TRY(Options options, write_options(context.request.headers));
  BERTH_CO_TRY(UniqueFd content, content_of(context.request));
  BERTH_CO_TRY(Call call, instance_call(context, "WriteFile", {}));
  call.arguments.emplace_back(std::move(path));
  call.arguments.emplace_back(Handle{content.get()});
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_to_the_end(context, std::move(call), std::move(content));
}

Answer remove_file(Context& context) {
  BERTH_CO_TRY(std::string path, path_of(context));
  BERTH_CO_TRY(Call call, instance_call(context, "RemoveFile", {}));
  call.arguments.emplace_back(std::move(path));
  call.arguments.emplace_back(Options());
  co_return co_await run_sync(context, std::move(call));
}

Answer open_sftp(Context& context) {
  if (context.request.headers.get("Upgrade") != "sftp") co_return Error{Code::InvalidArgument, "Missing or invalid upgrade header"};
  BERTH_CO_TRY(Call call, instance_call(context, "OpenSftp", {}));
  call.arguments.emplace_back(Options());
  BERTH_CO_TRY(Reply reply, co_await context.bus.call(std::move(call)));
  Response response;
  response.status = 101;
  Stream stream;
  stream.raw = reply.take_fd(0);
  stream.protocol = "sftp";
  response.body = std::move(stream);
  co_return response;
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/instances/{name}/files", "Instance.OpenFile", "access-instances", get_file},
    {"HEAD", "/1.0/instances/{name}/files", "Instance.OpenFile", "access-instances", look_at_file},
    {"POST", "/1.0/instances/{name}/files", "Instance.WriteFile", "access-instances", write_file},
    {"DELETE", "/1.0/instances/{name}/files", "Instance.RemoveFile", "access-instances", remove_file},
    {"GET", "/1.0/instances/{name}/sftp", "Instance.OpenSftp", "access-instances", open_sftp},
};

}  // namespace

std::span<const Route> instance_file_routes() { return kRoutes; }

}  // namespace berth::rest
