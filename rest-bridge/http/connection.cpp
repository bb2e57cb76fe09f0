#include "rest-bridge/http/connection.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/log.hpp"
#include "rest-bridge/api/envelope.hpp"
#include "rest-bridge/api/router.hpp"
#include "rest-bridge/http/async.hpp"
#include "rest-bridge/http/body_sender.hpp"
#include "rest-bridge/http/browser_rules.hpp"
#include "rest-bridge/http/relay.hpp"
#include "rest-bridge/http/upload.hpp"
#include "rest-bridge/http/websocket.hpp"

namespace berth::rest {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using HeaderParser = http::request_parser<http::empty_body>;
using BodyParser = http::request_parser<http::buffer_body>;
using Leased = Result<std::shared_ptr<Identities::Lease>>;

constexpr std::size_t kChunk = 64 * 1024;

auto token(ErrorCode& error) { return asio::redirect_error(asio::use_awaitable, error); }

std::string_view view_of(beast::string_view text) { return {text.data(), text.size()}; }

/// One connection and what it is in the middle of.
class Connection {
 public:
  Connection(Socket socket, Shared& shared, std::optional<TlsPeer> tls)
      : socket_(std::move(socket)), shared_(shared), timer_(socket_.get_executor()), place_(std::make_shared<Identities::Place>()) {
    ++shared_.connections;
    place_->peer.tls = std::move(tls);
  }
  ~Connection() {
    hang_up(socket_);
    --shared_.connections;
    if (place_) shared_.identities.leave(*place_);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  asio::awaitable<void> run() {
    if (!place_->peer.tls) {
      auto peer = peer_of(socket_.native_handle());
      if (!peer) co_return;
      place_->peer = *peer;
    }
    place_->socket = socket_.native_handle();
    if (shared_.connections > shared_.limits.connections) {
      // Made before it is awaited: GCC 12 destroys an aggregate of the awaiting expression twice.
      Response refusal = error_answer(Error{Code::Unavailable, "too many connections; try again"});
      co_await send(std::move(refusal), false, 11);
      co_return;
    }
    while (co_await one_request()) {
    }
    ErrorCode error;
    timer_.cancel(error);
  }

 private:
  /// Ends the connection when nothing moves for `limit`.
  void expect_progress(std::chrono::seconds limit) {
    timer_.expires_after(limit);
    timer_.async_wait([this, alive = std::weak_ptr(place_)](ErrorCode error) {
      if (error || alive.expired() || timer_.expiry() > asio::steady_timer::clock_type::now()) return;
      hang_up(socket_);
    });
  }
  void expect_nothing() { timer_.expires_at(asio::steady_timer::time_point::max()); }

  /// Reads and answers one request; false when the connection is to end.
  asio::awaitable<bool> one_request() {
    HeaderParser parser;
    parser.header_limit(shared_.limits.header);
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());  // counted where the body is read
    ErrorCode error;
    expect_progress(shared_.limits.idle);
    co_await http::async_read_header(socket_, buffer_, parser, token(error));
    expect_progress(shared_.limits.progress);
    if (error == http::error::end_of_stream) co_return false;
    if (error) {
      if (error.category() == http::make_error_code(http::error::bad_method).category()) {
        const int status = error == http::error::header_limit ? 431 : 400;
        co_await send(error_answer(status, "the request is not valid HTTP: " + error.message()), false, 11);
      }
      co_return false;
    }

    const auto& head = parser.get();
    const bool keep = head.keep_alive();
    const auto version = head.version();
    upgrade_ = boost::beast::websocket::is_upgrade(head);
    head_only_ = head.method() == http::verb::head;
    origin_ = std::string(view_of(head[http::field::origin]));
    if (version >= 11 && head.count(http::field::host) != 1) {
      co_await send(error_answer(400, "the request needs one Host header"), false, version);
      co_return false;
    }
    if (const auto refusal = refusal_of({.method = view_of(head.method_string()),
                                         .upgrade = head.count(http::field::upgrade) != 0,
                                         .host = view_of(head[http::field::host]),
                                         .origin = view_of(head[http::field::origin]),
                                         .sec_fetch_site = view_of(head["Sec-Fetch-Site"])},
                                        shared_.browser)) {
      co_await send(error_answer(403, *refusal), false, version);
      co_return false;
    }
    if (head.method() == http::verb::options) {
      const bool empty = !head.has_content_length() && !head.chunked();
      const bool sent = co_await send(Response(), keep && empty, version);
      co_return sent && keep && empty;
    }

    Request request;
    request.method = std::string(view_of(head.method_string()));
    request.target = std::string(view_of(head.target()));
    request.upgrade = upgrade_;
    for (const auto& field : head) request.headers.add(std::string(view_of(field.name_string())), std::string(view_of(field.value())));

    if (beast::iequals(head[http::field::expect], "100-continue")) {
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      co_await asio::async_write(socket_, asio::buffer(kContinue), token(error));
      if (error) co_return false;
    }
    UpgradeRequest handshake;
    if (upgrade_) handshake = head;

    const auto kind = body_kind(request.method, request.target);
    const bool may_upload =
        kind == BodyKind::UploadOrJson && !request.headers.get("Content-Type").starts_with("application/json");
    BodyParser body(std::move(parser));
    std::string first;
    first.resize(kChunk);
    auto size = co_await read_some(body, first.data(), first.size(), error);
    if (error) co_return co_await refuse_body(error, version);
    first.resize(size);
    const auto text_begin = first.find_first_not_of(" \t\r\n");
    const bool backup =
        kind == BodyKind::Backup && request.headers.get("Content-Type").starts_with("application/octet-stream");
    if (kind == BodyKind::Upload || backup || (may_upload && text_begin != std::string::npos && first[text_begin] != '{')) {
      // A file is what it is, whatever it is called.
      const auto type = std::string(kind == BodyKind::Upload || backup ? std::string_view() : request.headers.get("Content-Type"));
      const bool sent = co_await upload(std::move(request), type, body, std::move(first), version);
      co_return sent && keep;
    }

    while (!body.is_done()) {
      if (first.size() > shared_.limits.json) {
        co_await send(error_answer(413, "the request body is larger than 8 MiB"), false, version);
        co_return false;
      }
      const auto old = first.size();
      first.resize(old + kChunk);
      size = co_await read_some(body, first.data() + old, kChunk, error);
      if (error) co_return co_await refuse_body(error, version);
      first.resize(old + size);
    }
    if (first.size() > shared_.limits.json) {
      co_await send(error_answer(413, "the request body is larger than 8 MiB"), false, version);
      co_return false;
    }
    request.body = std::move(first);
    expect_nothing();

    auto lease = co_await acquire();
    if (!lease) {
      const bool sent = co_await send(error_answer(lease.error()), keep, version);
      co_return sent && keep;
    }
    auto response = co_await answer((*lease)->api(), std::move(request));
    if (!response) co_return false;  // the client has gone
    if (response->status == 101) {
      auto stream = std::get<Stream>(std::move(response->body));
      if (stream.raw) {
        lease = Error{Code::Cancelled, ""};
        co_await serve_raw(socket_, std::move(stream.raw), std::move(stream.protocol), beast::buffers_to_string(buffer_.data()));
        co_return false;
      }
      // The peer's identity belongs to the socket, so it stays with this connection while the websocket lives.
      co_await serve_websocket(std::move(socket_), std::move(handshake), std::move(stream), *std::move(lease), place_, shared_);
      co_return false;
    }
    lease = Error{Code::Cancelled, ""};  // whoever waits for a place need not wait for our client to read
    const bool sent = co_await send(std::move(*response), keep, version);
    co_return sent && keep;
  }

