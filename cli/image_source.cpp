#include "cli/image_source.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "cli/image_names.hpp"
#include "cli/names.hpp"
#include "cli/output/shape.hpp"
#include "cli/parts.hpp"
#include "rest-bridge/api/url.hpp"

namespace berth::cli {
namespace {

/// Where others find the server: the address that we have of it, or the first that it says it has.
Result<std::string> address_of(const Remote& remote, const Json& environment) {
  if (remote.address.starts_with("https://")) return remote.address;
  const auto& addresses = child_of(environment, "addresses");
  if (!addresses.is_array() || addresses.empty() || !addresses.front().is_string())
    return Error{Code::FailedPrecondition,
                 "The source server does not listen on the network, so that no other server can "
                 "fetch its images; set its core.https_address"};
  return "https://" + addresses.front().get<std::string>();
}

/// Whether the name that an image was asked by is an alias. The beginning of its fingerprint may be one, too: "bb" is the one and the other.
bool is_alias(const Json& image, const std::string& name) {
  const auto& aliases = child_of(image, "aliases");
  return !text_of(image, "fingerprint").starts_with(name) ||
         (aliases.is_array() && std::any_of(aliases.begin(), aliases.end(),
                                            [&name](const Json& alias) { return text_of(alias, "name") == name; }));
}

/// A file without a name, for the way.
Result<UniqueFd> temporary_file() {
  const char* const given = std::getenv("TMPDIR");
  const std::string folder = given != nullptr && *given == '/' ? given : "/var/tmp";
  std::string path = folder + "/berth-image-XXXXXX";
  UniqueFd file(::mkostemp(path.data(), O_CLOEXEC));
  if (!file) return system_error("cannot make a temporary file in " + folder, errno);
  ::unlink(path.c_str());
  return file;
}

Result<void> write_all(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(file, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot write a temporary file", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<Json> source_of_image(Context& context, const Place& place, const Json& image) {
  BERTH_TRY(const auto* const configuration, context.configuration());
  BERTH_TRY(const auto* const remote, configuration->find(place.remote));
  const auto fingerprint = text_of(image, "fingerprint");
  const bool is_public = flag_of(image, "public");
  const bool named = is_public && !place.name.empty() && is_alias(image, place.name);
  Json source{{"type", "image"}, {"mode", "pull"}, {named ? "alias" : "fingerprint", named ? place.name : fingerprint}};
  if (remote->protocol == "simplestreams") {
    source.update({{"server", remote->address}, {"protocol", remote->protocol}});
    return source;
  }
  BERTH_TRY(const auto object, place.server->get("/1.0"));
  const auto& environment = child_of(object, "environment");
  BERTH_TRY(auto address, address_of(*remote, environment));
  source.update({{"server", std::move(address)},
                 {"protocol", "lxd"},
                 {"certificate", text_of(environment, "certificate")},
                 {"project", place.server->project()},
                 {"image_type", text_of(image, "type")}});
  if (is_public) return source;
  BERTH_TRY(const auto operation, place.server->start("POST", api_path("images", fingerprint) + "/secret", Json::object()));
  source["secret"] = text_of(child_of(operation, "metadata"), "secret");
  return source;
}

Result<Json> source_for_others(Context& context, const RemoteName& image) {
  BERTH_TRY(const auto* const configuration, context.configuration());
  BERTH_TRY(const auto* const remote, configuration->find(image.remote));
  if (remote->protocol == "simplestreams")
    return Json{{"type", "image"},
                {"mode", "pull"},
                {"server", remote->address},
                {"protocol", "simplestreams"},
                {"alias", image.name}};
  BERTH_TRY(auto* const server, context.server(image.remote));
  BERTH_TRY(const auto fingerprint, resolve_image(*server, image.name));
  BERTH_TRY(const auto object, server->get(api_path("images", fingerprint)));
  return source_of_image(context, {.server = server, .remote = image.remote, .name = image.name}, object);
}

Result<void> relay_image(const Place& from, const Json& image, Server& to, bool is_public, const Strings& profiles) {
  BERTH_TRY(const auto answer, from.server->fetch(api_path("images", text_of(image, "fingerprint")) + "/export"));
  rest::Upload upload;
  BERTH_CHECK(read_parts(answer, [&](const std::string& name, const std::string&) -> Result<TakeBytes> {
    const bool second = name.starts_with("rootfs");
    BERTH_TRY(auto file, temporary_file());
    const int to_file = file.get();
    if (second) {
      upload.rootfs = std::move(file);
    } else {
      upload.file = std::move(file);
    }
    return TakeBytes([to_file](std::string_view bytes) { return write_all(to_file, bytes); });
  }));
  if (!upload.file) return Error{Code::Internal, "the answer has no image"};
  if (::lseek(upload.file.get(), 0, SEEK_SET) != 0 || (upload.rootfs && ::lseek(upload.rootfs.get(), 0, SEEK_SET) != 0))
    return system_error("cannot rewind a temporary file", errno);
  rest::Request request;
  request.method = "POST";
  request.target = "/1.0/images";
  request.body = std::move(upload);
  std::string properties;
  if (const auto& all = child_of(image, "properties"); all.is_object())
    for (const auto& [key, value] : all.items())
      if (value.is_string())
        properties += (properties.empty() ? "" : "&") + rest::percent_encode(key) + '=' + rest::percent_encode(value.get<std::string>());
  request.headers.add("X-LXD-fingerprint", text_of(image, "fingerprint"));
  if (const auto name = text_of(image, "filename"); !name.empty()) request.headers.add("X-LXD-filename", name);
  if (is_public) request.headers.add("X-LXD-public", "1");
  if (!properties.empty()) request.headers.add("X-LXD-properties", properties);
  std::string names;
  for (const auto& profile : profiles) names += (names.empty() ? "profile=" : "&profile=") + rest::percent_encode(profile);
  if (!names.empty()) request.headers.add("X-LXD-profiles", names);
  if (auto done = to.send(std::move(request), "Copying the image"); !done) return std::move(done).error();
  return {};
}

}  // namespace berth::cli
