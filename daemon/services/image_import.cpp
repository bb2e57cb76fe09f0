#include "base/log.hpp"
#include "base/reverter.hpp"
#include "base/architecture.hpp"
#include "daemon/services/image_lookup.hpp"
#include "daemon/services/images.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"

#include <memory>

namespace berth::services {
namespace {

Error image_exists() { return Error{Code::AlreadyExists, "Image with same fingerprint already exists"}; }

/// Waits for whoever else works on the same image: two imports of it at once are one import and one refusal.
Result<EntityLocks::Guard> lock_image(Context& context, const Fingerprint& fingerprint, const std::string& verb,
                                      EntityLocks::Purpose purpose) {
  return context.locks.lock(image_entity(fingerprint), "Image " + fingerprint.str(), verb, purpose);
}

Result<Image> new_image(const Principal& who, const ImportImageRequest& request, const ports::StagedImage& staged,
                        Timestamp now) {
  BERTH_TRY(const auto architecture, find_architecture(staged.metadata.architecture));
  Image image{.uuid = new_uuid(),
              .project = request.project,
              .fingerprint = staged.fingerprint,
              .owner_uid = who.uid,
              .architecture = std::string(architecture.name),
              .created_at = request.created_at.value_or(staged.metadata.created_at),
              .expires_at = staged.metadata.expires_at,
              .uploaded_at = now,
              .filename = request.filename,
              .size = staged.size,
              .split = staged.split,
              .is_public = request.is_public,
              .cached = request.cached,
              .auto_update = request.auto_update,
              .properties = request.replace_properties ? ConfigMap() : staged.metadata.properties,
              .profiles = request.profiles,
              .origin = request.origin};
  for (const auto& [name, value] : request.properties) image.properties[name] = value;
  return image;
}

}  // namespace

Result<void> check_image_texts(const std::string& filename, const ConfigMap& properties) {
  if (has_control_characters(filename) || filename.find('/') != std::string::npos)
    return Error{Code::InvalidArgument, "The file name may have neither '/' nor control characters"};
  for (const auto& [name, value] : properties)
    if (name.empty() || has_control_characters(name) || has_control_characters(value))
      return Error{Code::InvalidArgument, "Image properties need a name and may not have control characters"};
  return {};
}

Result<OperationId> ImageImport::import(const Principal& who, ImportImageRequest request) {
  BERTH_CHECK(context_.store.project(who, request.project));
  BERTH_CHECK(check_owns(context_, who, request.project, ProjectFeature::Images));
  BERTH_CHECK(check_image_texts(request.filename, request.properties));
  BERTH_CHECK(find_profiles(context_, who, request.project, request.profiles));
  for (const auto& [name, description] : request.aliases)
    if (context_.store.alias(request.project, name))
      return Error{Code::AlreadyExists, "Alias \"" + name.str() + "\" already exists"};
  OperationSpec spec{.description = "Downloading image", .project = request.project, .owner = who, .cancellable = true};
  const auto shared = std::make_shared<ImportImageRequest>(std::move(request));
  return context_.operations.start(std::move(spec), [&context = context_, who, shared](OperationContext& operation) -> Result<Document> {
    BERTH_CHECK(ImageImport(context).take(who, *shared, operation));
    return Document{};
  });
}

Result<Image> ImageImport::take(const Principal& who, ImportImageRequest& request, OperationContext& operation) {
  const bool fed = static_cast<bool>(request.feed);
  const auto progress = [&operation, fed, own = request.progress](std::string_view stage, std::uint64_t bytes) {
    if (own) return own(operation, bytes);
    const std::string key = fed ? "create_image_from_container_pack" : "create_image_" + std::string(stage);
    operation.set_progress(key, fed ? "Image pack" : "Image " + std::string(stage), bytes, 0);
  };
  ImageFeed feed;
  if (fed) {
    auto begun = request.feed(operation);
    request.feed = {};  // what it holds is let go of with the feed
    BERTH_TRY(feed, std::move(begun));
    request.file = std::move(feed.file);
    request.rootfs = std::move(feed.rootfs);
  }
  auto outcome = context_.images.stage(
      {.file = std::move(request.file), .rootfs = std::move(request.rootfs), .expected = request.fingerprint}, progress,
      [&operation] { return operation.cancelled(); });
  const auto written = feed.end ? feed.end() : Result<void>();
  feed.end = {};
  if (!written && (outcome || written.error().code != Code::Unavailable)) {
    // What was read of a file that was never whole is no image, even if it looks like one.
    if (outcome) context_.images.discard(outcome->staging);
    return written.error();
  }
  BERTH_TRY(const auto staged, std::move(outcome));
  const auto& fingerprint = staged.fingerprint;
  if (request.tell_result) {
    operation.set_metadata("fingerprint", fingerprint.str());
    operation.set_metadata("size", std::to_string(staged.size));
  }
  auto kept = keep(who, request, staged);
  if (!kept) {
    context_.images.discard(staged.staging);
    return kept;
  }
  publish_lifecycle(context_, who, LifecycleSubject{"image", request.project, fingerprint.str(), who.uid},
                    "image-created", Document{{"type", "container"}});
  for (const auto& [name, description] : request.aliases)
    publish_lifecycle(context_, who, LifecycleSubject{"image-alias", request.project, name.str(), who.uid},
                      "image-alias-created", Document{{"target", fingerprint.str()}});
  return kept;
}

Result<Image> ImageImport::keep(const Principal& who, const ImportImageRequest& request,
                               const ports::StagedImage& staged) {
  const auto& fingerprint = staged.fingerprint;
  BERTH_TRY(const auto image, new_image(who, request, staged, context_.clock.now()));
  BERTH_CHECK(check_image_texts(image.filename, image.properties));
  BERTH_TRY(const auto lock, lock_image(context_, fingerprint, "import", EntityLocks::Purpose::Cleanup));
  if (context_.store.image(daemon_principal(), request.project, fingerprint)) return image_exists();
  const ports::Intent intent{.id = new_uuid(),
                             .verb = "import-image",
                             .object = fingerprint.str(),
                             .detail = "{}",
                             .created_at = context_.clock.now()};
  BERTH_CHECK(context_.store.begin_intent(intent));
  bool clean = true;
  Reverter undo;
  undo.add([&] {
    if (clean) (void)context_.store.end_intent(intent.id);
  });
  BERTH_CHECK(context_.images.commit(staged));
  undo.add([&] {
    if (const auto dropped = drop_unknown_image(context_, fingerprint); !dropped) {
      clean = false;
      log::warning("A failed import could not be undone: " + dropped.error().message);
    }
  });
  std::vector<ImageAlias> aliases;
  for (const auto& [name, description] : request.aliases)
    aliases.push_back({request.project, name, fingerprint, description});
  BERTH_CHECK(context_.store.insert_image(image, aliases));
  undo.add([&] { clean = context_.store.delete_image(request.project, fingerprint).has_value() && clean; });
  BERTH_CHECK(context_.store.end_intent(intent.id));
  undo.commit();
  return image;
}

Result<OperationId> ImageImport::remove(const Principal& who, const ProjectName& project,
                                        const Fingerprint& fingerprint) {
  BERTH_CHECK(check_owns(context_, who, project, ProjectFeature::Images));
  BERTH_TRY(auto lock, lock_image(context_, fingerprint, "delete", EntityLocks::Purpose::User));
  BERTH_CHECK(image_by_prefix(context_, who, project, fingerprint.str()));
  const auto held = std::make_shared<std::optional<EntityLocks::Guard>>(std::move(lock));
  OperationSpec spec{.description = "Deleting image",
                     .project = project,
                     .owner = who,
                     .resources = {{"images", {fingerprint.str()}}}};
  return context_.operations.start(
      std::move(spec), [&context = context_, who, project, fingerprint, held](OperationContext&) -> Result<Document> {
        const auto removed = ImageImport(context).drop(project, fingerprint);
        held->reset();
        BERTH_CHECK(removed);
        publish_lifecycle(context, who, LifecycleSubject{"image", project, fingerprint.str(), who.uid},
                          "image-deleted");
        empty_trash_later(context);
        return Document{};
      });
}

Result<void> ImageImport::drop(const ProjectName& project, const Fingerprint& fingerprint) {
  const ports::Intent intent{.id = new_uuid(),
                             .verb = "delete-image",
                             .object = fingerprint.str(),
                             .detail = "{}",
                             .created_at = context_.clock.now()};
  BERTH_CHECK(context_.store.begin_intent(intent));
  const auto deleted = context_.store.delete_image(project, fingerprint);
  // With the row gone the image is gone for everybody; what cannot be deleted now stays for reconcile.
  const auto dropped = deleted ? drop_unknown_image(context_, fingerprint) : Result<void>{};
  if (!dropped) {
    log::warning("The files of a deleted image stay for now: " + dropped.error().message);
    return {};
  }
  if (const auto ended = context_.store.end_intent(intent.id); !ended)
    log::warning("An intent could not be ended: " + ended.error().message);
  return deleted;
}

}  // namespace berth::services