  asio::awaitable<bool> refuse_body(ErrorCode error, unsigned version) {
    if (error.category() == http::make_error_code(http::error::bad_method).category())
      co_await send(error_answer(400, "the request body is not valid HTTP: " + error.message()), false, version);
    co_return false;
  }

  /// Reads some of a body; 0 at its end.
  asio::awaitable<std::size_t> read_some(BodyParser& body, char* data, std::size_t size, ErrorCode& error) {
    error = {};
    if (body.is_done()) co_return 0;
    body.get().body().data = data;
    body.get().body().size = size;
    expect_progress(shared_.limits.progress);
    // A step may take in no more than the head of a chunk.
    while (!error && !body.is_done() && body.get().body().size == size)
      co_await http::async_read_some(socket_, buffer_, body, token(error));
    if (error == http::error::need_buffer) error = {};
    co_return size - body.get().body().size;
  }

  asio::awaitable<Leased> acquire() {
    auto& identities = shared_.identities;
    Starter<Leased> start = [&identities, place = place_](std::function<void(Leased)> done) { identities.acquire(place, std::move(done)); };
    co_return co_await call_back<Leased>(std::move(start));
  }

  /// The API's answer, or nothing when the client hung up before it was there.
  asio::awaitable<std::optional<Response>> answer(Api& api, Request request) {
    using Maybe = std::optional<Response>;
    auto held = std::make_shared<Request>(std::move(request));
    Starter<Maybe> start = [this, &api, held](std::function<void(Maybe)> done) {
      hung_up_ = done;
      watch_for_hang_up();
      api.handle(std::move(*held), [done](Response response) { done(std::move(response)); });
    };
    auto response = co_await call_back<Maybe>(std::move(start));
    hung_up_ = nullptr;
    co_return response;
  }

