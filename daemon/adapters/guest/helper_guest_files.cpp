#include "daemon/adapters/guest/helper_guest_files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/helper_process.hpp"
#include "daemon/adapters/guest/guest_root.hpp"

namespace berth::adapters {
namespace {

using nlohmann::json;

constexpr int kPipe = 1 << 20;  // bytes on the way
constexpr std::chrono::seconds kPatience{30};

/// A file in memory that nobody can change any more.
Result<UniqueFd> sealed(const std::string& text) {
  UniqueFd fd(memfd_create("berth-render", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (!fd) return system_error("cannot make a file in memory", errno);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd.get(), text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot write a file in memory", errno);
    at += static_cast<std::size_t>(n);
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0 ||
      fcntl(fd.get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0)
    return system_error("cannot seal a file in memory", errno);
  return fd;
}

Result<HelperProcess> start_work(const std::string& helper, const ports::GuestPlace& place, const json& request,
                                 int content) {
  BERTH_TRY(const UniqueFd input, sealed(request.dump(-1, ' ', false, json::error_handler_t::replace)));
  BERTH_TRY(const GuestRoot root, open_guest_place(place));
  std::vector<int> descriptors;
  for (const auto& folder : root.folders) descriptors.push_back(folder.get());
  descriptors.push_back(content);
  return HelperProcess::start(helper, {"files", root.layout}, input.get(), descriptors);
}

Result<ports::GuestFileInfo> parse_info(const std::string& text) {
  const json object = json::parse(text, nullptr, false);
  const auto number = [&](const char* name) { return object.contains(name) && object[name].is_number_unsigned(); };
  if (!object.is_object() || !object.contains("type") || !object["type"].is_string() || !number("uid") ||
      !number("gid") || !number("mode") || !number("size"))
    return Error{Code::Internal, "the helper's answer is not understood"};
  return ports::GuestFileInfo{.type = object["type"].get<std::string>(),
                              .uid = object["uid"].get<std::uint32_t>(),
                              .gid = object["gid"].get<std::uint32_t>(),
                              .mode = object["mode"].get<std::uint32_t>(),
                              .size = object["size"].get<std::uint64_t>()};
}

/// True from `kPatience` on: a guest may have mounted a file system that never answers.
std::function<bool()> patience() {
  return [until = std::chrono::steady_clock::now() + kPatience] { return std::chrono::steady_clock::now() > until; };
}

Error without_patience(Error error, const std::string& path) {
  if (error.code != Code::Cancelled) return error;
  return Error{Code::Unavailable, "the file system that has " + path + " does not answer"};
}

/// A pipe whose end for the helper does not block.
Result<std::pair<UniqueFd, UniqueFd>> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  std::pair<UniqueFd, UniqueFd> out{UniqueFd(ends[0]), UniqueFd(ends[1])};
  (void)fcntl(ends[1], F_SETPIPE_SZ, kPipe);
  if (fcntl(ends[1], F_SETFL, O_NONBLOCK) != 0) return system_error("cannot set up a pipe", errno);
  return out;
}

/// The pipe, by a descriptor that is neither a reader nor a writer of it.
Result<UniqueFd> watch_pipe(int end) {
  UniqueFd fd(open(("/proc/self/fd/" + std::to_string(end)).c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return system_error("cannot watch a pipe", errno);
  return fd;
}

/// True when nobody reads from the pipe any more: a helper that waits for the guest's file system would not notice.
bool reader_has_gone(int watch) {
  const UniqueFd writer(open(("/proc/self/fd/" + std::to_string(watch)).c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC));
  return !writer && errno == ENXIO;
}

}  // namespace

Result<ports::OpenGuestFile> HelperGuestFiles::read(const ports::GuestPlace& place, const std::string& path,
                                                    bool content) {
  BERTH_TRY(auto pipe, make_pipe());
  auto started = start_work(helper_, place, {{"action", "read"}, {"path", path}, {"content", content}},
                            pipe.second.get());
  if (!started) return std::move(started).error();
  BERTH_TRY(UniqueFd watched, watch_pipe(pipe.first.get()));
  pipe.second.reset();
  const auto watch = std::make_shared<UniqueFd>(std::move(watched));
  const auto process = std::make_shared<HelperProcess>(*std::move(started));
  const auto answer = process->await_result(patience());
  if (!answer) return without_patience(answer.error(), path);
  BERTH_TRY(auto info, parse_info(*answer));
  return ports::OpenGuestFile{.info = std::move(info),
                              .content = std::move(pipe.first),
                              .wait = [process, watch](const std::function<bool()>& cancelled) -> Result<void> {
                                const auto over = [&] { return reader_has_gone(watch->get()) || cancelled(); };
                                BERTH_TRY(const std::string end, process->finish({}, over));
                                return {};
                              }};
}

Result<void> HelperGuestFiles::write(const ports::GuestPlace& place, const ports::GuestFileWrite& request, int content,
                                     const std::function<bool()>& cancelled) {
  const json work{{"action", "write"},        {"path", request.path}, {"type", request.type}, {"append", request.append},
                  {"uid", request.uid},       {"gid", request.gid},   {"mode", request.mode}};
  BERTH_TRY(auto process, start_work(helper_, place, work, content));
  BERTH_TRY(const std::string answer, process.finish({}, cancelled));
  return {};
}

Result<void> HelperGuestFiles::remove(const ports::GuestPlace& place, const std::string& path) {
  BERTH_TRY(auto pipe, make_pipe());
  BERTH_TRY(auto process, start_work(helper_, place, {{"action", "remove"}, {"path", path}}, pipe.second.get()));
  const auto answer = process.finish({}, patience());
  if (!answer) return without_patience(answer.error(), path);
  return {};
}

Result<ports::SftpServer> HelperGuestFiles::serve_sftp(const ports::GuestPlace& place, std::function<void()> ended) {
  BERTH_CHECK(sessions_->check_room());
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) return system_error("cannot make a socket", errno);
  UniqueFd client(ends[0]);
  UniqueFd server(ends[1]);
  if (fcntl(server.get(), F_SETFL, O_NONBLOCK) != 0) return system_error("cannot set up a socket", errno);
  BERTH_TRY(const GuestRoot root, open_guest_place(place));
  std::vector<int> descriptors;
  for (const auto& folder : root.folders) descriptors.push_back(folder.get());
  BERTH_TRY(auto helper, HelperProcess::start(helper_, {"sftp", root.layout}, server.get(), descriptors));
  server.reset();
  if (const auto serves = helper.await_result(patience()); !serves) return without_patience(serves.error(), "/");
  BERTH_TRY(const auto session, sessions_->keep(std::move(helper), std::move(ended)));
  return ports::SftpServer{.socket = std::move(client),
                           .stop = [weak = std::weak_ptr(sessions_), session] {
                             if (const auto sessions = weak.lock()) sessions->stop(session);
                           }};
}

Result<void> HelperGuestFiles::render(const RootSpec& root, ports::RenderRequest request) {
  json files = json::array();
  for (const auto& one : request.due)
    files.push_back({{"trigger", one.trigger},
                     {"path", one.target},
                     {"template", one.name},
                     {"create_only", one.create_only},
                     {"properties", one.properties}});
  const json all{{"instance", request.instance},
                 {"config", request.config},
                 {"devices", request.devices},
                 {"files", std::move(files)}};
  BERTH_TRY(const UniqueFd input, sealed(all.dump(-1, ' ', false, json::error_handler_t::replace)));
  BERTH_TRY(const GuestRoot folders, open_guest_root(root));
  std::vector<int> descriptors;
  for (const auto& folder : folders.folders) descriptors.push_back(folder.get());
  for (const auto& one : request.due) descriptors.push_back(one.text.get());
  const std::string count = std::to_string(request.due.size());
  BERTH_TRY(const std::string answer,
            run_helper(helper_, {"render", folders.layout, count.c_str()}, input.get(), descriptors));
  return {};
}

}  // namespace berth::adapters
