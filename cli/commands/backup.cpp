#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/download.hpp"
#include "cli/names.hpp"
#include "cli/parts.hpp"
#include "cli/terminal.hpp"
#include "rest-bridge/api/url.hpp"

#include <array>
#include <cerrno>
#include <ctime>
#include <fcntl.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>

// `export` and `import` of instances.

namespace berth::cli {
namespace {

struct Flags {
  std::string compression;
  bool instance_only = false;
  bool optimized = false;
};

std::string tomorrow() {
  constexpr std::time_t kDay = 86400;
  const std::time_t then = std::time(nullptr) + kDay;
  std::tm parts{};
  ::gmtime_r(&then, &parts);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text.data();
}

Result<void> download(Server& server, const std::string& path, const std::string& target, const std::string& name) {
  BERTH_TRY(const auto answer, server.fetch(path + "/export"));
  if (target == "-")
    return read_parts(answer, [](const std::string&, const std::string&) -> Result<TakeBytes> {
      return TakeBytes([](std::string_view bytes) -> Result<void> {
        print(bytes);
        return flush_output();
      });
    });
  std::optional<Download> file;
  BERTH_CHECK(read_parts(answer, [&](const std::string&, const std::string&) -> Result<TakeBytes> {
    BERTH_TRY(auto made, Download::create(target.empty() ? name : target));
    file.emplace(std::move(made));
    return TakeBytes([&file](std::string_view bytes) { return file->write(bytes); });
  }));
  if (!file) return Error{Code::Internal, "the answer has no backup"};
  return file->finish(target.empty() ? name + extension_of(file->beginning()) : target);
}

Result<int> export_instance(Context& context, const Flags& flags, const Strings& arguments) {
  BERTH_TRY(const auto place, context.named(arguments[0], "instance"));
  const auto target = arguments.size() > 1 ? arguments[1] : std::string();
  const auto backups = api_path("instances", place.name) + "/backups";
  Json body{{"name", ""},
            {"expires_at", tomorrow()},
            {"instance_only", flags.instance_only},
            {"container_only", flags.instance_only},
            {"optimized_storage", flags.optimized}};
  if (!flags.compression.empty()) body["compression_algorithm"] = flags.compression;
  BERTH_TRY(const auto operation, place.server->send("POST", backups, body, {}, "Backing up " + place.name));
  const auto& urls = child_of(child_of(operation, "resources"), "backups");
  if (!urls.is_array() || urls.empty() || !urls.front().is_string())
    return Error{Code::Internal, "Failed to get backup name from server"};
  const auto backup = backups + '/' + rest::percent_encode(name_in_url(urls.front().get<std::string>()));
  const auto done = download(*place.server, backup, target, place.name);
  const auto removed = place.server->send("DELETE", backup, nullptr, {}, "Removing the backup from the server");
  if (!done) return done.error();
  if (!removed) return removed.error();
  if (target != "-") context.tell("Backup exported successfully!");
  return 0;
}

Result<int> import_instance(Context& context, const std::string& pool, const Strings& arguments) {
  const bool with_remote = arguments.front().ends_with(':');
  const Strings words(arguments.begin() + (with_remote ? 1 : 0), arguments.end());
  if (words.empty() || words.size() > 2) return Error{Code::InvalidArgument, "Invalid number of arguments"};
  UniqueFd file(words[0] == "-" ? ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                : ::open(words[0].c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return system_error("cannot open " + words[0], errno);
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode))
    return Error{Code::InvalidArgument, words[0] + " is a directory; a backup is a file"};
  BERTH_TRY(const auto place, context.place(with_remote ? arguments.front() : ""));
  rest::Request request;
  request.method = "POST";
  request.target = "/1.0/instances";
  request.headers.add("Content-Type", "application/octet-stream");
  if (!pool.empty()) request.headers.add("X-LXD-pool", pool);
  if (words.size() > 1) request.headers.add("X-LXD-name", words[1]);
  rest::Upload upload;
  upload.file = std::move(file);
  request.body = std::move(upload);
  auto done = place.server->send(std::move(request), "Importing instance");
  if (!done) return std::move(done).error();
  return 0;
}

}  // namespace

Command export_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "export",
          .aliases = {},
          .arguments = "[<remote>:]<instance> [<target>]",
          .summary = "Export instances as backup tarballs",
          .description = "The target - is standard output.",
          .examples = "berth export web web.tar.gz\n\nberth export web - --compression none | ssh far tar -t",
          .least = 1,
          .most = 2,
          .flags = {{"--compression", &flags->compression, "Compression algorithm to use (none for uncompressed)"},
                    {"--instance-only,--container-only", &flags->instance_only,
                     "Whether or not to only backup the instance (without snapshots)"},
                    {"--optimized-storage", &flags->optimized,
                     "Use storage driver optimized format (can only be restored on a similar pool)"}},
          .run = [flags](Context& context,
                         const Strings& arguments) { return export_instance(context, *flags, arguments); },
          .commands = {}};
}

Command import_command() {
  const auto pool = std::make_shared<std::string>();
  return {
      .name = "import",
      .aliases = {},
      .arguments = "[<remote>:] <backup file> [<instance name>]",
      .summary = "Import backups of instances including their snapshots",
      .description = "The file - is standard input.",
      .examples = "berth import web.tar.gz\n\nberth import web.tar.gz web2",
      .least = 1,
      .most = 3,
      .flags = {{"-s,--storage", pool.get(), "Storage pool name"}},
      .run = [pool](Context& context, const Strings& arguments) { return import_instance(context, *pool, arguments); },
      .commands = {}};
}

}  // namespace berth::cli