  /// Hang-ups alone wake this: bytes of a next request may wait while one is worked on.
  void watch_for_hang_up() {
    if (std::exchange(watching_, true)) return;
    socket_.async_wait(Socket::wait_error, [this, alive = std::weak_ptr(place_)](ErrorCode error) {
      if (error || alive.expired()) return;
      watching_ = false;
      if (hung_up_) hung_up_(std::nullopt);
    });
  }

  asio::awaitable<bool> upload(Request request, std::string content_type, BodyParser& body, std::string first, unsigned version) {
    auto lease = co_await acquire();
    if (!lease) {
      co_await send(error_answer(lease.error()), false, version);
      co_await drain();
      co_return false;
    }
    buffer_.reserve(kChunk);  // a read brings as much as there is room for: else half a kilobyte at a time
    UploadPipes pipes;
    auto given = pipes.open(content_type, socket_.get_executor());
    if (!given) {
      co_await send(error_answer(given.error()), false, version);
      co_await drain();
      co_return false;
    }

    auto& api = (*lease)->api();
    const auto response = std::make_shared<std::optional<Response>>();
    const auto arrived = std::make_shared<asio::steady_timer>(socket_.get_executor(), asio::steady_timer::time_point::max());
    // Where the operation is that the answer waits for, or that the answer tells of.
    const auto operation = std::make_shared<std::string>();
    given->began = [operation, arrived](std::string url) {
      *operation = std::move(url);
      arrived->cancel();
    };
    request.body = std::move(*given);
    api.handle(std::move(request), [response, arrived](Response answer) {
      *response = std::move(answer);
      arrived->cancel();
    });

    // The daemon reads while we write; we read no faster than it does.
    ErrorCode error;
    Result<void> sound = co_await pipes.write(first);
    const auto refused = [&response] { return *response && (*response)->status >= 400; };
    bool taken = false;  // past the parser
    while (sound && !body.is_done()) {
      if (refused()) break;
      if (const auto left = body.content_length_remaining(); left && buffer_.size() == 0 && pipes.whole()) {
        std::function<bool(bool)> more = [this, refused](bool client) {
          client ? expect_progress(shared_.limits.progress) : expect_nothing();
          return !refused();
        };
        sound = co_await pipes.take(socket_, *left, std::move(more));
        taken = sound && !refused();
        break;
      }
      first.resize(kChunk);
      const auto size = co_await read_some(body, first.data(), first.size(), error);
      if (error) {
        sound = Error{Code::InvalidArgument, "the upload ended in the middle: " + error.message()};
        break;
      }
      first.resize(size);
      expect_nothing();
      sound = co_await pipes.write(first);
    }
    expect_nothing();
    const bool whole = sound && (taken || body.is_done());
    if (whole) sound = pipes.finish();
    if (sound && whole) pipes.close();
    if (!sound) {
      // The end of a broken upload must not look like the end of an image, so the operation goes first.
      while (!*response && operation->empty()) co_await arrived->async_wait(token(error));
      if (*response && (*response)->status == 202) *operation = (*response)->headers.get("Location");
      if (!operation->empty()) co_await cancel(api, *operation);
      pipes.close();
      while (!*response) co_await arrived->async_wait(token(error));
      co_await send(error_answer(sound.error()), false, version);
      co_return false;
    }
    bool gone = false;
    hung_up_ = [&gone, arrived](std::optional<Response>) {
      gone = true;
      arrived->cancel();
    };
    watch_for_hang_up();
    while (!*response && !gone) co_await arrived->async_wait(token(error));
    hung_up_ = nullptr;
    if (!*response) {
      // Nobody waits for it any more, and it may wait for a file system that never answers.
      if (!operation->empty()) co_await cancel(api, *operation);
      co_return false;
    }
    pipes.close();
    const bool sent = co_await send(std::move(**response), whole, version);
    if (!whole) co_await drain();
    co_return sent && whole;
  }

