#include "daemon/helpers/https_client.hpp"

#include <curl/curl.h>
#include <openssl/ssl.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/openssl.hpp"
#include "daemon/helpers/report.hpp"

namespace berth::helpers {
namespace {

constexpr long kConnectSeconds = 30;
constexpr long kSilentSeconds = 60;
constexpr long kMostRedirections = 5;
constexpr std::size_t kMostHeaders = 100;
constexpr std::size_t kLongestRefusal = 64 << 10;

using Sha256 = std::array<unsigned char, 32>;

struct FreeCurl {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

bool digest_of(const X509& certificate, Sha256& out) {
  unsigned size = 0;
  return X509_digest(&certificate, EVP_sha256(), out.data(), &size) == 1 && size == out.size();
}

Result<Sha256> digest_of_pem(const std::string& pem) {
  const auto certificate = openssl::certificate_of(pem);
  Sha256 out{};
  if (!certificate || !digest_of(*certificate, out))
    return Error{Code::InvalidArgument, "the certificate of the server is no certificate in PEM"};
  return out;
}

/// In place of OpenSSL's own look at the chain.
int verify_pinned(X509_STORE_CTX* chain, void* pinned) {
  const X509* const shown = X509_STORE_CTX_get0_cert(chain);
  Sha256 digest{};
  const bool same = shown != nullptr && digest_of(*shown, digest) && digest == *static_cast<const Sha256*>(pinned);
  X509_STORE_CTX_set_error(chain, same ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return same ? 1 : 0;
}

CURLcode pin(CURL*, void* context, void* pinned) {
  SSL_CTX_set_cert_verify_callback(static_cast<SSL_CTX*>(context), verify_pinned, pinned);
  return CURLE_OK;
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t\r\n";
  const auto begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

/// One transfer, as curl's callbacks see it.
struct Transfer {
  const HttpsClient::OnHead& on_head;
  const HttpsClient::OnBody& on_body;
  HttpsHead head = {};
  bool told = false;
  Result<void> outcome = {};

  bool tell() {
    if (!told && outcome) outcome = on_head(head);
    told = true;
    return outcome.has_value();
  }
};

/// A line of a head. That of a redirection is forgotten when the next one begins.
std::size_t take_header(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line = trimmed({data, size});
  if (line.starts_with("HTTP/")) {
    transfer.head = {};
    const auto blank = line.find(' ');
    if (blank != std::string_view::npos)
      (void)std::from_chars(line.data() + blank + 1, line.data() + line.size(), transfer.head.status);
  } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
    if (transfer.head.headers.size() >= kMostHeaders) return 0;
    transfer.head.headers[lower(line.substr(0, colon))] = std::string(trimmed(line.substr(colon + 1)));
  }
  return size;
}

std::size_t take_body(char* data, std::size_t, std::size_t size, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  if (!transfer.tell()) return 0;
  transfer.outcome = transfer.on_body({data, size});
  return transfer.outcome ? size : 0;
}

Error failure_of(CURLcode code, const char* detail, const std::string& url) {
  const std::string what = shown(url) + ": " + (*detail != '\0' ? detail : curl_easy_strerror(code));
  if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SSL_ISSUER_ERROR)
    return Error{Code::FailedPrecondition, "the server is not trusted: " + what};
  if (code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT)
    return Error{Code::InvalidArgument, "this is no address of an HTTPS server: " + what};
  return Error{Code::Unavailable, "the server cannot be asked: " + what};
}

}  // namespace

struct HttpsClient::State {
  std::unique_ptr<CURL, FreeCurl> handle;
  std::optional<Sha256> pinned;
};

HttpsClient::HttpsClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpsClient::HttpsClient(HttpsClient&&) noexcept = default;
HttpsClient::~HttpsClient() = default;

Result<HttpsClient> HttpsClient::open(const std::string& certificate) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  auto state = std::make_unique<State>();
  state->handle.reset(curl_easy_init());
  if (ready != CURLE_OK || !state->handle) return Error{Code::Internal, "libcurl cannot be used"};
  if (!certificate.empty()) {
    BERTH_TRY(state->pinned, digest_of_pem(certificate));
  }
  return HttpsClient(std::move(state));
}

Result<void> HttpsClient::transfer(const HttpsRequest& request, const OnHead& on_head, const OnBody& on_body) {
  if (!request.url.starts_with("https://"))
    return Error{Code::InvalidArgument, "this is no address of an HTTPS server: " + shown(request.url)};
  CURL* const curl = state_->handle.get();
  curl_easy_reset(curl);  // the connection is kept
  std::unique_ptr<curl_slist, FreeList> headers;
  for (const auto& line : request.headers) {
    curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
    if (longer == nullptr) return Error{Code::Internal, "out of memory"};
    (void)headers.release();
    headers.reset(longer);
  }
  Transfer transfer{.on_head = on_head, .on_body = on_body};
  std::array<char, CURL_ERROR_SIZE> detail{};
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl, CURLOPT_USERAGENT, "berth/" BERTH_VERSION);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, request.follow ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMostRedirections);
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_NOBODY, request.head ? 1L : 0L);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROXY, "");
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSilentSeconds);
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail.data());
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (state_->pinned) {
    // The name does not matter then, nor what a session that is taken up again would leave out.
    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, nullptr);
    curl_easy_setopt(curl, CURLOPT_CAPATH, nullptr);
    curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, pin);
    curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, &*state_->pinned);
  }
  const CURLcode code = curl_easy_perform(curl);
  if (!transfer.outcome) return transfer.outcome;
  if (code != CURLE_OK) return failure_of(code, detail.data(), request.url);
  (void)transfer.tell();
  return transfer.outcome;
}

Result<std::string> HttpsClient::read(const HttpsRequest& request, std::size_t limit) {
  std::string body;
  int status = 0;
  const auto head = [&](const HttpsHead& of) -> Result<void> {
    status = of.status;
    return {};
  };
  BERTH_CHECK(transfer(request, head, [&](std::string_view part) -> Result<void> {
    const bool refused = status != 200;
    if (body.size() + part.size() > (refused ? kLongestRefusal : limit)) {
      if (refused) return {};
      return Error{Code::LimitsExceeded, shown(request.url) + " sends more than is accepted"};
    }
    body.append(part);
    return {};
  }));
  if (status != 200) return refusal(status, body);
  return body;
}

Error refusal(int status, std::string_view body) {
  const auto answer = nlohmann::json::parse(body, nullptr, false);
  std::string text = "the server answers with status " + std::to_string(status);
  if (answer.is_object() && answer.contains("error") && answer["error"].is_string()) {
    // A sentence for people: as it is, but for what steers terminals.
    text.clear();
    for (const char c : answer["error"].get_ref<const std::string&>().substr(0, 400))
      text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return Error{status == 404 ? Code::NotFound : Code::Unavailable, text};
}

std::string url_escape(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4U];
      out += kDigits[byte & 15U];
    }
  }
  return out;
}

}  // namespace berth::helpers
