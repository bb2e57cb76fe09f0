#include <utility>

#include "base/object_path.hpp"
#include "rest-bridge/api/common.hpp"
#include "rest-bridge/api/images.hpp"
#include "rest-bridge/api/rows.hpp"

namespace berth::rest {
namespace {

Json shown_image(Json row) {
  auto image = to_api(std::move(row), Resource::Image);
  if (!image.contains("aliases") || image["aliases"].is_null()) image["aliases"] = Json::array();
  if (!image.contains("profiles") || image["profiles"].empty()) image["profiles"] = Json::array({"default"});
  return image;
}

Task<Result<Json>> describe(Context& context, Options options) {
  Call call = manager_call("DescribeImages", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(std::move(options));
  co_return co_await context.bus.describe(std::move(call));
}

}  // namespace

Task<Result<Json>> describe_image(Context& context) {
  const auto& reference = context.parameter("fingerprint");
  // Aliases have a tree of their own; here is only what can be the beginning of a fingerprint.
  if (reference.size() > 64 || reference.find_first_not_of("0123456789abcdef") != std::string::npos)
    co_return Error{Code::NotFound, "Image not found"};
  Options options;
  options["references"] = Strings(1, reference);
  if (const auto secret = context.query.get("secret"); !secret.empty()) options["secret"] = std::string(secret);
  BERTH_CO_TRY(Json rows, co_await describe(context, std::move(options)));
  if (rows.empty()) co_return Error{Code::NotFound, "Image not found"};
  co_return std::move(rows.front());
}

Result<Call> image_call(const Context& context, const Json& row, std::string member) {
  BERTH_TRY(const auto project, ProjectName::parse(context.one_project()));
  BERTH_TRY(const auto fingerprint, Fingerprint::parse(row.value("fingerprint", "")));
  return Call{.path = image_path(project, fingerprint), .interface = "Image", .member = std::move(member), .arguments = {}};
}

namespace {

std::string image_etag(const Json& row) {
  auto parts = Json::array();
  for (const auto* field : {"public", "auto_update", "properties"}) parts.push_back(row.value(field, Json()));
  return etag_of(parts);
}

Answer list_images(Context& context) {
  BERTH_CO_TRY(Json rows, co_await describe(context, Options()));
  auto objects = Json::array();
  for (auto& row : rows) objects.push_back(shown_image(std::move(row)));
  BERTH_CO_TRY(Json kept, filtered(context, std::move(objects)));
  if (context.recursion() >= 1) co_return sync_answer(kept);
  auto urls = Json::array();
  for (const auto& object : kept) urls.push_back(url_of("images", object.value("fingerprint", "")));
  co_return sync_answer(urls);
}

Answer get_image(Context& context) {
  BERTH_CO_TRY(Json row, co_await describe_image(context));
  const auto etag = image_etag(row);
  co_return with_etag(sync_answer(shown_image(std::move(row))), etag);
}

/// The X-LXD-* headers of an upload.
Result<Options> upload_options(const Headers& headers) {
  Options options;
  if (const auto text = headers.get("X-LXD-profiles"); !text.empty()) {
    Strings profiles;
    const auto query = Query::parse(text);
    for (const auto& [name, value] : query.pairs())
      if (name == "profile") profiles.push_back(value);
    options["profiles"] = std::move(profiles);
  }
  if (const auto text = headers.get("X-LXD-fingerprint"); !text.empty()) options["fingerprint"] = std::string(text);
  if (const auto text = headers.get("X-LXD-filename"); !text.empty()) options["filename"] = std::string(text);
  if (is_true(headers.get("X-LXD-public"))) options["public"] = true;
  StringMap properties;
  for (const auto text : headers.all("X-LXD-properties")) {
    const auto query = Query::parse(text);
    for (const auto& [name, value] : query.pairs()) properties[name] = value;
  }
  if (!properties.empty()) options["properties"] = std::move(properties);
  return options;
}

Answer create_image(Context& context) {
  auto* upload = std::get_if<Upload>(&context.request.body);
  if (!upload) {
    BERTH_CO_TRY(Json body, body_of(context));
    const auto source = has_field(body, "source") && body["source"].is_object() ? body["source"] : Json(Json::object());
    BERTH_CO_TRY(std::string type, text_field(source, "type"));
    if (type == "image" || type == "url") co_return co_await fetch_image(context, body);
    if (type == "container" || type == "instance" || type == "snapshot") co_return co_await publish_image(context, body);
    if (type == "virtual-machine") co_return Error{Code::NotSupported, "Berth runs containers, no virtual machines"};
    co_return Error{Code::InvalidArgument, "Invalid images JSON: unknown source type \"" + type + "\""};
  }
  BERTH_CO_TRY(Options options, upload_options(context.request.headers));
  if (upload->rootfs) options["rootfs"] = Handle{upload->rootfs.get()};
  Call call = manager_call("ImportImage", {});
  call.arguments.emplace_back(context.one_project());
  call.arguments.emplace_back(Handle{upload->file.get()});
  call.arguments.emplace_back(std::move(options));
  auto made = co_await context.bus.call(std::move(call));
  // The daemon has its own descriptors now. Ours must go, or whoever writes would never learn that nobody reads.
  context.request.body = std::string();
  if (!made) co_return std::move(made).error();
  co_return co_await accepted(context, made->text(0));
}

/// PUT means every field, PATCH those that are there.
Answer change_image(Context& context, bool whole) {
  BERTH_CO_TRY(Json body, body_of(context));
  BERTH_CO_TRY(Json row, co_await describe_image(context));
  BERTH_CO_TRY(const auto revision, checked_revision(context, image_etag(row), row));
  Options changes;
  if (whole || has_field(body, "properties")) {
    BERTH_CO_TRY(StringMap properties, map_field(body, "properties"));
    changes["properties"] = std::move(properties);
  }
  if (whole || has_field(body, "public")) {
    BERTH_CO_TRY(bool is_public, bool_field(body, "public"));
    changes["public"] = is_public;
  }
  if (whole || has_field(body, "auto_update")) {
    BERTH_CO_TRY(bool auto_update, bool_field(body, "auto_update"));
    changes["auto-update"] = auto_update;
  }
  if (has_field(body, "expires_at")) {
    BERTH_CO_TRY(std::uint64_t expires_at, time_field(body, "expires_at"));
    changes["expires-at"] = expires_at;
  }
  if (has_field(body, "profiles")) {
    BERTH_CO_TRY(Strings profiles, strings_field(body, "profiles"));
    changes["profiles"] = std::move(profiles);
  }
  Options options;
  options["replace"] = whole;
  if (revision) options["if-revision"] = *revision;
  BERTH_CO_TRY(Call call, image_call(context, row, "Update"));
  call.arguments.emplace_back(std::move(changes));
  call.arguments.emplace_back(std::move(options));
  co_return co_await run_sync(context, std::move(call));
}

Answer put_image(Context& context) { co_return co_await change_image(context, true); }
Answer patch_image(Context& context) { co_return co_await change_image(context, false); }

Answer delete_image(Context& context) {
  BERTH_CO_TRY(Json row, co_await describe_image(context));
  BERTH_CO_TRY(Call call, image_call(context, row, "Delete"));
  call.arguments.emplace_back(Options());
  co_return co_await run_operation(context, std::move(call));
}

constexpr Route kRoutes[] = {
    {"GET", "/1.0/images", "Manager.DescribeImages", "view", list_images},
    {"POST", "/1.0/images", "Manager.ImportImage", "manage-images", create_image},
    {"GET", "/1.0/images/{fingerprint}", "Manager.DescribeImages", "view", get_image},
    {"PUT", "/1.0/images/{fingerprint}", "Image.Update", "manage-images", put_image},
    {"PATCH", "/1.0/images/{fingerprint}", "Image.Update", "manage-images", patch_image},
    {"DELETE", "/1.0/images/{fingerprint}", "Image.Delete", "manage-images", delete_image},
    {"POST", "/1.0/images/{fingerprint}/export", "pushing images to other servers", "", nullptr},
};

}  // namespace

std::span<const Route> image_routes() { return kRoutes; }

}  // namespace berth::rest
