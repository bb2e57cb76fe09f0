#include "rest-bridge/api/call.hpp"

#include <fcntl.h>
#include <sdbus-c++/sdbus-c++.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "base/object_path.hpp"
#include "rest-bridge/api/call_check.hpp"

namespace berth::rest {
namespace {

/// The longest work a call may stand for; long work answers with an operation at once.
constexpr std::uint64_t kCallTimeout = 60'000'000;

sdbus::Variant variant_of(const Value& value);

std::map<std::string, sdbus::Variant> dictionary_of(const Options& options) {
  std::map<std::string, sdbus::Variant> dictionary;
  for (const auto& [name, value] : options) dictionary.emplace(name, variant_of(value));
  return dictionary;
}

sdbus::Variant variant_of(const Value& value) {
  return std::visit(
      [](const auto& held) -> sdbus::Variant {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, Handle>)
          return sdbus::Variant(sdbus::UnixFd(held.fd));
        else if constexpr (std::is_same_v<Held, Options>)
          return sdbus::Variant(dictionary_of(held));
        else
          return sdbus::Variant(held);
      },
      value.held);
}

void write(sdbus::MethodCall& message, const Argument& argument) {
  std::visit(
      [&](const auto& held) {
        using Held = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<Held, Handle>)
          message << sdbus::UnixFd(held.fd);
        else if constexpr (std::is_same_v<Held, Options>)
          message << dictionary_of(held);
        else
          message << held;
      },
      argument);
}

template <typename T>
T basic(sdbus::Message& message) {
  T value{};
  message >> value;
  return value;
}

/// Reads whatever comes next; null at the end of a container or message (which `end` then says).
Json read(sdbus::Message& message, std::vector<UniqueFd>& fds, bool& end) {
  std::string type;
  std::string contents;
  message.peekType(type, contents);
  end = type.empty() || type[0] == '\0';
  if (end) return nullptr;
  bool inner_end = false;
  switch (type[0]) {
    case 's': return basic<std::string>(message);
    case 'o': return static_cast<std::string>(basic<sdbus::ObjectPath>(message));
    case 'b': return basic<bool>(message);
    case 'y': return basic<std::uint8_t>(message);
    case 'n': return basic<std::int16_t>(message);
    case 'q': return basic<std::uint16_t>(message);
    case 'i': return basic<std::int32_t>(message);
    case 'u': return basic<std::uint32_t>(message);
    case 'x': return basic<std::int64_t>(message);
    case 't': return basic<std::uint64_t>(message);
    case 'd': return basic<double>(message);
    case 'h': {
      fds.emplace_back(basic<sdbus::UnixFd>(message).release());
      ::fcntl(fds.back().get(), F_SETFD, FD_CLOEXEC);
      return fds.size() - 1;
    }
    case 'v': {
      message.enterVariant(contents);
      auto value = read(message, fds, inner_end);
      message.exitVariant();
      return value;
    }
    case 'r': {
      message.enterStruct(contents);
      auto fields = Json::array();
      for (;;) {
        auto field = read(message, fds, inner_end);
        if (inner_end) break;
        fields.push_back(std::move(field));
      }
      message.exitStruct();
      return fields;
    }
    case 'a': {
      message.enterContainer(contents);
      auto elements = contents[0] == '{' ? Json::object() : Json::array();
      for (;;) {
        if (contents[0] == '{') {
          std::string entry;
          std::string entry_contents;
          message.peekType(entry, entry_contents);
          if (entry.empty() || entry[0] == '\0') break;
          message.enterDictEntry(entry_contents);
          auto key = basic<std::string>(message);
          elements[std::move(key)] = read(message, fds, inner_end);
          message.exitDictEntry();
        } else {
          auto element = read(message, fds, inner_end);
          if (inner_end) break;
          elements.push_back(std::move(element));
        }
      }
      message.exitContainer();
      return elements;
    }
    default: throw sdbus::Error("org.berth.Berth1.Error.Internal", "unexpected type " + type + " in an answer");
  }
}

Reply reply_of(sdbus::MethodReply& message) {
  Reply reply;
  for (;;) {
    bool end = false;
    auto value = read(message, reply.fds, end);
    if (end) return reply;
    reply.values.push_back(std::move(value));
  }
}

