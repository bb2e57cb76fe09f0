#include "cli/remote/wires.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/websocket/stream.hpp>

#include <array>
#include <fcntl.h>

namespace berth::cli {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ws = boost::beast::websocket;
using WebSocket = ws::stream<PlainSocket>;
using Descriptor = asio::posix::stream_descriptor;
using ErrorCode = boost::system::error_code;
using asio::use_awaitable;

namespace {

constexpr std::size_t kChunk = 32 * 1024;

auto token(ErrorCode& error) { return asio::redirect_error(use_awaitable, error); }

asio::awaitable<std::shared_ptr<WebSocket>> open_websocket(const Destination& destination, const std::string& target) {
  auto socket = std::make_shared<WebSocket>(co_await connect_plain(destination));
  socket->set_option(ws::stream_base::decorator(
      [](ws::request_type& request) { request.set(beast::http::field::user_agent, "berth/" BERTH_VERSION); }));
  socket->read_message_max(64U * 1024U * 1024U);
  co_await socket->async_handshake(destination.host_header(), target, use_awaitable);
  co_return socket;
}

}  // namespace

struct Wires::Sockets {
  std::map<std::string, std::shared_ptr<WebSocket>> open;
  std::map<std::string, std::shared_ptr<Descriptor>> ends;
};

Wires::Wires(Destination destination, std::string operation, std::map<std::string, std::string> secrets,
             std::map<std::string, UniqueFd> ends, std::function<void()> over)
    : destination_(std::move(destination)),
      operation_(std::move(operation)),
      secrets_(std::move(secrets)),
      ends_(std::move(ends)),
      over_(std::move(over)),
      sockets_(std::make_unique<Sockets>()),
      outputs_(ends_.size() == 1 ? 1 : 2) {}

Wires::~Wires() = default;

asio::awaitable<void> Wires::connect() {
  const auto self = shared_from_this();
  const auto executor = co_await asio::this_coro::executor;
  // The control stream first: the server runs the command when the last numbered one is there.
  std::vector<std::string> names;
  if (secrets_.contains("control")) names.emplace_back("control");
  for (const auto& [name, end] : ends_) names.push_back(name);
  for (const auto& name : names)
    sockets_->open[name] =
        co_await open_websocket(destination_, "/1.0/operations/" + operation_ + "/websocket?secret=" + secrets_[name]);
  for (auto& [name, end] : ends_)
    sockets_->ends[name] = std::make_shared<Descriptor>(executor, std::exchange(end, UniqueFd()).release());
  const bool interactive = ends_.size() == 1;
  asio::co_spawn(executor, input("0"), asio::detached);
  for (const auto& [name, end] : ends_)
    if (interactive || name != "0") asio::co_spawn(executor, output(name), asio::detached);
  if (secrets_.contains("control")) asio::co_spawn(executor, read_control(), asio::detached);
  if (!controls_.empty() && !std::exchange(sending_, true)) asio::co_spawn(executor, send_controls(), asio::detached);
}

asio::awaitable<void> Wires::input(std::string name) {
  const auto self = shared_from_this();
  const auto socket = sockets_->open[name];
  const auto from = sockets_->ends[name];
  std::array<char, kChunk> buffer{};
  ErrorCode error;
  for (;;) {
    const auto size = co_await from->async_read_some(asio::buffer(buffer), token(error));
    if (error) break;
    socket->binary(true);
    co_await socket->async_write(asio::buffer(buffer.data(), size), token(error));
    if (error) co_return;
  }
  if (ends_.size() == 1) {
    // Nobody has the terminal any more: that is a hang-up.
    ErrorCode ignored;
    socket->next_layer().close(ignored);
    co_return;
  }
  from->close(error);
  // The end of the input is an empty text.
  socket->text(true);
  co_await socket->async_write(asio::const_buffer(), token(error));
  // What the server says here is of no interest, but its pings are to be answered.
  beast::flat_buffer said;
  while (!error) {
    co_await socket->async_read(said, token(error));
    said.clear();
  }
}

asio::awaitable<void> Wires::output(std::string name) {
  const auto self = shared_from_this();
  const auto socket = sockets_->open[name];
  const auto to = sockets_->ends[name];
  beast::flat_buffer said;
  ErrorCode error;
  for (;;) {
    co_await socket->async_read(said, token(error));
    if (error || (socket->got_text() && said.size() == 0)) break;
    co_await asio::async_write(*to, said.data(), token(error));
    if (error) {
      // The reader has gone: the command has to notice.
      ErrorCode ignored;
      socket->next_layer().close(ignored);
      break;
    }
    carried_ += said.size();
    said.clear();
  }
  ErrorCode ignored;
  to->close(ignored);
  output_ended();
}

void Wires::output_ended() {
  if (--outputs_ == 0 && over_) std::exchange(over_, nullptr)();
}

void Wires::control(std::string text) {
  controls_.push_back(std::move(text));
  const auto found = sockets_->open.find("control");
  if (found == sockets_->open.end() || std::exchange(sending_, true)) return;
  asio::co_spawn(found->second->get_executor(), send_controls(), asio::detached);
}

asio::awaitable<void> Wires::send_controls() {
  const auto self = shared_from_this();
  const auto socket = sockets_->open["control"];
  ErrorCode error;
  while (!controls_.empty() && !error) {
    const auto text = std::move(controls_.front());
    controls_.pop_front();
    socket->text(true);
    co_await socket->async_write(asio::buffer(text), token(error));
  }
  sending_ = false;
}

asio::awaitable<void> Wires::read_control() {
  const auto self = shared_from_this();
  const auto socket = sockets_->open["control"];
  beast::flat_buffer said;
  ErrorCode error;
  while (!error) {
    co_await socket->async_read(said, token(error));
    said.clear();
  }
}

asio::awaitable<void> read_events(Destination destination, std::string target,
                                  std::function<void(int status, std::string text)> began,
                                  std::function<bool(std::string event)> event, std::function<void()> ended) {
  bool is_open = false;
  std::string failure;
  try {
    WebSocket socket(co_await connect_plain(destination));
    socket.read_message_max(64U * 1024U * 1024U);
    ws::response_type answer;
    ErrorCode error;
    co_await socket.async_handshake(answer, destination.host_header(), target, token(error));
    if (error == ws::error::upgrade_declined) {
      began(static_cast<int>(answer.result_int()), answer.body());
      co_return;
    }
    if (error) throw boost::system::system_error(error);
    is_open = true;
    began(101, {});
    beast::flat_buffer said;
    while (true) {
      co_await socket.async_read(said, use_awaitable);
      if (!event(beast::buffers_to_string(said.data()))) co_return;
      said.clear();
    }
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (is_open)
    ended();
  else
    began(503, failure);
}

}  // namespace berth::cli
