#include "daemon/services/image_pull.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>

#include "base/log.hpp"
#include "daemon/domain/server_keys.hpp"
#include "daemon/domain/value_types.hpp"
#include "daemon/services/image_lookup.hpp"
#include "daemon/services/images.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"

namespace berth::services {
namespace {

constexpr std::size_t kLongestText = 1024;
constexpr std::size_t kLongestCertificate = 64 << 10;

/// `3.10MB`, in steps of a thousand.
std::string byte_text(double bytes) {
  const char* unit = "B";
  for (const char* const larger : {"kB", "MB", "GB", "TB"}) {
    if (bytes < 1000) break;
    bytes /= 1000;
    unit = larger;
  }
  std::array<char, 40> text{};
  (void)std::snprintf(text.data(), text.size(), *unit == 'B' ? "%.0f%s" : "%.2f%s", bytes, unit);
  return text.data();
}

/// LXD's texts: `rootfs: 42% (3.10MB/s)` for images of two files that are fetched one by one, `42% (3.10MB/s)` for others.
std::function<void(OperationContext&, std::uint64_t)> download_progress(const ports::ServerImage& image) {
  const auto begin = std::chrono::steady_clock::now();
  return [files = image.files, total = image.size, begin](OperationContext& operation, std::uint64_t bytes) {
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - begin;
    const auto speed = byte_text(static_cast<double>(bytes) / std::max(passed.count(), 0.001));
    std::string label;
    std::uint64_t done = bytes, whole = total;
    if (files.size() == 2) {
      const bool second = bytes > files[0].size;
      label = second ? "rootfs: " : "metadata: ";
      if (second) done -= files[0].size;
      whole = files[second ? 1 : 0].size;
    }
    const auto share = whole == 0 ? byte_text(static_cast<double>(done)) : std::to_string(std::min<std::uint64_t>(done * 100 / whole, 100)) + '%';
    operation.set_metadata("download_progress", label + share + " (" + speed + "/s)");
  };
}

/// One transfer of an image at a time, however long it takes.
Result<EntityLocks::Guard> lock_transfer(Context& context, const ProjectName& project, const Fingerprint& fingerprint,
                                         const OperationContext& operation) {
  for (;;) {
    auto lock = context.locks.lock("image-transfer/" + project.str() + '/' + fingerprint.str(),
                                   "Image " + fingerprint.str(), "download", EntityLocks::Purpose::Cleanup);
    if (lock || lock.error().code != Code::Busy) return lock;
    if (operation.cancelled()) return Error{Code::Cancelled, "the download was cancelled"};
  }
}

/// The image that the server has for a query. Rule 16: what it says is not believed. One that was asked for by its hash has that
/// hash; its bytes are compared with it later.
Result<ports::ServerImage> find_on_server(Context& context, const ports::ServerImageQuery& query, const std::function<bool()>& cancelled) {
  BERTH_TRY(auto found, context.servers.find(query, cancelled));
  const bool by_hash = query.by_fingerprint || !found.by_alias;
  if (by_hash && query.at.protocol != "direct" && !found.fingerprint.str().starts_with(query.at.alias))
    return Error{Code::FailedPrecondition, "Image fingerprint doesn't match. The server gave " + found.fingerprint.str() + " for " + query.at.alias};
  return found;
}

bool same_origin(const ImageOrigin& a, const ImageOrigin& b) {
  return a.server == b.server && a.protocol == b.protocol && a.alias == b.alias;
}

/// Without the slashes at an address's end, and with LXD's default protocol.
ports::ServerImageQuery normal(ports::ServerImageQuery query) {
  while (query.at.protocol != "direct" && query.at.server.ends_with('/')) query.at.server.pop_back();
  if (query.at.protocol.empty()) query.at.protocol = "lxd";
  return query;
}

}  // namespace

Result<void> check_server_query(const ports::ServerImageQuery& query) {
  const auto& protocol = query.at.protocol;
  if (!protocol.empty() && protocol != "lxd" && protocol != "simplestreams" && protocol != "direct")
    return Error{Code::InvalidArgument, "Unknown protocol of an image server"};
  if (!query.at.server.starts_with("https://"))
    return Error{Code::InvalidArgument, "An image server is asked by HTTPS: its address must begin with https://"};
  for (const auto* const text : {&query.at.server, &query.at.alias, &query.secret, &query.project})
    if (text->size() > kLongestText || has_control_characters(*text))
      return Error{Code::InvalidArgument, "The image's source is too long or has control characters"};
  if (query.at.certificate.size() > kLongestCertificate)
    return Error{Code::InvalidArgument, "The certificate of the image server is too long"};
  if (query.at.alias.empty() && protocol != "direct")
    return Error{Code::InvalidArgument, "must specify one of alias or fingerprint for init from image"};
  return {};
}

Result<OperationId> ImagePull::pull(const Principal& who, PullImageRequest request) {
  BERTH_CHECK(context_.store.project(who, request.project));
  BERTH_CHECK(check_owns(context_, who, request.project, ProjectFeature::Images));
  BERTH_CHECK(check_server_query(request.from));
  BERTH_CHECK(check_image_texts(request.filename, request.properties));
  BERTH_CHECK(find_profiles(context_, who, request.project, request.profiles));
  for (const auto& [name, description] : request.aliases)
    if (context_.store.alias(request.project, name))
      return Error{Code::AlreadyExists, "Alias \"" + name.str() + "\" already exists"};
  OperationSpec spec{.description = "Downloading image", .project = request.project, .owner = who, .cancellable = true};
  request.from = normal(std::move(request.from));
  return context_.operations.start(
      std::move(spec), [&context = context_, who, request](OperationContext& operation) -> Result<Document> {
        BERTH_TRY(const auto image, ImagePull(context).obtain(who, request, false, operation));
        return Document{{"fingerprint", image.fingerprint.str()}, {"size", std::to_string(image.size)}};
      });
}

Result<Image> ImagePull::for_instance(const Principal& who, const ProjectName& project,
                                      const ports::ServerImageQuery& from, OperationContext& operation) {
  PullImageRequest request{.project = project, .from = normal(from)};
  BERTH_TRY(const auto config, context_.store.server_config());
  const auto key = config.find(std::string(kAutoUpdateCachedKey));
  request.auto_update = key == config.end() || key->second.empty() || is_true(key->second);
  return obtain(who, request, true, operation);
}

Result<Image> ImagePull::obtain(const Principal& who, const PullImageRequest& request, bool for_instance,
                                OperationContext& operation) {
  const auto cancelled = [&operation] { return operation.cancelled(); };
  if (for_instance) {
    BERTH_TRY(const auto interval, server_number(context_, kAutoUpdateIntervalKey));
    BERTH_TRY(auto images, context_.store.images(who, request.project));
    const auto cached = std::find_if(images.begin(), images.end(), [&](const Image& image) {
      return image.cached && image.origin && !request.from.by_fingerprint && same_origin(*image.origin, request.from.at);
    });
    // It is kept up to date by itself, so nobody has to wait for the server.
    if (interval > 0 && cached != images.end()) return std::move(*cached);
  }
  BERTH_CHECK(check_owns(context_, who, request.project, ProjectFeature::Images));
  BERTH_TRY(const auto found, find_on_server(context_, request.from, cancelled));
  BERTH_TRY(const auto lock, lock_transfer(context_, request.project, found.fingerprint, operation));
  auto present = context_.store.image(who, request.project, found.fingerprint);
  if (!present && present.error().code != Code::NotFound) return present;
  if (!present) return fetch(who, request, found, for_instance, operation);
  return for_instance ? std::move(present) : apply(who, request, found);
}

Result<Image> ImagePull::fetch(const Principal& who, const PullImageRequest& request, const ports::ServerImage& image,
                               bool for_instance, OperationContext& operation) {
  ImportImageRequest import{.project = request.project, .file = UniqueFd()};
  import.fingerprint = image.fingerprint;
  import.filename = request.filename.empty() ? image.filename : request.filename;
  import.is_public = request.is_public;
  import.properties = image.properties;
  for (const auto& [name, value] : request.properties) import.properties[name] = value;
  import.replace_properties = !image.properties.empty();
  import.aliases = request.aliases;
  import.profiles = request.profiles;
  if (image.created_at != kNever) import.created_at = image.created_at;
  import.cached = for_instance;
  import.tell_result = !for_instance;
  if (image.by_alias) {
    import.auto_update = request.auto_update;
    import.origin = request.from.at;
  }
  import.progress = download_progress(image);
  import.feed = [this, &request, &image](OperationContext& its) -> Result<ImageFeed> {
    const auto cancelled = [&its] { return its.cancelled(); };
    BERTH_TRY(auto download, context_.servers.get(request.from, image, cancelled));
    return ImageFeed{.file = std::move(download.file),
                     .rootfs = std::move(download.rootfs),
                     .end = [end = std::move(download.end), cancelled] { return end(cancelled); }};
  };
  return ImageImport(context_).take(who, import, operation);
}

/// An image that is here already becomes what the request says.
Result<Image> ImagePull::apply(const Principal& who, const PullImageRequest& request, const ports::ServerImage& found) {
  BERTH_TRY(const auto lock, context_.locks.lock(image_entity(found.fingerprint), "Image " + found.fingerprint.str(), "update",
                                                 EntityLocks::Purpose::Cleanup));
  BERTH_TRY(auto image, context_.store.image(who, request.project, found.fingerprint));
  for (const auto& [name, value] : request.properties) image.properties[name] = value;
  image.is_public = image.is_public || request.is_public;
  image.cached = false;
  if (request.auto_update && !image.origin && found.by_alias) image.origin = request.from.at;
  image.auto_update = image.auto_update || (request.auto_update && image.origin);
  if (!request.filename.empty()) image.filename = request.filename;
  if (!request.profiles.empty()) image.profiles = request.profiles;
  BERTH_CHECK(context_.store.update_image(image, std::nullopt));
  for (const auto& [name, description] : request.aliases) {
    BERTH_CHECK(context_.store.insert_alias({request.project, name, image.fingerprint, description}));
    publish_lifecycle(context_, who, LifecycleSubject{"image-alias", request.project, name.str(), who.uid},
                      "image-alias-created", Document{{"target", image.fingerprint.str()}});
  }
  return image;
}

Result<OperationId> ImagePull::copy(const Principal& who, const ProjectName& from, const std::string& reference,
                                    PullImageRequest request) {
  BERTH_CHECK(context_.store.project(who, request.project));
  BERTH_CHECK(context_.store.project(who, from));
  BERTH_TRY(const auto image, Images(context_).resolve(who, from, reference));
  ImportImageRequest import{.project = request.project, .file = UniqueFd()};
  import.fingerprint = image.fingerprint;
  import.filename = request.filename.empty() ? image.filename : request.filename;
  import.is_public = request.is_public;
  import.auto_update = request.auto_update && image.origin;
  import.origin = image.origin;
  import.properties = image.properties;
  for (const auto& [name, value] : request.properties) import.properties[name] = value;
  import.replace_properties = true;
  import.aliases = request.aliases;
  import.profiles = request.profiles;
  import.created_at = image.created_at;
  BERTH_TRY(auto files, context_.images.files(image.fingerprint));
  import.file = std::move(files.at(0));
  if (files.size() > 1) import.rootfs = std::move(files.at(1));
  return ImageImport(context_).import(who, std::move(import));
}

Result<OperationId> ImagePull::refresh(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint) {
  BERTH_CHECK(check_owns(context_, who, project, ProjectFeature::Images));
  BERTH_TRY(const auto image, image_by_prefix(context_, who, project, fingerprint.str()));
  OperationSpec spec{.description = "Refreshing image", .project = project, .owner = who, .cancellable = true};
  return context_.operations.start(
      std::move(spec), [&context = context_, who, image](OperationContext& operation) -> Result<Document> {
        auto renewed = ImagePull(context).renew(who, image, operation);
        if (!renewed)
          return std::move(renewed).error().within("Failed to update image \"" + image.fingerprint.str() +
                                                   "\" in project \"" + image.project.str() + '"');
        return Document{{"refreshed", *renewed}};
      });
}

Result<bool> ImagePull::renew(const Principal& who, const Image& old, OperationContext& operation) {
  if (!old.origin) return Error{Code::FailedPrecondition, "Image source not found"};
  PullImageRequest request{.project = old.project, .from = {.at = *old.origin, .secret = {}, .project = {}}};
  request.is_public = old.is_public;
  request.auto_update = old.auto_update;
  request.profiles = old.profiles;
  BERTH_TRY(const auto found, find_on_server(context_, request.from, [&operation] { return operation.cancelled(); }));
  if (found.fingerprint == old.fingerprint) return false;
  BERTH_TRY(const auto lock, lock_transfer(context_, old.project, found.fingerprint, operation));
  auto by = context_.store.image(who, old.project, found.fingerprint);
  if (!by) by = fetch(who, request, found, old.cached, operation);
  if (!by) return std::move(by).error();
  BERTH_CHECK(replace(old, *by));
  return true;
}

Result<void> ImagePull::replace(const Image& old, const Image& by) {
  BERTH_TRY(const auto aliases, context_.store.aliases(old.project));
  for (auto alias : aliases) {
    if (alias.target != old.fingerprint) continue;
    alias.target = by.fingerprint;
    BERTH_CHECK(context_.store.update_alias(alias));
  }
  if (old.last_used_at != kNever) (void)context_.store.touch_image(by.fingerprint, old.last_used_at);
  BERTH_TRY(const auto lock, context_.locks.lock(image_entity(old.fingerprint), "Image " + old.fingerprint.str(),
                                                 "refresh", EntityLocks::Purpose::Cleanup));
  return ImageImport(context_).drop(old.project, old.fingerprint);
}

}  // namespace berth::services