  asio::awaitable<void> cancel(Api& api, std::string operation) {
    Request request;
    request.method = "DELETE";
    request.target = std::move(operation);
    const auto held = std::make_shared<Request>(std::move(request));
    Starter<Response> start = [&api, held](std::function<void(Response)> done) { api.handle(std::move(*held), std::move(done)); };
    co_await call_back<Response>(std::move(start));
  }

  /// Reads and forgets what a refused client still sends, so that it gets to read why; not for long.
  asio::awaitable<void> drain() {
    ErrorCode error;
    socket_.shutdown(Socket::shutdown_send, error);
    std::array<char, 4096> nothing;  // NOLINT: never looked at
    expect_progress(std::chrono::seconds(2));
    while (!error) co_await socket_.async_read_some(asio::buffer(nothing), token(error));
  }

  /// Writes one answer; false when it could not be.
  asio::awaitable<bool> send(Response response, bool keep, unsigned version) {
    std::string head = "HTTP/1.1 " + std::to_string(response.status) + ' ';
    head += view_of(http::obsolete_reason(static_cast<http::status>(response.status)));
    head += "\r\n";
    for (auto& [name, value] : cors_headers(shared_.browser, origin_)) response.headers.add(std::move(name), std::move(value));
    for (const auto& [name, value] : response.headers.fields()) {
      head.append(name).append(": ");
      for (const char c : value)
        if (c != '\r' && c != '\n') head += c;
      head += "\r\n";
    }
    if (!keep) head += "Connection: close\r\n";
    if (version < 11 && keep) head += "Connection: keep-alive\r\n";
    expect_progress(shared_.limits.progress);
    ErrorCode error;
    BodySender sender(socket_, [this](bool ours) { ours ? expect_progress(shared_.limits.progress) : expect_nothing(); });
    if (auto* file = std::get_if<FileBody>(&response.body)) co_return co_await sender.send(std::move(head), *file);
    if (auto* parts = std::get_if<PartsBody>(&response.body)) co_return co_await sender.send(std::move(head), *parts);
    const auto& text = std::get<std::string>(response.body);
    if (!head_only_) {
      head += "Content-Length: " + std::to_string(text.size()) + "\r\n\r\n";
      head += text;
    } else {
      head += "\r\n";
    }
    co_await asio::async_write(socket_, asio::buffer(head), token(error));
    co_return !error;
  }

  Socket socket_;
  Shared& shared_;
  asio::steady_timer timer_;
  std::shared_ptr<Identities::Place> place_;
  beast::flat_buffer buffer_;
  std::function<void(std::optional<Response>)> hung_up_;
  bool watching_ = false;
  bool upgrade_ = false;
  bool head_only_ = false;
  std::string origin_;  ///< of the request that is answered
};

}  // namespace

asio::awaitable<void> serve_connection(Socket socket, Shared& shared, std::optional<TlsPeer> tls) {
  try {
    Connection connection(std::move(socket), shared, std::move(tls));
    co_await connection.run();
  } catch (const std::exception& failure) {
    log::error(std::string("a connection failed with an exception: ") + failure.what());
  }
}

}  // namespace berth::rest
