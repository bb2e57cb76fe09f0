#include "daemon/adapters/image/helper_archives.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/base64.hpp"
#include "base/helper_process.hpp"
#include "base/tree.hpp"
#include "daemon/adapters/image/image_record.hpp"

namespace berth::adapters {
namespace {

using nlohmann::json;

/// A file in memory, at its start.
Result<UniqueFd> in_memory(const std::string& text) {
  UniqueFd fd(memfd_create("berth-pack", MFD_CLOEXEC));
  if (!fd) return system_error("cannot make a file in memory", errno);
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t n = write(fd.get(), text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot write a file in memory", errno);
    at += static_cast<std::size_t>(n);
  }
  if (lseek(fd.get(), 0, SEEK_SET) != 0) return system_error("cannot rewind a file in memory", errno);
  return fd;
}

/// The file with a position of its own, which is its start.
Result<UniqueFd> from_the_start(int file) {
  UniqueFd again(open(("/proc/self/fd/" + std::to_string(file)).c_str(), O_RDONLY | O_CLOEXEC));
  if (!again) return system_error("cannot open the backup again", errno);
  return again;
}

Result<std::vector<UniqueFd>> open_tree(const RootSpec& root) {
  std::vector<UniqueFd> out;
  const bool plain = root.kind == RootSpec::Kind::Plain;
  BERTH_TRY(UniqueFd first, open_folder(plain ? root.plain : root.lower));
  out.push_back(std::move(first));
  if (plain) return out;
  BERTH_TRY(UniqueFd layer, open_folder(root.layer));
  out.push_back(std::move(layer));
  return out;
}

/// `uOUTSIDE:INSIDE:COUNT,g...`; `-` for none.
std::string shift_text(const IdMap& map) {
  std::string out;
  for (const auto& entry : map.entries) {
    if (!out.empty()) out += ',';
    out += (entry.uid ? "u" : "g") + std::to_string(entry.outside) + ":" + std::to_string(entry.inside) + ":" +
           std::to_string(entry.count);
  }
  return out.empty() ? "-" : out;
}

}  // namespace

Result<ports::Packing> HelperArchives::pack(const ports::PackRequest& request, int target) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(
      std::chrono::system_clock::now().time_since_epoch()).count();
  json files = json::array(), trees = json::array();
  for (const auto& file : request.files)
    files.push_back({{"at", file.at}, {"text", base64_encode(file.text)}, {"mtime", now}});
  std::vector<UniqueFd> folders;
  for (const auto& tree : request.trees) {
    trees.push_back({{"at", tree.at}, {"layout", tree.root.kind == RootSpec::Kind::Plain ? "plain" : "overlay"}});
    BERTH_TRY(auto opened, open_tree(tree.root));
    for (auto& folder : opened) folders.push_back(std::move(folder));
  }
  json all{{"compression", request.compression.name}, {"files", std::move(files)}, {"trees", std::move(trees)}};
  if (request.compression.level) all["level"] = *request.compression.level;
  BERTH_TRY(const UniqueFd input, in_memory(all.dump(-1, ' ', true, json::error_handler_t::replace)));
  std::vector<int> descriptors;
  for (const auto& folder : folders) descriptors.push_back(folder.get());
  descriptors.push_back(target);
  BERTH_TRY(auto started, HelperProcess::start(helper_, {"pack"}, input.get(), descriptors));
  const auto process = std::make_shared<HelperProcess>(std::move(started));
  return ports::Packing{.wait = [process](const std::function<void(std::uint64_t)>& progress,
                                          const std::function<bool()>& cancelled) -> Result<std::uint64_t> {
    BERTH_TRY(const std::string answer, process->finish(progress, cancelled));
    std::uint64_t written = 0;
    const auto [end, failed] = std::from_chars(answer.data(), answer.data() + answer.size(), written);
    if (failed != std::errc() || end != answer.data() + answer.size())
      return Error{Code::Internal, "the helper's answer is not understood"};
    return written;
  }};
}

Result<std::string> HelperArchives::read_backup(int file) {
  BERTH_TRY(const UniqueFd again, from_the_start(file));
  return run_helper(helper_, {"backup-index"}, again.get(), {});
}

Result<ports::UnpackedBackup> HelperArchives::unpack_backup(int file, const ports::BackupPlaces& places,
                                                            const std::function<void(std::uint64_t)>& progress,
                                                            const std::function<bool()>& cancelled) {
  BERTH_TRY(const UniqueFd again, from_the_start(file));
  std::vector<std::string> arguments{"unpack", "backup", std::to_string(limits_.max_bytes),
                                     std::to_string(limits_.max_members), shift_text(places.shift)};
  std::vector<int> descriptors{places.root, places.templates};
  for (const auto& snapshot : places.snapshots) {
    arguments.push_back(snapshot.name);
    arguments.push_back(shift_text(snapshot.shift));
    descriptors.push_back(snapshot.root);
  }
  BERTH_TRY(auto process, HelperProcess::start(helper_, arguments, again.get(), descriptors));
  BERTH_TRY(const std::string answer, process.finish(progress, cancelled));
  const json parsed = json::parse(answer, nullptr, false);
  const bool has_metadata = parsed.is_object() && parsed.contains("metadata");
  BERTH_TRY(auto unpacked, parse_unpack_answer(answer, has_metadata));
  ports::UnpackedBackup out;
  if (has_metadata) out.metadata = std::move(unpacked.metadata);
  return out;
}

}  // namespace berth::adapters
