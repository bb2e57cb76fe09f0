#include <clocale>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <nlohmann/json.hpp>
#include <new>
#include <string_view>

#include "base/base64.hpp"
#include "base/helper_process.hpp"
#include "base/unique_fd.hpp"
#include "daemon/helpers/archive_writer.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/read_all.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/verbs.hpp"

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxRequest = 128 << 20;
constexpr std::size_t kMaxTrees = 500;
constexpr unsigned long kCpuSeconds = 24UL * 3600;

struct Request {
  Compression compression;
  struct File {
    std::string at, text;
    std::int64_t mtime;
  };
  std::vector<File> files;
  struct Tree {
    std::string at, root;  ///< `root`: where the confined process sees it
  };
  std::vector<Tree> trees;
};

/// The request, and what the confined process has to see for it.
Result<Request> parse_request(const std::string& text, Confinement& confinement) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return Error{Code::Internal, "the request is not understood"};
  Request out;
  out.compression.name = object.at("compression").get<std::string>();
  if (object.contains("level")) out.compression.level = object.at("level").get<int>();
  for (const json& file : object.at("files")) {
    BERTH_TRY(auto content, base64_decode(file.at("text").get<std::string>()));
    out.files.push_back({file.at("at").get<std::string>(), std::move(content), file.at("mtime").get<std::int64_t>()});
  }
  if (object.at("trees").size() > kMaxTrees)
    return Error{Code::LimitsExceeded, "an archive of more than " + std::to_string(kMaxTrees) + " trees is refused"};
  int fd = kHelperFirst;
  for (const json& tree : object.at("trees")) {
    const std::string number = std::to_string(out.trees.size());
    const std::string root = "root" + number;
    if (tree.at("layout").get<std::string>() == "overlay") {
      const std::string image = "image" + number, layer = "layer" + number;
      confinement.shares.push_back({fd++, image, true});
      confinement.shares.push_back({fd++, layer, true});
      // Both as lower layers: nothing can be written, and no work folder is touched.
      confinement.overlays.push_back({.lower = "/" + layer + "/upper:/" + image, .upper = {}, .work = {}, .at = root});
    } else {
      confinement.shares.push_back({fd++, root, true});
    }
    out.trees.push_back({tree.at("at").get<std::string>(), "/" + root});
  }
  return out;
}

Result<std::uint64_t> write_archive(const Request& request) {
  BERTH_TRY(ArchiveWriter writer, ArchiveWriter::open(request.compression, kHelperInput));
  for (const auto& file : request.files) BERTH_CHECK(writer.add_file(file.at, file.text, file.mtime));
  for (const auto& tree : request.trees) {
    const UniqueFd root(open(tree.root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!root) return system_error("cannot open a tree", errno);
    BERTH_CHECK(writer.add_tree(tree.at, root.get()));
  }
  BERTH_CHECK(writer.finish());
  return writer.written();
}

int work(const Request& request) {
  try {
    const auto written = write_archive(request);
    if (written)
      report_result(std::to_string(*written));
    else
      report_error(written.error());
    return written ? 0 : 1;
  } catch (const std::bad_alloc&) {
    report_error({Code::LimitsExceeded, "the archive needs more memory than is given"});
  }
  return 1;
}

}  // namespace

Result<int> pack(Arguments) {
  // Names in trees are mostly UTF-8, and libarchive converts them by the locale.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  Confinement confinement;
  confinement.cpu_seconds = kCpuSeconds;
  BERTH_TRY(const std::string text, read_all(kHelperInput, kMaxRequest, "the request"));
  BERTH_TRY(const Request request, parse_request(text, confinement));
  // The target takes the place of the request: the one descriptor of a confined process that can be of any kind.
  const int target = kHelperFirst + static_cast<int>(confinement.shares.size());
  if (dup2(target, kHelperInput) < 0) return system_error("cannot put the target in place", errno);
  close(target);
  BERTH_TRY(const int status, run_confined(confinement, [&request] { return work(request); }));
  if (WIFSIGNALED(status))
    return Error{Code::Internal, "the packing was ended by signal " + std::to_string(WTERMSIG(status))};
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
