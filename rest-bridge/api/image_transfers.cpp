#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "rest-bridge/api/image_answer.hpp"
#include "rest-bridge/api/images.hpp"

namespace berth::rest {
namespace {

struct Pipe {
  UniqueFd reading, writing;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

/// One file of an image, and what it is called.
struct Exported {
  FileBody file;
  std::string extension;
  bool split = false;
};

Task<Result<Exported>> export_part(Context& context, const Json& row, std::string part) {
  BERTH_CO_TRY(Pipe pipe, make_pipe());
  Options options;
  options["part"] = std::move(part);
  if (const auto secret = context.query.get("secret"); !secret.empty()) options["secret"] = std::string(secret);
  BERTH_CO_TRY(Call call, image_call(context, row, "Export"));
  call.arguments.emplace_back(Handle{pipe.writing.get()});
  call.arguments.emplace_back(std::move(options));
  auto made = co_await context.bus.call(std::move(call));
  pipe.writing.reset();  // the daemon's alone: its end is the end
  BERTH_CO_TRY(Reply reply, std::move(made));
  const Json& info = reply.values.at(0);
  Exported out;
  out.file.fd = std::move(pipe.reading);
  out.file.size = info.value("size", std::uint64_t{0});
  out.extension = info.value("extension", "");
  out.split = info.value("split", false);
  co_return out;
}

Answer export_image(Context& context) {
  BERTH_CO_TRY(Json row, co_await describe_image(context));
  BERTH_CO_TRY(Exported image, co_await export_part(context, row, "image"));
  const auto fingerprint = row.value("fingerprint", "");
  if (image.split) {
    BERTH_CO_TRY(Exported rootfs, co_await export_part(context, row, "rootfs"));
    co_return split_image_answer("meta-" + fingerprint + image.extension, std::move(image.file), fingerprint + rootfs.extension, std::move(rootfs.file));
  }
  co_return image_answer(fingerprint + image.extension, std::move(image.file));
}

Answer run_on_image(Context& context, std::string member) {
  Json row{{"fingerprint", context.parameter("fingerprint")}};
  // A whole fingerprint is not looked up first: who may not do this hears that, and not whether there is such an image.
  if (!Fingerprint::parse(context.parameter("fingerprint"))) {
    BERTH_CO_TRY(Json found, co_await describe_image(context));
    row = std::move(found);
  }
  BERTH_CO_TRY(Call call, image_call(context, row, std::move(member)));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

Answer create_secret(Context& context) { co_return co_await run_on_image(context, "CreateSecret"); }
Answer refresh_image(Context& context) { co_return co_await run_on_image(context, "Refresh"); }

/// `aliases` of the request: a list of objects.
Result<StringMap> aliases_of(const Json& body) {
  StringMap aliases;
  if (!has_field(body, "aliases")) return aliases;
  if (!body["aliases"].is_array()) return Error{Code::InvalidArgument, "aliases must be a list"};
  for (const auto& alias : body["aliases"]) {
    if (!alias.is_object()) return Error{Code::InvalidArgument, "aliases must be a list of objects"};
    BERTH_TRY(auto name, text_field(alias, "name"));
    BERTH_TRY(auto description, text_field(alias, "description"));
    aliases[std::move(name)] = std::move(description);
  }
  return aliases;
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/images/{fingerprint}/export", "Image.Export", "view", export_image},
    {"POST", "/1.0/images/{fingerprint}/refresh", "Image.Refresh", "manage-images", refresh_image},
    {"POST", "/1.0/images/{fingerprint}/secret", "Image.CreateSecret", "manage-images", create_secret},
};

}  // namespace

Answer publish_image(Context& context, Json body) {
  BERTH_CO_TRY(std::string name, text_field(body["source"], "name"));
  BERTH_CO_TRY(std::string type, text_field(body["source"], "type"));
  if (name.empty()) co_return Error{Code::InvalidArgument, "No source provided"};
  Options options;
  const auto slash = name.find('/');
  if ((type == "snapshot") != (slash != std::string::npos))
    co_return Error{Code::InvalidArgument, type == "snapshot" ? "Not a snapshot" : "Not an instance"};
  if (slash != std::string::npos) {
    options["snapshot"] = name.substr(slash + 1);
    name.resize(slash);
  }
  if (has_field(body, "profiles")) {
    BERTH_CO_TRY(Strings profiles, strings_field(body, "profiles"));
    options["profiles"] = std::move(profiles);
  }
  BERTH_CO_TRY(std::string compression, text_field(body, "compression_algorithm"));
  if (!compression.empty()) options["compression"] = std::move(compression);
  // Properties that are there replace those of the image the instance was made from, even when there are none.
  if (has_field(body, "properties")) {
    BERTH_CO_TRY(StringMap properties, map_field(body, "properties"));
    options["properties"] = std::move(properties);
  }
  BERTH_CO_TRY(std::string filename, text_field(body, "filename"));
  if (!filename.empty()) options["filename"] = std::move(filename);
  BERTH_CO_TRY(bool is_public, bool_field(body, "public"));
  if (is_public) options["public"] = true;
  BERTH_CO_TRY(StringMap aliases, aliases_of(body));
  if (!aliases.empty()) options["aliases"] = std::move(aliases);
  BERTH_CO_TRY(std::uint64_t expires_at, time_field(body, "expires_at"));
  if (expires_at != 0) options["expires-at"] = expires_at;
  Call call = manager_call("PublishImage", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(name));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_operation(context, std::move(call));
}

Result<Options> server_source(const Json& source) {
  Options options;
  for (const auto* const field : {"server", "protocol", "certificate", "secret", "project"}) {
    BERTH_TRY(auto text, text_field(source, field));
    if (!text.empty()) options[field] = std::move(text);
  }
  return options;
}

Answer fetch_image(Context& context, Json body) {
  const auto& source = body["source"];
  BERTH_CO_TRY(std::string type, text_field(source, "type"));
  BERTH_CO_TRY(std::string mode, text_field(source, "mode"));
  if (!mode.empty() && mode != "pull") co_return Error{Code::NotSupported, "images are pulled by the server that gets them: mode " + mode + " is not supported"};
  Options from;
  if (type == "url") {
    BERTH_CO_TRY(std::string url, text_field(source, "url"));
    if (url.empty()) co_return Error{Code::InvalidArgument, "Missing URL"};
    BERTH_CO_TRY(from, server_source(source));
    from["server"] = std::move(url);
    from["protocol"] = std::string("direct");
  } else {
    BERTH_CO_TRY(from, server_source(source));
    for (const auto* const by : {"fingerprint", "alias"}) {
      BERTH_CO_TRY(std::string value, text_field(source, by));
      if (value.empty()) continue;
      from[by] = std::move(value);
      break;
    }
    if (!from.contains("fingerprint") && !from.contains("alias"))
      co_return Error{Code::InvalidArgument, "must specify one of alias or fingerprint for init from image"};
  }
  Options options;
  if (has_field(body, "profiles")) {
    BERTH_CO_TRY(Strings profiles, strings_field(body, "profiles"));
    options["profiles"] = std::move(profiles);
  }
  if (has_field(body, "properties")) {
    BERTH_CO_TRY(StringMap properties, map_field(body, "properties"));
    if (!properties.empty()) options["properties"] = std::move(properties);
  }
  BERTH_CO_TRY(std::string filename, text_field(body, "filename"));
  if (!filename.empty()) options["filename"] = std::move(filename);
  BERTH_CO_TRY(bool is_public, bool_field(body, "public"));
  if (is_public) options["public"] = true;
  BERTH_CO_TRY(bool auto_update, bool_field(body, "auto_update"));
  if (auto_update) options["auto-update"] = true;
  BERTH_CO_TRY(StringMap aliases, aliases_of(body));
  if (!aliases.empty()) options["aliases"] = std::move(aliases);
  Call call = manager_call("FetchImage", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(from));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_operation(context, std::move(call));
}

std::span<const Route> image_transfer_routes() { return kRoutes; }

}  // namespace berth::rest
