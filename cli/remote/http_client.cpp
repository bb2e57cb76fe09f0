#include "cli/remote/http_client.hpp"

#include "rest-bridge/api/envelope.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/write.hpp>

#include <array>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <limits>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

namespace berth::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using ErrorCode = boost::system::error_code;
using Parser = http::response_parser<http::buffer_body>;
using asio::use_awaitable;

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kMostIdle = 4;
constexpr std::size_t kMostJson = 256U * 1024U * 1024U;
constexpr const char* kBoundary = "berth-f1a3c0de5b7e4d0f9c1d";

/// The connection was closed before an answer began.
struct ClosedBefore : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// One piece of a body: text, or what a descriptor has up to its end.
struct Piece {
  std::string text;
  int fd = -1;
  std::optional<std::uint64_t> size;
};

Piece text_piece(std::string text) {
  const auto size = text.size();
  return {.text = std::move(text), .fd = -1, .size = size};
}

Piece file_piece(int fd) {
  struct stat status {};
  const auto at = ::lseek(fd, 0, SEEK_CUR);
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || at < 0 || at > status.st_size)
    return {.text = {}, .fd = fd, .size = std::nullopt};
  return {.text = {}, .fd = fd, .size = static_cast<std::uint64_t>(status.st_size - at)};
}

std::string part_header(const char* name) {
  return std::string("--") + kBoundary + "\r\nContent-Disposition: form-data; name=\"" + name + "\"; filename=\"" +
         name + "\"\r\nContent-Type: application/octet-stream\r\n\r\n";
}

struct Body {
  std::vector<Piece> pieces;
  std::string type;
};

Body body_of(const rest::Request& request) {
  Body body;
  const auto* const upload = std::get_if<rest::Upload>(&request.body);
  if (!upload) {
    if (!request.text().empty()) body.pieces.push_back(text_piece(std::string(request.text())));
    body.type = "application/json";
    return body;
  }
  body.type = "application/octet-stream";
  if (!upload->rootfs) {
    body.pieces.push_back(file_piece(upload->file.get()));
    return body;
  }
  body.type = std::string("multipart/form-data; boundary=") + kBoundary;
  body.pieces.push_back(text_piece(part_header("metadata")));
  body.pieces.push_back(file_piece(upload->file.get()));
  body.pieces.push_back(text_piece("\r\n" + part_header("rootfs")));
  body.pieces.push_back(file_piece(upload->rootfs.get()));
  body.pieces.push_back(text_piece(std::string("\r\n--") + kBoundary + "--\r\n"));
  return body;
}

std::optional<std::uint64_t> size_of(const Body& body) {
  std::uint64_t total = 0;
  for (const auto& piece : body.pieces) {
    if (!piece.size) return std::nullopt;
    total += *piece.size;
  }
  return total;
}

asio::awaitable<void> write_bytes(PlainSocket& socket, const char* data, std::size_t size, bool chunked) {
  if (!chunked) {
    co_await asio::async_write(socket, asio::buffer(data, size), use_awaitable);
    co_return;
  }
  std::array<char, 20> length{};
  const auto end = std::to_chars(length.data(), length.data() + length.size(), size, 16).ptr;
  const std::string head = std::string(length.data(), end) + "\r\n";
  const std::array<asio::const_buffer, 3> buffers{asio::buffer(head), asio::buffer(data, size),
                                                  asio::buffer("\r\n", 2)};
  co_await asio::async_write(socket, buffers, use_awaitable);
}

asio::awaitable<void> write_body(PlainSocket& socket, const Body& body, bool chunked) {
  std::vector<char> buffer(kChunk);
  for (const auto& piece : body.pieces) {
    if (piece.fd < 0) {
      co_await write_bytes(socket, piece.text.data(), piece.text.size(), chunked);
      continue;
    }
    auto left = piece.size.value_or(UINT64_MAX);
    while (left > 0) {
      // A thread of its own does this: whatever the descriptor is, it may be waited for.
      const auto size = ::read(piece.fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), left));
      if (size < 0 && errno == EINTR) continue;
      if (size < 0) throw std::system_error(errno, std::generic_category(), "cannot read what is to be sent");
      if (size == 0 && piece.size) throw std::runtime_error("the file became shorter while it was sent");
      if (size == 0) break;
      co_await write_bytes(socket, buffer.data(), static_cast<std::size_t>(size), chunked);
      left -= static_cast<std::uint64_t>(size);
    }
  }
  if (chunked) co_await asio::async_write(socket, asio::buffer("0\r\n\r\n", 5), use_awaitable);
}

http::request<http::empty_body> head_of(const rest::Request& request, const Destination& destination,
                                        const Body& body) {
  http::request<http::empty_body> head;
  head.version(11);
  head.method_string(request.method);
  head.target(request.target);
  head.set(http::field::host, destination.host_header());
  head.set(http::field::user_agent, "berth/" BERTH_VERSION);
  for (const auto& [name, value] : request.headers.fields()) head.set(name, value);
  if (body.pieces.empty()) {
    if (request.method == "POST" || request.method == "PUT" || request.method == "PATCH") head.content_length(0);
    return head;
  }
  if (head[http::field::content_type].empty()) head.set(http::field::content_type, body.type);
  if (const auto size = size_of(body))
    head.content_length(*size);
  else
    head.chunked(true);
  return head;
}