Error error_of(const sdbus::Error& failure) {
  const auto& name = failure.getName();
  auto code = code_from_dbus(name, Code::Internal);
  if (code == Code::Internal && name.starts_with("org.freedesktop.DBus.Error.")) {
    const std::string_view kind = std::string_view(name).substr(27);
    if (kind == "AccessDenied" || kind == "InteractiveAuthorizationRequired")
      code = Code::AccessDenied;
    else if (kind == "UnknownObject")
      code = Code::NotFound;
    else if (kind == "UnknownMethod" || kind == "UnknownInterface")
      code = Code::NotSupported;
    else if (kind == "LimitsExceeded")
      code = Code::LimitsExceeded;
    else if (kind == "InvalidArgs")
      code = Code::InvalidArgument;
    else
      code = Code::Unavailable;  // no daemon, no answer in time, disconnected, could not be activated
  }
  return Error{code, failure.getMessage()};
}

/// Waits for the answer of one call. The reply arrives inside sd-bus' dispatch, where the proxy may not be destroyed,
/// so the coroutine goes on from the loop.
struct CallAwaiter {
  Bus& bus;
  const Call& call;
  std::unique_ptr<sdbus::IProxy> proxy;
  std::optional<Result<Reply>> result;
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  CallAwaiter(Bus& on, const Call& what) : bus(on), call(what) {}
  CallAwaiter(const CallAwaiter&) = delete;
  ~CallAwaiter() { *alive = false; }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> waiting) {
    try {
      if (!bus.alive()) throw sdbus::Error("org.freedesktop.DBus.Error.Disconnected", "the system bus went away");
      proxy = sdbus::createProxy(bus.connection(), std::string(kBusName), call.path);
      auto message = proxy->createMethodCall(std::string(kBusName) + "." + call.interface, call.member);
      for (const auto& argument : call.arguments) write(message, argument);
      proxy->callMethod(
          message, [this, waiting](sdbus::MethodReply& reply, const sdbus::Error* failure) { done(waiting, reply, failure); },
          kCallTimeout);
      bus.refresh();
      return true;
    } catch (const sdbus::Error& failure) {
      result = error_of(failure);
    } catch (const std::exception& failure) {
      result = Error{Code::Internal, failure.what()};
    }
    return false;
  }

  void done(std::coroutine_handle<> waiting, sdbus::MethodReply& reply, const sdbus::Error* failure) {
    try {
      result = failure ? Result<Reply>(error_of(*failure)) : Result<Reply>(reply_of(reply));
    } catch (const std::exception& bad) {
      result = Error{Code::Internal, std::string("cannot read the daemon's answer: ") + bad.what()};
    }
    bus.loop().post([token = alive, waiting] {
      if (*token) waiting.resume();
    });
  }

  Result<Reply> await_resume() { return std::move(*result); }
};

}  // namespace

Task<Result<Reply>> Caller::call(Call call) {
  BERTH_CO_CHECK(check_call(call));
  CallAwaiter awaiter(bus_, call);
  co_return co_await awaiter;
}

Task<Result<Json>> Caller::describe(Call call) {
  BERTH_CO_TRY(Reply reply, co_await this->call(std::move(call)));
  if (reply.fds.empty()) co_return Error{Code::Internal, "the daemon's answer has no descriptor"};
  co_return read_rows(reply.fds.front().get());
}

Task<Result<std::string>> Caller::describe_text(Call call) {
  BERTH_CO_TRY(Reply reply, co_await this->call(std::move(call)));
  if (reply.fds.empty()) co_return Error{Code::Internal, "the daemon's answer has no descriptor"};
  co_return read_rows_text(reply.fds.front().get());
}

Result<std::string> read_rows_text(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return system_error("cannot look at the daemon's rows", errno);
  if (!S_ISREG(status.st_mode)) return Error{Code::Internal, "the daemon's rows are not a memfd"};
  // Without the seals a row could change while it is read.
  constexpr int kNeeded = F_SEAL_SHRINK | F_SEAL_WRITE;
  const int seals = ::fcntl(fd, F_GET_SEALS);
  if (seals < 0 || (seals & kNeeded) != kNeeded) return Error{Code::Internal, "the daemon's rows are not sealed"};
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t got = ::pread(fd, text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return system_error("cannot read the daemon's rows", got < 0 ? errno : EIO);
    done += static_cast<std::size_t>(got);
  }
  return text;
}

Result<Json> read_rows(int fd) {
  BERTH_TRY(const auto text, read_rows_text(fd));
  if (text.empty()) return Json(Json::array());
  auto rows = Json::parse(text, nullptr, false);
  if (!rows.is_array()) return Error{Code::Internal, "the daemon's rows are not a JSON array"};
  return rows;
}

}  // namespace berth::rest
