#include <clocale>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>
#include <new>
#include <optional>

#include "base/helper_process.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/multipart_reader.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/server_image.hpp"
#include "daemon/helpers/verbs.hpp"
#include "daemon/helpers/read_all.hpp"

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRequest = 1 << 20;
constexpr std::size_t kMaxAnswer = 4 << 20;
constexpr int kFile = kHelperFirst, kRootfs = kHelperFirst + 1;

ServerQuery query_of(const json& request) {
  const auto text = [&](const char* name) { return request.at(name).get<std::string>(); };
  return {.server = text("server"),
          .protocol = text("protocol"),
          .certificate = text("certificate"),
          .secret = text("secret"),
          .project = text("project"),
          .reference = text("reference"),
          .architectures = request.at("architectures").get<std::vector<std::string>>()};
}

Result<ServerImage> find(HttpsClient& client, const ServerQuery& query) {
  if (query.protocol == "simplestreams") return find_simplestreams_image(client, query);
  if (query.protocol == "direct") return find_direct_image(client, query);
  return find_lxd_image(client, query);
}

Result<std::string> answer_of(const ServerImage& image) {
  json files = json::array();
  for (const auto& file : image.files) files.push_back({{"url", file.url}, {"size", file.size}});
  auto text = json{{"fingerprint", image.fingerprint},
                   {"architecture", image.architecture},
                   {"filename", image.filename},
                   {"size", image.size},
                   {"created_at", image.created_at},
                   {"expires_at", image.expires_at},
                   {"properties", image.properties},
                   {"by_alias", image.by_alias},
                   {"files", std::move(files)}}
                  .dump(-1, ' ', true, json::error_handler_t::replace);
  if (text.size() > kMaxAnswer) return Error{Code::LimitsExceeded, "what the server says of the image is too long"};
  return text;
}

Result<void> write_all(int target, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(target, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EPIPE) return Error{Code::Unavailable, "nobody reads the image any more"};
    if (n < 0) return system_error("cannot hand on the image", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

/// Told once the form of what comes is known, before any of it.
void tell_form(bool split) { report_result(json{{"split", split}}.dump()); }

/// Where the parts of a split image go: metadata first, as its hash wants it.
class Parts {
 public:
  Result<void> begin(const std::string& name) {
    const bool expected = (name == "metadata" && target_ < 0) ||
                          ((name == "rootfs" || name == "rootfs.img") && target_ == kFile);
    if (!expected) return Error{Code::InvalidArgument, "the server's answer has other parts than metadata and rootfs"};
    if (target_ == kFile) close(kFile);
    target_ = target_ < 0 ? kFile : kRootfs;
    return {};
  }
  Result<void> write(std::string_view bytes) const { return write_all(target_, bytes); }

 private:
  int target_ = -1;
};

/// One file, or a body with both.
Result<void> get_one(HttpsClient& client, const HttpsRequest& request) {
  Parts parts;
  std::optional<MultipartReader> reader;
  BERTH_CHECK(client.transfer(
      request,
      [&](const HttpsHead& head) -> Result<void> {
        if (head.status != 200) return refusal(head.status, {});
        const auto type = head.headers.find("content-type");
        const bool split = type != head.headers.end() && is_multipart(type->second);
        if (split) {
          BERTH_TRY(reader, MultipartReader::open(
                                type->second, [&parts](const std::string& name) { return parts.begin(name); },
                                [&parts](std::string_view bytes) { return parts.write(bytes); }));
        } else {
          close(kRootfs);
        }
        tell_form(split);
        return {};
      },
      [&](std::string_view bytes) -> Result<void> { return reader ? reader->take(bytes) : write_all(kFile, bytes); }));
  if (reader) return reader->finish();
  return {};
}

/// Metadata and root file system, each from its own place.
Result<void> get_two(HttpsClient& client, const std::string& metadata, const std::string& rootfs) {
  bool told = false;
  int target = kFile;
  for (const auto& url : {metadata, rootfs}) {
    BERTH_CHECK(client.transfer(
        {.url = url, .follow = true},
        [&](const HttpsHead& head) -> Result<void> {
          if (head.status != 200) return refusal(head.status, {});
          if (!told) tell_form(true);
          told = true;
          return {};
        },
        [&](std::string_view bytes) { return write_all(target, bytes); }));
    close(target);
    target = kRootfs;
  }
  return {};
}

Result<void> get(HttpsClient& client, const ServerQuery& query, const json& files) {
  if (files.size() == 1)
    return get_one(client, {.url = files.at(0).get<std::string>(), .follow = query.protocol != "lxd"});
  if (files.size() == 2) return get_two(client, files.at(0).get<std::string>(), files.at(1).get<std::string>());
  return Error{Code::Internal, "an image has one file or two"};
}

Result<void> work(const json& request) {
  const auto query = query_of(request);
  BERTH_TRY(HttpsClient client, HttpsClient::open(query.certificate));
  if (request.contains("files")) return get(client, query, request.at("files"));
  BERTH_TRY(const ServerImage image, find(client, query));
  BERTH_TRY(const std::string answer, answer_of(image));
  report_result(answer);
  return {};
}

int work_confined(const std::string& text) {
  Result<void> done;
  try {
    done = work(json::parse(text));
  } catch (const json::exception&) {
    done = Error{Code::InvalidArgument, "the server's answer is not understood"};
  } catch (const std::bad_alloc&) {
    done = Error{Code::LimitsExceeded, "the server's answer needs more memory than is given"};
  }
  if (done) return 0;
  report_error(done.error());
  return 1;
}

}  // namespace

Result<int> fetch(Arguments arguments) {
  const std::string_view what = arguments.empty() ? "" : arguments[0];
  if (arguments.size() != 1 || (what != "find" && what != "get")) return Error{Code::Internal, "fetch: `find` or `get`"};
  BERTH_TRY(const std::string text, read_all(kHelperInput, kMaxRequest, "the request"));
  Confinement confinement;
  confinement.network = true;
  confinement.descriptors = what == "get" ? 2U : 0U;
  BERTH_TRY(const int status, run_confined(confinement, [&text] { return work_confined(text); }));
  if (WIFSIGNALED(status))
    return Error{Code::Internal, "the download was ended by signal " + std::to_string(WTERMSIG(status))};
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