/// What the caller reads an answer from. The caller's end has left a byte here, which is taken when all is well:
/// closing with it unread is an error at the other end, and not an end.
struct Drain {
  PlainSocket socket;
  explicit Drain(asio::any_io_executor executor) : socket(executor) {}
  void finish() {
    char token = 0;
    ErrorCode ignored;
    socket.read_some(asio::buffer(&token, 1), ignored);
  }
};

/// Carries the rest of an answer's body into a drain.
asio::awaitable<void> fill(PlainSocket socket, std::shared_ptr<Parser> parser, beast::flat_buffer input, Drain drain) {
  std::vector<char> buffer(kChunk);
  try {
    while (!parser->is_done()) {
      parser->get().body().data = buffer.data();
      parser->get().body().size = buffer.size();
      ErrorCode error;
      co_await http::async_read(socket, input, *parser, asio::redirect_error(use_awaitable, error));
      if (error && error != http::error::need_buffer) co_return;
      const auto size = buffer.size() - parser->get().body().size;
      co_await asio::async_write(drain.socket, asio::buffer(buffer.data(), size), use_awaitable);
    }
    drain.finish();
  } catch (const std::exception&) {
    // The reader has gone.
  }
}

asio::awaitable<std::string> read_text(PlainSocket& socket, Parser& parser, beast::flat_buffer& input) {
  std::string text;
  std::vector<char> buffer(kChunk);
  while (!parser.is_done()) {
    parser.get().body().data = buffer.data();
    parser.get().body().size = buffer.size();
    ErrorCode error;
    co_await http::async_read(socket, input, parser, asio::redirect_error(use_awaitable, error));
    if (error && error != http::error::need_buffer) throw boost::system::system_error(error);
    text.append(buffer.data(), buffer.size() - parser.get().body().size);
    if (text.size() > kMostJson) throw std::runtime_error("the answer is larger than 256 MiB");
  }
  co_return text;
}

bool is_json(const Parser& parser) {
  const auto type = parser.get()[http::field::content_type];
  return parser.get().result_int() >= 400 || type.starts_with("application/json") || type.empty();
}

}  // namespace

asio::awaitable<rest::Response> HttpClient::attempt(PlainSocket socket, const rest::Request& request) {
  const auto body = body_of(request);
  auto head = head_of(request, destination_, body);
  ErrorCode unsent;
  try {
    http::serializer<true, http::empty_body> serializer(head);
    co_await http::async_write_header(socket, serializer, use_awaitable);
    co_await write_body(socket, body, head.chunked());
  } catch (const boost::system::system_error& error) {
    // A server that refuses may stop reading: what it says is still worth reading.
    unsent = error.code();
  }
  beast::flat_buffer input;
  auto parser = std::make_shared<Parser>();
  parser->body_limit(std::numeric_limits<std::uint64_t>::max());  // Boost 1.81 takes none for nothing at all
  parser->header_limit(64 * 1024);
  if (request.method == "HEAD") parser->skip(true);
  ErrorCode error;
  co_await http::async_read_header(socket, input, *parser, asio::redirect_error(use_awaitable, error));
  if (error == http::error::end_of_stream || unsent) {
    if (error) throw ClosedBefore("the server closed the connection without an answer");
  } else if (error) {
    throw boost::system::system_error(error);
  }
  rest::Response response;
  response.status = static_cast<int>(parser->get().result_int());
  for (const auto& field : parser->get())
    response.headers.add(std::string(field.name_string()), std::string(field.value()));
  if (is_json(*parser)) {
    response.body = co_await read_text(socket, *parser, input);
    if (parser->keep_alive() && !unsent && idle_.size() < kMostIdle) idle_.push_back(std::move(socket));
    co_return response;
  }
  const auto executor = co_await asio::this_coro::executor;
  Drain drain(executor);
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair.data()) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot make a pair of sockets");
  UniqueFd reader(pair[0]);
  drain.socket.assign(asio::local::stream_protocol(), pair[1]);
  (void)!::write(reader.get(), "!", 1);
  std::optional<std::uint64_t> size;
  if (parser->content_length()) size = *parser->content_length();
  response.body = rest::FileBody{.fd = std::move(reader), .size = size};
  asio::co_spawn(executor, fill(std::move(socket), std::move(parser), std::move(input), std::move(drain)),
                 asio::detached);
  co_return response;
}

asio::awaitable<rest::Response> HttpClient::call(rest::Request request) {
  // Only what changes nothing is asked on a connection that the server may have closed meanwhile, since it may have
  // to be asked again.
  const bool again = request.method == "GET" || request.method == "HEAD";
  std::string failure;
  try {
    while (again && !idle_.empty()) {
      auto socket = std::move(idle_.back());
      idle_.pop_back();
      try {
        co_return co_await attempt(std::move(socket), request);
      } catch (const ClosedBefore&) {
        continue;
      }
    }
    auto socket = co_await connect_plain(destination_);
    co_return co_await attempt(std::move(socket), request);
  } catch (const boost::system::system_error& error) {
    failure = error.code().message();
  } catch (const std::exception& error) {
    failure = error.what();
  }
  const auto where =
      destination_.socket_path.empty() ? "https://" + destination_.host_header() : destination_.socket_path;
  co_return rest::error_answer(Error{Code::Unavailable, "cannot reach " + where + ": " + failure});
}

}  // namespace berth::cli
