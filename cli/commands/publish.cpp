#include "cli/commands/commands.hpp"
#include "cli/commands/shared.hpp"
#include "cli/image_names.hpp"
#include "cli/names.hpp"

namespace berth::cli {
namespace {

struct Flags {
  Strings aliases;
  std::string compression;
  std::string expires;
  bool force = false;
  bool is_public = false;
};

Result<void> act(const Place& place, const char* action, const char* what) {
  auto done = place.server->send("PUT", api_path("instances", place.name) + "/state",
                                 Json{{"action", action}, {"timeout", -1}, {"force", false}}, {}, what + place.name);
  if (!done) return std::move(done).error();
  return {};
}

Result<Json> request_of(const Place& from, const Flags& flags, const Strings& properties) {
  Json body{{"source", {{"type", is_snapshot_name(from.name) ? "snapshot" : "instance"}, {"name", from.name}}},
            {"public", flags.is_public},
            {"properties", Json::object()}};
  for (const auto& argument : properties) {
    BERTH_TRY(const auto pair, pair_of(argument));
    body["properties"][pair.first] = pair.second;
  }
  if (!flags.compression.empty()) body["compression_algorithm"] = flags.compression;
  if (!flags.expires.empty()) body["expires_at"] = flags.expires;
  return body;
}

Result<int> publish(Context& context, const Flags& flags, const Strings& arguments) {
  BERTH_TRY(const auto from, context.named(arguments[0], "instance"));
  auto first_property = arguments.begin() + 1;
  if (first_property != arguments.end() && first_property->find('=') == std::string::npos) {
    BERTH_TRY(const auto to, context.split(*first_property++));
    if (!to.name.empty()) return Error{Code::InvalidArgument, "There is no \"image name\".  Did you want an alias?"};
    if (to.remote != from.remote)
      return Error{Code::NotSupported,
                   "An instance is published on its own server; copy the image afterwards: berth "
                   "image copy"};
  }
  BERTH_TRY(const auto body, request_of(from, flags, Strings(first_property, arguments.end())));
  bool start_again = false;
  if (!is_snapshot_name(from.name)) {
    BERTH_TRY(const auto instance, from.server->get(instance_path(from.name)));
    const auto status = text_of(instance, "status");
    if (status != "Stopped" && status != "Error") {
      if (!flags.force)
        return Error{Code::FailedPrecondition,
                     "The instance is currently running. Use --force to have it stopped and restarted"};
      if (flag_of(instance, "ephemeral"))
        return Error{Code::FailedPrecondition,
                     "An ephemeral instance would be gone after its stop; it cannot be published "
                     "with --force. Publish a snapshot of it"};
      BERTH_CHECK(act(from, "stop", "Stopping "));
      start_again = true;
    }
  }
  const auto operation = from.server->send("POST", "/1.0/images", body, {}, "Publishing " + from.name);
  if (start_again) {
    const auto started = act(from, "start", "Starting ");
    if (operation && !started) return started.error();
  }
  if (!operation) return operation.error();
  const auto fingerprint = text_of(child_of(*operation, "metadata"), "fingerprint");
  BERTH_CHECK(add_aliases(*from.server, flags.aliases, fingerprint));
  context.tell("Instance published with fingerprint: " + fingerprint);
  return 0;
}

}  // namespace

Command publish_command() {
  const auto flags = std::make_shared<Flags>();
  return {.name = "publish",
          .aliases = {},
          .arguments = "[<remote>:]<instance>[/<snapshot>] [<remote>:] [flags] [key=value...]",
          .summary = "Publish instances as images",
          .description = "",
          .examples = "berth publish web --alias web-image\n\nberth publish web/before --public os=debian",
          .least = 1,
          .most = Command::kAny,
          .flags = {{"--alias", &flags->aliases, "New alias to define at target"},
                    {"--compression", &flags->compression, "Compression algorithm to use (none for uncompressed)"},
                    {"--expire", &flags->expires, "Image expiration date (format: rfc3339)"},
                    {"-f,--force", &flags->force, "Stop the instance if currently running"},
                    {"--public", &flags->is_public, "Make the image public"}},
          .run = [flags](Context& context, const Strings& arguments) { return publish(context, *flags, arguments); },
          .commands = {}};
}

}  // namespace berth::cli
