#include "cli/remote/image_server.hpp"

#include "base/architecture.hpp"
#include "cli/image_catalog.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/remote/http_transport.hpp"
#include "rest-bridge/api/api.hpp"
#include "rest-bridge/api/envelope.hpp"
#include "rest-bridge/api/image_answer.hpp"
#include "rest-bridge/api/url.hpp"

#include <array>
#include <cerrno>
#include <map>
#include <optional>
#include <unistd.h>

namespace berth::cli {
namespace {

constexpr int kMostRedirections = 5;

/// An https URL, taken apart.
struct Address {
  std::string origin, path;
};

Result<Address> address_of(const std::string& url) {
  const std::string scheme = "https://";
  if (!url.starts_with(scheme)) return Error{Code::InvalidArgument, "\"" + printable(url) + "\" is no https address"};
  const auto slash = std::min(url.find('/', scheme.size()), url.size());
  return Address{.origin = url.substr(0, slash), .path = slash == url.size() ? "/" : url.substr(slash)};
}

Result<std::string> read_body(const rest::Response& response, std::size_t most) {
  const auto* const file = std::get_if<rest::FileBody>(&response.body);
  std::string text(response.text());
  std::array<char, 65536> buffer{};
  while (file != nullptr && text.size() <= most) {
    const auto size = ::read(file->fd.get(), buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("cannot read the answer", errno);
    if (size == 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(size));
  }
  if (text.size() > most) return Error{Code::LimitsExceeded, "the answer is larger than " + std::to_string(most >> 20U) + " MiB"};
  return text;
}

/// The last part of a path.
std::string name_of(const simplestreams::File& file) { return file.path.substr(file.path.rfind('/') + 1); }

Json urls_of(const Json& objects, const std::string& folder, std::string_view name) {
  auto urls = Json::array();
  for (const auto& object : objects) urls.push_back(folder + rest::percent_encode(text_of(object, name)));
  return urls;
}

class ImageServer final : public Transport {
 public:
  ImageServer(Configuration configuration, std::string remote, std::string address)
      : configuration_(std::move(configuration)), remote_(std::move(remote)), address_(std::move(address)) {
    while (address_.ends_with('/')) address_.pop_back();
  }

  void handle(rest::Request request, std::function<void(rest::Response)> done) override { done(call(std::move(request))); }
  rest::Response call(rest::Request request) override {
    auto answer = respond(request);
    return answer ? *std::move(answer) : rest::error_answer(answer.error());
  }
  Result<void> begin(const std::shared_ptr<rest::ExecSession>& /*session*/) override { return images_alone(); }
  void signal(const std::shared_ptr<rest::ExecSession>& /*session*/, int /*number*/) override {}
  void resize(const std::shared_ptr<rest::ExecSession>& /*session*/, unsigned /*width*/, unsigned /*height*/) override {}
  rest::PollLoop& loop() override { return loop_; }

 private:
  Error images_alone() const {
    return {Code::NotSupported, "The remote \"" + printable(remote_) + "\" has images alone (simplestreams), and they can only be read"};
  }

  Result<rest::Response> respond(const rest::Request& request) {
    BERTH_TRY(const auto target, rest::Target::parse(request.target));
    const auto& path = target.segments;
    if (request.method != "GET" || path.size() < 2 || path[0] != "1.0" || path[1] != "images") return images_alone();
    BERTH_CHECK(fetch_catalog());
    const bool whole = target.query.get("recursion") > "0";
    if (path.size() == 2) return rest::sync_answer(whole ? catalog_->images() : urls_of(catalog_->images(), "/1.0/images/", "fingerprint"));
    if (path[2] == "aliases" && path.size() == 3)
      return rest::sync_answer(whole ? catalog_->aliases() : urls_of(catalog_->aliases(), "/1.0/images/aliases/", "name"));
    if (path[2] == "aliases" && path.size() == 4) {
      BERTH_TRY(const auto alias, catalog_->alias(path[3]));
      return rest::sync_answer(alias);
    }
    BERTH_TRY(const auto image, catalog_->image(path[2]));
    if (path.size() == 3) return rest::sync_answer(image);
    if (path.size() == 4 && path[3] == "export") return export_image(text_of(image, "fingerprint"));
    return images_alone();
  }

  Result<void> fetch_catalog() {
    if (catalog_) return {};
    namespace streams = simplestreams;
    BERTH_TRY(const auto index, read(streams::kIndexPath, streams::kLargestIndex));
    auto lists = streams::product_lists(index);
    if (!lists) return std::move(lists).error().within("image server " + address_);
    std::vector<streams::Image> all;
    for (const auto& path : *lists) {
      BERTH_TRY(const auto products, read(path, streams::kLargestProducts));
      auto images = streams::images(products);
      if (!images) return std::move(images).error().within("image server " + address_);
      all.insert(all.end(), std::make_move_iterator(images->begin()), std::make_move_iterator(images->end()));
    }
    BERTH_TRY(const auto host, host_architecture());
    catalog_.emplace(std::move(all), runnable_architectures(host));
    return {};
  }

  /// The answer to a GET of a file of the server, redirections followed.
  Result<rest::Response> get(const std::string& path) {
    auto url = address_ + '/' + path;
    for (int hop = 0; hop <= kMostRedirections; ++hop) {
      BERTH_TRY(const auto place, address_of(url));
      auto& transport = transports_[place.origin];
      if (!transport) {
        BERTH_TRY(transport, anonymous_http_transport(configuration_, place.origin));
      }
      rest::Request request;
      request.method = "GET";
      request.target = place.path;
      auto response = transport->call(std::move(request));
      if (response.status == 200) return response;
      const std::string location(response.headers.get("Location"));
      if (response.status < 301 || response.status > 308 || location.empty()) return refusal(url, response);
      url = location.starts_with('/') ? place.origin + location : location;
    }
    return Error{Code::Unavailable, address_ + " sends from one address to the next"};
  }

  /// What could not be reached is told by our own transport, in an envelope; what a web server says of a refusal is a page.
  static Error refusal(const std::string& url, const rest::Response& response) {
    if (response.status == 503) {
      if (auto told = rest::metadata_of(response); !told) return std::move(told).error();
    }
    return {response.status == 404 ? Code::NotFound : Code::Unavailable,
            printable(url) + " was answered with status " + std::to_string(response.status)};
  }

  Result<std::string> read(const std::string& path, std::size_t most) {
    BERTH_TRY(const auto response, get(path));
    auto text = read_body(response, most);
    if (!text) return std::move(text).error().within(address_ + '/' + printable(path));
    return text;
  }

  Result<rest::FileBody> open(const simplestreams::File& file) {
    BERTH_TRY(auto response, get(file.path));
    auto* const body = std::get_if<rest::FileBody>(&response.body);
    if (body == nullptr) return Error{Code::Unavailable, printable(file.path) + " of " + address_ + " is no file of an image"};
    if (!body->size) body->size = file.size;
    return std::move(*body);
  }

  Result<rest::Response> export_image(const std::string& fingerprint) {
    BERTH_TRY(const auto files, catalog_->files(fingerprint));
    BERTH_TRY(auto first, open(files.front()));
    if (files.size() == 1) return rest::image_answer(name_of(files.front()), std::move(first));
    BERTH_TRY(auto second, open(files.back()));
    return rest::split_image_answer(name_of(files.front()), std::move(first), name_of(files.back()), std::move(second));
  }

  Configuration configuration_;
  std::string remote_, address_;
  rest::PollLoop loop_;
  std::map<std::string, std::unique_ptr<Transport>> transports_;  ///< by origin
  std::optional<ImageCatalog> catalog_;
};

}  // namespace

Result<std::unique_ptr<Transport>> image_server(const Configuration& configuration, const std::string& name) {
  BERTH_TRY(const auto* const remote, configuration.find(name));
  BERTH_CHECK(address_of(remote->address));
  return std::unique_ptr<Transport>(std::make_unique<ImageServer>(configuration, name, remote->address));
}

}  // namespace berth::cli
