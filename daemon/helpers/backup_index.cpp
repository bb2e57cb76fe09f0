#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <clocale>
#include <nlohmann/json.hpp>
#include <new>

#include "base/helper_process.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/member_path.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/tar_reader.hpp"
#include "daemon/helpers/verbs.hpp"
#include "daemon/helpers/yaml_json.hpp"

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr unsigned long kCpuSeconds = 600;
constexpr std::string_view kIndex = "backup/index.yaml";
constexpr std::string_view kConfig = "backup/container/backup.yaml";

Result<json> document(TarReader& reader, archive_entry* entry, const std::string& path) {
  if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr)
    return Error{Code::InvalidArgument, "the member " + shown(path) + " must be a plain file"};
  const la_int64_t size = archive_entry_size(entry);
  const auto too_large = [&] { return Error{Code::LimitsExceeded, "the member " + shown(path) + " is too large"}; };
  if (size < 0 || static_cast<std::size_t>(size) > kMaxYaml) return too_large();
  std::string text(static_cast<std::size_t>(size), '\0');
  for (;;) {
    BERTH_TRY(const auto block, reader.next_block());
    if (!block) break;
    if (block->offset > text.size() || block->size > text.size() - block->offset) return too_large();
    std::copy_n(block->data, block->size, text.begin() + static_cast<std::ptrdiff_t>(block->offset));
  }
  BERTH_TRY(json out, yaml_to_json(text, path));
  if (!out.is_object()) return Error{Code::InvalidArgument, path + ": must be a map"};
  return out;
}

/// Newer backups have everything in their first member; of older ones the container's own file is needed.
Result<std::string> read_index() {
  BERTH_TRY(TarReader reader, TarReader::open());
  json index, config;
  for (;;) {
    BERTH_TRY(archive_entry* const entry, reader.next());
    if (entry == nullptr) break;
    BERTH_TRY(const std::string path, member_path(archive_entry_pathname(entry)));
    if (path == kIndex && index.is_null()) {
      BERTH_TRY(index, document(reader, entry, path));
      const bool has_config = index.contains("config") && index["config"].is_object();
      if (has_config) config = std::move(index["config"]);
      index.erase("config");
    } else if (path == kConfig && config.is_null()) {
      BERTH_TRY(config, document(reader, entry, path));
    }
    if (!index.is_null() && !config.is_null()) break;
  }
  if (index.is_null()) return Error{Code::InvalidArgument, "the archive has no backup/index.yaml, so it is no backup"};
  if (config.is_null())
    return Error{Code::InvalidArgument, "the backup does not say what its instance was (no backup/container/backup.yaml)"};
  return json{{"index", std::move(index)}, {"config", std::move(config)}}.dump(-1, ' ', true,
                                                                            json::error_handler_t::replace);
}

int work() {
  try {
    const auto result = read_index();
    if (result)
      report_result(*result);
    else
      report_error(result.error());
    return result ? 0 : 1;
  } catch (const std::bad_alloc&) {
    report_error({Code::LimitsExceeded, "the backup needs more memory to read than is given"});
  }
  return 1;
}

}  // namespace

Result<int> backup_index(Arguments) {
  std::setlocale(LC_CTYPE, "C.UTF-8");
  Confinement confinement;
  confinement.cpu_seconds = kCpuSeconds;
  BERTH_TRY(const int status, run_confined(confinement, work));
  if (WIFSIGNALED(status)) {
    if (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)
      return Error{Code::LimitsExceeded, "reading the backup took more time than is given"};
    return Error{Code::InvalidArgument,
                 "the backup cannot be read: the reading broke off by signal " + std::to_string(WTERMSIG(status))};
  }
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
