#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/image_names.hpp"
#include "cli/names.hpp"
#include "rest-bridge/api/url.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>

namespace berth::cli {
namespace {

struct Flags {
  Strings aliases;
  bool is_public = false;
};

/// What the arguments name: one file or two, then properties.
struct Files {
  std::string image;
  std::string rootfs;
  std::string remote;
  std::vector<Pair> properties;
};

bool exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0;
}

Result<Files> files_of(const Strings& arguments) {
  Files files{.image = arguments.front()};
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const auto& argument = arguments[i];
    if (i == 1 && exists(argument)) {
      files.rootfs = argument;
    } else if (argument.find('=') != std::string::npos) {
      BERTH_TRY(auto pair, pair_of(argument));
      files.properties.push_back(std::move(pair));
    } else if (argument.ends_with(':')) {
      files.remote = argument.substr(0, argument.size() - 1);
    } else {
      return Error{Code::InvalidArgument, "No such file, and no key=value pair: " + argument};
    }
  }
  return files;
}

Result<UniqueFd> open_file(const std::string& path) {
  UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY));
  if (!file) return system_error("cannot open " + path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return system_error("cannot look at " + path, errno);
  if (S_ISDIR(status.st_mode))
    return Error{Code::NotSupported,
                 path + " is a directory; make an archive of it (metadata.yaml and rootfs/) and import that"};
  return file;
}

Result<rest::Request> upload_of(const Files& files, const Flags& flags) {
  rest::Request request;
  request.method = "POST";
  request.target = "/1.0/images";
  rest::Upload upload;
  BERTH_TRY(upload.file, open_file(files.image));
  if (!files.rootfs.empty()) {
    BERTH_TRY(upload.rootfs, open_file(files.rootfs));
  }
  request.body = std::move(upload);
  std::string properties;
  for (const auto& [key, value] : files.properties)
    properties += (properties.empty() ? "" : "&") + rest::percent_encode(key) + '=' + rest::percent_encode(value);
  const std::vector<Pair> fields{{"X-LXD-filename", files.image.substr(files.image.rfind('/') + 1)},
                                 {"X-LXD-public", flags.is_public ? "1" : ""},
                                 {"X-LXD-properties", properties}};
  for (const auto& [name, value] : fields)
    if (!value.empty()) request.headers.add(name, value);
  return request;
}

bool is_url(const std::string& text) { return text.starts_with("http://") || text.starts_with("https://"); }

/// The server fetches the image itself.
Result<rest::Request> fetch_of(const Files& files, const Flags& flags) {
  auto properties = Json::object();
  for (const auto& [key, value] : files.properties) properties[key] = value;
  rest::Request request;
  request.method = "POST";
  request.target = "/1.0/images";
  request.body = Json{
      {"source", {{"type", "url"}, {"mode", "pull"}, {"url", files.image}}},
      {"public", flags.is_public},
      {"properties",
       properties}}.dump();
  return request;
}

Result<int> import(Context& context, const Flags& flags, const Strings& arguments) {
  BERTH_TRY(const auto files, files_of(arguments));
  BERTH_TRY(auto request, is_url(files.image) ? fetch_of(files, flags) : upload_of(files, flags));
  BERTH_TRY(auto* const server, context.server(files.remote));
  BERTH_TRY(const auto operation, server->send(std::move(request), "Importing image"));
  const auto fingerprint = text_of(child_of(operation, "metadata"), "fingerprint");
  context.tell("Image imported with fingerprint: " + fingerprint);
  BERTH_CHECK(add_aliases(*server, flags.aliases, fingerprint));
  return 0;
}

}  // namespace

Command image_import_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "import",
          .aliases = {},
          .arguments = "<tarball>|<URL> [<rootfs tarball>] [<remote>:] [key=value...]",
          .summary = "Import image into the image store",
          .description =
              "An image is one archive with metadata.yaml and rootfs/, or an archive with metadata.yaml\nand a second "
              "one (or a squashfs file) with the root file system.",
          .examples =
              "berth image import debian.tar.xz --alias debian\n\nberth image import meta.tar.xz rootfs.squashfs "
              "--alias debian os=debian",
          .least = 1,
          .most = Command::kAny,
          .flags = {{"--alias", &flags->aliases, "New aliases to add to the image"},
                    {"--public", &flags->is_public, "Make image public"}},
          .run = [flags](Context& context, const Strings& arguments) { return import(context, *flags, arguments); },
          .commands = {}};
}

}  // namespace berth::cli
