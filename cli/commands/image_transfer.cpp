#include "base/sha256.hpp"
#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/download.hpp"
#include "cli/image_names.hpp"
#include "cli/image_source.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"
#include "cli/parts.hpp"

#include <filesystem>
#include <map>

// `image copy`, `image export` and `image refresh`.

namespace berth::cli {
namespace {

struct CopyFlags {
  Strings aliases, profiles;
  std::string mode = "pull";
  std::string target_project;
  bool auto_update = false;
  bool copy_aliases = false;
  bool is_public = false;
};

Result<int> copy(Context& context, const CopyFlags& flags, const Strings& arguments) {
  BERTH_TRY(const auto named, context.split(arguments[0]));
  BERTH_TRY(const auto from, find_image(context, arguments[0]));
  BERTH_TRY(const auto to, context.place(arguments[1]));
  if (!to.name.empty()) return Error{Code::InvalidArgument, "Can't provide a name for the target image"};
  if (from.remote == to.remote && (flags.target_project.empty() || flags.target_project == from.server->project()))
    return Error{Code::InvalidArgument, "The source and target servers must be different"};
  if (flags.mode == "push")
    return Error{Code::NotSupported, "Images are copied by --mode pull, when the target reaches the source, or by --mode relay"};
  if (flags.mode != "pull" && flags.mode != "relay")
    return Error{Code::InvalidArgument, "--mode is one of pull, push and relay"};
  BERTH_TRY(const auto image, from.server->get(api_path("images", from.name)));
  if (!flags.target_project.empty()) to.server->use_project(flags.target_project);
  if (flags.mode == "relay") {
    BERTH_CHECK(relay_image(from, image, *to.server, flags.is_public, flags.profiles));
  } else {
    Json source{{"type", "image"}, {"mode", "pull"}, {"fingerprint", from.name}, {"project", from.server->project()}};
    if (from.remote != to.remote) {
      BERTH_TRY(source, source_of_image(context, {.server = from.server, .remote = from.remote, .name = named.name}, image));
    }
    Json body{{"source", std::move(source)},
              {"auto_update", flags.auto_update},
              {"public", flags.is_public},
              {"properties", child_of(image, "properties")}};
    if (!flags.profiles.empty()) body["profiles"] = flags.profiles;
    BERTH_CHECK(to.server->send("POST", "/1.0/images", body, {}, "Copying the image"));
  }
  Strings aliases(flags.aliases);
  if (flags.copy_aliases)
    for (const auto& alias : child_of(image, "aliases")) aliases.push_back(text_of(alias, "name"));
  BERTH_CHECK(add_aliases(*to.server, aliases, from.name));
  context.tell("Image copied successfully!");
  return 0;
}

/// Where the parts of an image go: in a folder by the names that the server suggests, else by the name that was given.
std::string path_of_part(const std::string& target, const std::string& fingerprint, bool is_rootfs,
                         const std::string& suggested, const std::string& extension) {
  namespace fs = std::filesystem;
  std::error_code failure;
  const fs::path given(target);
  const bool in_folder = target.empty() || fs::is_directory(given, failure);
  const auto plain = fs::path(suggested).filename().string();
  if (in_folder) {
    const bool usable = !plain.empty() && plain.front() != '.' && printable(plain) == plain;
    return (given / (usable ? plain : fingerprint + (is_rootfs ? ".rootfs" : "") + extension)).string();
  }
  return target + (is_rootfs ? ".root" : extension);
}

Result<int> export_image(Context& context, const Strings& arguments) {
  BERTH_TRY(const auto found, find_image(context, arguments[0]));
  BERTH_TRY(const auto answer, found.server->fetch(api_path("images", found.name) + "/export"));
  const auto target = arguments.size() > 1 ? arguments[1] : std::string();
  struct Part {
    std::string suggested;
    Download file;
  };
  std::map<std::string, Part> parts;
  Sha256 digest;
  BERTH_CHECK(read_parts(answer, [&](const std::string& name, const std::string& suggested) -> Result<TakeBytes> {
    BERTH_TRY(auto file, Download::create(path_of_part(target, found.name, false, suggested, "")));
    const auto made = parts.emplace(name, Part{.suggested = suggested, .file = std::move(file)});
    if (!made.second) return Error{Code::Internal, "the answer has a part twice: " + printable(name)};
    return TakeBytes([&part = made.first->second, &digest](std::string_view bytes) {
      digest.add(bytes);
      return part.file.write(bytes);
    });
  }));
  if (parts.empty()) return Error{Code::Internal, "the answer has no image"};
  if (const auto got = digest.finish(); got != found.name)
    return Error{Code::FailedPrecondition, "Image fingerprint doesn't match. Got " + got + " expected " + found.name};
  for (auto& [name, part] : parts)
    BERTH_CHECK(part.file.finish(path_of_part(target, found.name, name.starts_with("rootfs"), part.suggested,
                                              extension_of(part.file.beginning()))));
  context.tell("Image exported successfully!");
  return 0;
}

}  // namespace

Command copy_image_command() {
  const auto flags = std::make_shared<CopyFlags>();
  return {.name = "copy",
          .aliases = {"cp"},
          .arguments = "[<remote>:]<image> <remote>:",
          .summary = "Copy images between servers",
          .description = "Or between the projects of a server. The target server fetches the image (--mode pull), or it\ncomes by way of this machine (--mode relay).",
          .examples =
              "berth image copy debian far: --copy-aliases\n\n"
              "berth image copy debian local: --target-project shop --alias debian",
          .least = 2,
          .most = 2,
          .flags = {{"--alias", &flags->aliases, "New aliases to add to the image"},
                    {"--auto-update", &flags->auto_update, "Keep the image up to date after initial copy"},
                    {"--copy-aliases", &flags->copy_aliases, "Copy aliases from source"},
                    {"--mode", &flags->mode, "Transfer mode. One of pull and relay"},
                    {"-p,--profile", &flags->profiles, "Profile to apply to the new image"},
                    {"--public", &flags->is_public, "Make image public"},
                    {"--target-project", &flags->target_project, "Copy to a project different from the source"}},
          .run = [flags](Context& context, const Strings& arguments) { return copy(context, *flags, arguments); },
          .commands = {}};
}

Command export_image_command() {
  return {.name = "export",
          .aliases = {},
          .arguments = "[<remote>:]<image> [<target>]",
          .summary = "Export and download images",
          .description = "The target is a folder or a file, and defaults to the working directory.",
          .examples = "berth image export debian /srv/images",
          .least = 1,
          .most = 2,
          .flags = {},
          .run = export_image,
          .commands = {}};
}

Command refresh_image_command() {
  return {.name = "refresh",
          .aliases = {},
          .arguments = "[<remote>:]<image> [[<remote>:]<image>...]",
          .summary = "Refresh images",
          .description = "An image that came from another server is fetched anew when it has changed there.",
          .examples = "berth image refresh debian",
          .least = 1,
          .most = Command::kAny,
          .flags = {},
          .run = [](Context& context, const Strings& arguments) -> Result<int> {
            for (const auto& argument : arguments) {
              BERTH_TRY(const auto found, find_image(context, argument));
              BERTH_TRY(const auto operation, found.server->send("POST", api_path("images", found.name) + "/refresh",
                                                                 Json::object(), {}, "Refreshing the image"));
              context.tell(flag_of(child_of(operation, "metadata"), "refreshed") ? "Image refreshed successfully!"
                                                                                 : "Image already up to date.");
            }
            return 0;
          },
          .commands = {}};
}

}  // namespace berth::cli
