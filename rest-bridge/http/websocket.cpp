#include "rest-bridge/http/websocket.hpp"

#include <fcntl.h>

#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <deque>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "base/log.hpp"
#include "rest-bridge/api/levels.hpp"
#include "rest-bridge/http/async.hpp"

namespace berth::rest {
namespace {

namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using WebSocket = ws::stream<Socket>;
using Descriptor = asio::posix::stream_descriptor;
using ErrorCode = boost::system::error_code;

constexpr std::size_t kChunk = 64 * 1024;
constexpr int kPipe = 256 * 1024;  ///< what a command may be ahead of its client

auto token(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

/// Whether the client closed the websocket in due form; it need not have waited for our answer to that.
bool said_goodbye(const WebSocket& socket, ErrorCode error) {
  return error == ws::error::closed || socket.reason().code != ws::close_code::none;
}

/// The websockets of one exec or console. They end with the command; a console's, and those of a command that nobody
/// watches, with its output.
struct Wires {
  std::shared_ptr<ExecSession> session;
  std::size_t outputs = 0;  ///< streams that carry output and have not ended, here or there
  bool ended = false;       ///< the command has
  bool broken = false;      ///< the client left a stream of output without a goodbye
  std::shared_ptr<Descriptor> lifeline;  ///< none once the command has ended
  std::set<std::string> done;            ///< streams that the command ended
  std::map<std::string, std::weak_ptr<WebSocket>> open;
  std::map<std::string, std::weak_ptr<Descriptor>> pipes;  ///< of output, while they are read

  explicit Wires(std::shared_ptr<ExecSession> of) : session(std::move(of)), outputs(session->interactive() ? 1 : 2) {}

  /// The client died: its command goes with it.
  void cut() {
    ErrorCode unused;
    if (lifeline) lifeline->close(unused);
  }
  /// No websocket is left: a client that said goodbye leaves its command behind.
  ~Wires() {
    if (lifeline && lifeline->is_open() && !broken && !ended)
      (void)::send(lifeline->native_handle(), "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);
    cut();
  }
  Wires(const Wires&) = delete;
  Wires& operator=(const Wires&) = delete;
};

std::map<const ExecSession*, std::weak_ptr<Wires>>& all_wires() {
  static std::map<const ExecSession*, std::weak_ptr<Wires>> wires;
  return wires;
}

void close_later(const std::shared_ptr<WebSocket>& socket) {
  asio::co_spawn(
      socket->get_executor(),
      [socket]() -> asio::awaitable<void> {
        ErrorCode error;
        co_await socket->async_close(ws::close_code::normal, token(error));
      },
      asio::detached);
}

/// Nothing is left to say: the websockets that are still open are closed.
void finish(Wires& wires) {
  wires.session->hang_up();
  for (const auto& [name, weak] : std::exchange(wires.open, {}))
    if (const auto socket = weak.lock()) close_later(socket);
}

void output_ended(Wires& wires, const std::string& name) {
  wires.open.erase(name);
  wires.pipes.erase(name);
  if (wires.outputs > 0) --wires.outputs;
  if (wires.outputs == 0 && !wires.lifeline) finish(wires);
}

/// Waits for the command's end. What it wrote is in the pipes then; whoever else has them open is not waited for.
asio::awaitable<void> await_end(std::shared_ptr<Descriptor> lifeline, std::weak_ptr<Wires> weak) {
  ErrorCode error;
  char word = 0;
  co_await lifeline->async_read_some(asio::buffer(&word, 1), token(error));
  const auto wires = weak.lock();
  if (!wires) co_return;
  wires->ended = !error;  // else nobody watches it, or it is being killed: then its output ends by itself
  wires->lifeline.reset();
  if (wires->outputs == 0) finish(*wires);
  if (error) co_return;
  for (const auto& [name, pipe] : wires->pipes)
    if (const auto from = pipe.lock()) from->cancel(error);
}

std::shared_ptr<Wires> wires_of(const std::shared_ptr<ExecSession>& session, const asio::any_io_executor& executor) {
  auto& slot = all_wires()[session.get()];
  auto wires = slot.lock();
  if (wires) return wires;
  wires = std::shared_ptr<Wires>(new Wires(session), [](Wires* last) {
    all_wires().erase(last->session.get());
    delete last;
  });
  slot = wires;
  if (auto lifeline = session->take_lifeline()) {
    wires->lifeline = std::make_shared<Descriptor>(executor, lifeline.release());
    asio::co_spawn(executor, await_end(wires->lifeline, wires), asio::detached);
  }
  return wires;
}

/// How much is to be read at once: what an ended command left in its pipe.
std::size_t left_in(Descriptor& pipe) {
  int bytes = 0;
  return ::ioctl(pipe.native_handle(), FIONREAD, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

/// What the command writes, to the client: binary frames, then an empty text frame for the end.
asio::awaitable<void> send_output(std::shared_ptr<WebSocket> socket, std::shared_ptr<Descriptor> from,
                                  std::shared_ptr<Wires> wires, std::string name) {
  std::array<char, kChunk> buffer;  // NOLINT: filled by the read
  ErrorCode error;
  std::optional<std::size_t> left;  // once the command has ended
  wires->pipes[name] = from;
  (void)::fcntl(from->native_handle(), F_SETPIPE_SZ, kPipe);  // one that stays small is only slower; a terminal is none
  for (;;) {
    // A terminal ends with its session leader.
    if (wires->ended && !left && !wires->session->interactive()) left = left_in(*from);
    if (left && *left == 0) {
      wires->done.insert(name);
      break;
    }
    const auto size = co_await from->async_read_some(asio::buffer(buffer.data(), std::min(left.value_or(kChunk), kChunk)), token(error));
    if (error == asio::error::operation_aborted && wires->ended && from->is_open()) continue;
    if (error) {
      // End of file, or EIO from a terminal whose guest side is closed. Any other: the client of this stream has gone.
      if (error == asio::error::eof || error.value() == EIO) wires->done.insert(name);
      break;
    }
    if (left) *left -= size;
    socket->binary(true);
    co_await socket->async_write(asio::buffer(buffer.data(), size), token(error));
    if (error) break;
  }
  from->close(error);
  socket->text(true);
  co_await socket->async_write(asio::const_buffer(), token(error));
  output_ended(*wires, name);
  co_await socket->async_close(ws::close_code::normal, token(error));
}

/// What the client writes, to the command. An empty text frame is the end of the command's input. Returns when the client
/// has gone; true when it said goodbye.
asio::awaitable<bool> receive_input(std::shared_ptr<WebSocket> socket, std::shared_ptr<Descriptor> to, bool close_at_end) {
  beast::flat_buffer buffer;
  ErrorCode error;
  bool open = to != nullptr;
  for (;;) {
    buffer.clear();
    co_await socket->async_read_some(buffer, kChunk, token(error));
    if (error) break;
    if (socket->got_text() && buffer.size() == 0 && socket->is_message_done()) {
      if (open && close_at_end) to->close(error);
      open = false;  // read on: the close of the websocket is still to come
      continue;
    }
    if (!open) continue;
    co_await asio::async_write(*to, buffer.data(), token(error));
    if (error) {  // the command does not read any more
      open = false;
      if (close_at_end) to->close(error);
    }
  }
  const bool goodbye = said_goodbye(*socket, error);
  if (to && to->is_open()) to->close(error);
  co_return goodbye;
}

/// A number as the API sends it, in JSON text or as a number.
unsigned number_of(const nlohmann::json& value) {
  if (value.is_number_unsigned()) return value.get<unsigned>();
  unsigned number = 0;
  if (value.is_string()) {
    const auto& text = value.get_ref<const std::string&>();
    std::from_chars(text.data(), text.data() + text.size(), number);
  }
  return number;
}

/// The right to call the daemon for a stream, as short as the call.
asio::awaitable<Result<void>> with_api(Shared& shared, std::shared_ptr<Identities::Place> place,
                                       std::function<void(Api&, std::function<void(Result<void>)>)> act) {
  using Leased = Result<std::shared_ptr<Identities::Lease>>;
  Starter<Leased> acquire = [&shared, place](std::function<void(Leased)> done) { shared.identities.acquire(place, std::move(done)); };
  const auto lease = co_await call_back<Leased>(std::move(acquire));
  if (!lease) co_return lease.error();
  auto& api = (*lease)->api();
  Starter<Result<void>> start = [&api, act = std::move(act)](std::function<void(Result<void>)> done) { act(api, std::move(done)); };
  co_return co_await call_back<Result<void>>(std::move(start));
}

asio::awaitable<void> send_signal(Shared& shared, std::shared_ptr<Identities::Place> place,
                                  std::shared_ptr<ExecSession> session, int number) {
  std::function<void(Api&, std::function<void(Result<void>)>)> act = [session, number](Api& api, std::function<void(Result<void>)> done) {
    api.signal(session, number, std::move(done));
  };
  const auto sent = co_await with_api(shared, place, std::move(act));
  if (!sent) log::debug("a signal could not be sent: " + sent.error().message);
}

asio::awaitable<void> serve_control(std::shared_ptr<WebSocket> socket, std::shared_ptr<Wires> wires,
                                    std::shared_ptr<Identities::Place> place, Shared& shared) {
  beast::flat_buffer buffer;
  ErrorCode error;
  socket->read_message_max(shared.limits.control_message);
  for (;;) {
    buffer.clear();
    co_await socket->async_read(buffer, token(error));
    if (error) break;
    const std::string_view text(static_cast<const char*>(buffer.data().data()), buffer.size());
    if (!is_shallow(text)) continue;
    const auto message = nlohmann::json::parse(text, nullptr, false);
    if (!message.is_object() || !message.contains("command") || !message["command"].is_string()) continue;
    const auto& command = message["command"].get_ref<const std::string&>();
    if (command == "window-resize" && message.contains("args") && message["args"].is_object()) {
      const auto& args = message["args"];
      wires->session->resize(number_of(args.value("width", nlohmann::json())), number_of(args.value("height", nlohmann::json())));
    } else if (command == "signal" && message.contains("signal")) {
      co_await send_signal(shared, place, wires->session, static_cast<int>(number_of(message["signal"])));
    }
  }
  if (!said_goodbye(*socket, error)) wires->cut();
}

asio::awaitable<void> serve_session(std::shared_ptr<WebSocket> socket, Stream stream, std::shared_ptr<Identities::Lease> lease,
                                    std::shared_ptr<Identities::Place> place, Shared& shared) {
  const auto session = std::move(stream.session);
  const auto wires = wires_of(session, socket->get_executor());
  wires->open[stream.name] = socket;
  if (stream.name == "control") {
    lease.reset();
    co_return co_await serve_control(socket, wires, place, shared);
  }
  auto taken = session->take(stream.name);
  if (!taken) co_return;
  const auto descriptor = std::make_shared<Descriptor>(socket->get_executor(), taken.release());
  const bool terminal = session->interactive();
  const bool output = terminal || stream.name != "0";

  if (session->complete()) {
    auto& api = lease->api();
    Starter<Result<void>> begin = [&api, session](std::function<void(Result<void>)> done) { api.begin(session, std::move(done)); };
    const auto begun = co_await call_back<Result<void>>(std::move(begin));
    if (!begun) {
      log::warning("a command could not be begun: " + begun.error().message);
      finish(*wires);
      co_return;
    }
  }
  lease.reset();

  if (output) {
    asio::co_spawn(socket->get_executor(), send_output(socket, descriptor, wires, stream.name), asio::detached);
    // Named, since GCC 12 destroys a temporary of this expression twice.
    const auto input = terminal ? descriptor : std::shared_ptr<Descriptor>();
    const bool goodbye = co_await receive_input(socket, input, false);
    wires->broken = wires->broken || (!goodbye && !wires->done.contains(stream.name));
    ErrorCode error;
    if (descriptor->is_open()) descriptor->close(error);  // the client has gone: its command sees a broken pipe or hang-up
    if (terminal) session->hang_up();
  } else {
    co_await receive_input(socket, descriptor, true);
  }
}

/// Events to one client: a bounded queue between the daemon's speed and the client's.
struct EventQueue {
  std::deque<std::string> texts;
  std::size_t bytes = 0;
  bool over = false;
  asio::steady_timer wake;
  explicit EventQueue(const asio::any_io_executor& executor) : wake(executor, asio::steady_timer::time_point::max()) {}
};

asio::awaitable<void> send_events(std::shared_ptr<WebSocket> socket, std::shared_ptr<EventQueue> queue) {
  ErrorCode error;
  while (!error) {
    if (queue->texts.empty()) {
      if (queue->over) break;
      ErrorCode woken;
      co_await queue->wake.async_wait(token(woken));
      continue;
    }
    const auto text = std::move(queue->texts.front());
    queue->texts.pop_front();
    queue->bytes -= text.size();
    socket->text(true);
    co_await socket->async_write(asio::buffer(text), token(error));
  }
  hang_up(beast::get_lowest_layer(*socket));
}

asio::awaitable<void> serve_events(std::shared_ptr<WebSocket> socket, std::shared_ptr<EventStream> events, Shared& shared) {
  const auto queue = std::make_shared<EventQueue>(socket->get_executor());
  const auto wake = [queue] { queue->wake.cancel(); };
  events->on_event(
      [queue, wake, limit = shared.limits.event_backlog, socket](std::string_view text) {
        if (queue->over) return;
        if (queue->bytes + text.size() > limit) {
          log::warning("cut an event listener that does not read");
          queue->over = true;
          queue->texts.clear();
          hang_up(beast::get_lowest_layer(*socket));
        } else {
          queue->texts.emplace_back(text);
          queue->bytes += text.size();
        }
        wake();
      },
      [queue, wake] {
        queue->over = true;
        wake();
      });
  asio::co_spawn(socket->get_executor(), send_events(socket, queue), asio::detached);
  const std::shared_ptr<Descriptor> no_input;
  co_await receive_input(socket, no_input, false);
  events->on_event([](std::string_view) {}, [] {});
  queue->over = true;
  wake();
}

}  // namespace

asio::awaitable<void> serve_websocket(Socket socket, UpgradeRequest request, Stream stream,
                                      std::shared_ptr<Identities::Lease> lease, std::shared_ptr<Identities::Place> place,
                                      Shared& shared) {
  const std::shared_ptr<WebSocket> websocket(new WebSocket(std::move(socket)), [](WebSocket* last) {
    hang_up(beast::get_lowest_layer(*last));
    delete last;
  });
  websocket->auto_fragment(false);
  websocket->read_message_max(16 * 1024 * 1024);
  ErrorCode error;
  co_await websocket->async_accept(request, token(error));
  if (error) co_return;
  if (stream.events) {
    const auto held = std::move(lease);
    held->share(*place);
    co_await serve_events(websocket, std::move(stream.events), shared);
  } else {
    co_await serve_session(websocket, std::move(stream), std::move(lease), place, shared);
  }
}

}  // namespace berth::rest
