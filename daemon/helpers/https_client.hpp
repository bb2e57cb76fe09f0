#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace berth::helpers {

struct HttpsRequest {
  std::string url;
  std::vector<std::string> headers = {};  ///< whole lines: `Name: value`
  bool follow = false;                    ///< redirections, by HTTPS alone
  bool head = false;                      ///< the head of the answer alone
};

/// The head of an answer; what it says is a stranger's.
struct HttpsHead {
  int status = 0;
  std::map<std::string, std::string> headers;  ///< names in lower case
};

/// A client of one HTTPS server. Everything is bounded in time: a server that sends nothing for a minute is given up. One
/// thread; blocking.
class HttpsClient {
 public:
  using OnHead = std::function<Result<void>(const HttpsHead&)>;
  using OnBody = std::function<Result<void>(std::string_view)>;

  /// `certificate` is a PEM: the server must show that very certificate, compared by the SHA-256 of its DER (rule 11), and
  /// no authority is asked. Empty: one of this host's authorities must vouch for the server's name.
  /// Errors: InvalidArgument for a PEM that is none, Internal.
  static Result<HttpsClient> open(const std::string& certificate);
  HttpsClient(HttpsClient&&) noexcept;
  ~HttpsClient();

  /// `head` is told of the answer before `body` gets its parts; an error of either ends it and is returned.
  /// Errors: InvalidArgument (no HTTPS address), FailedPrecondition (the server is not who it should be), Unavailable (it
  /// cannot be reached, or the transfer broke off).
  Result<void> transfer(const HttpsRequest& request, const OnHead& head, const OnBody& body);
  /// The body of a success. Errors: as transfer(); NotFound for a 404, with the server's sentence; Unavailable for other
  /// refusals; LimitsExceeded beyond `limit` bytes.
  Result<std::string> read(const HttpsRequest& request, std::size_t limit);

 private:
  struct State;
  explicit HttpsClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// What a refusal says: the sentence of an LXD error, as it may stand in a text of ours, or the status.
Error refusal(int status, std::string_view body);

/// `text` for a path or a query.
std::string url_escape(std::string_view text);

}  // namespace berth::helpers
