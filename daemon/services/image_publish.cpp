#include "daemon/services/image_publish.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "daemon/domain/server_keys.hpp"
#include "daemon/services/guest_archive.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/snapshot_steps.hpp"

namespace berth::services {
namespace {

/// What is published, and what keeps it as it is.
struct Source {
  Instance instance;
  std::optional<Snapshot> snapshot;
  EntityLocks::Guard lock;
};

Result<ports::PackRequest> pack_request(Context& context, const Source& source, const PublishRequest& request,
                                        const Compression& compression, const RootSpec& root) {
  ports::PackRequest out{.compression = compression, .files = {}, .trees = {{"rootfs", root}}};
  BERTH_TRY(out.files, metadata_files(context, source.instance, "", [&](ports::ImageMetadata& metadata) {
              metadata.architecture = source.snapshot ? source.snapshot->architecture : source.instance.architecture;
              if (request.properties) metadata.properties = *request.properties;
              metadata.expires_at = request.expires_at.value_or(kNever);
            }));
  return out;
}

/// Begins to pack; `end` waits for it and lets go of the source.
Result<ImageFeed> begin(Context& context, const std::shared_ptr<Source>& source, const PublishRequest& request,
                        const Compression& compression) {
  BERTH_TRY(auto* const driver, driver_of(context, source->instance.pool));
  std::shared_ptr<StillRoot> still;
  RootSpec root;
  if (source->snapshot) {
    BERTH_TRY(root, driver->tree({source->instance.uuid, source->snapshot->uuid}));
  } else {
    BERTH_TRY(auto held, StillRoot::of(context, source->instance));
    still = std::make_shared<StillRoot>(std::move(held));
    root = still->root();
  }
  BERTH_TRY(const auto pack, pack_request(context, *source, request, compression, root));
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  UniqueFd reading(ends[0]), writing(ends[1]);
  (void)fcntl(writing.get(), F_SETPIPE_SZ, 1 << 20);
  BERTH_TRY(auto packing, context.archives.pack(pack, writing.get()));
  return ImageFeed{.file = std::move(reading), .end = [source, still, packing = std::move(packing)]() -> Result<void> {
                     BERTH_CHECK(packing.wait({}, {}));
                     return {};
                   }};
}

}  // namespace

Result<OperationId> ImagePublish::publish(const Principal& who, PublishRequest request) {
  BERTH_TRY(const auto compression, chosen_compression(context_, request.compression, kImageCompressionKey));
  BERTH_TRY(const auto seen, context_.store.instance(who, request.of.project, request.of.name));
  BERTH_TRY(auto lock, lock_instance(context_, seen, "publish"));
  BERTH_TRY(auto instance, context_.store.instance(who, request.of.project, request.of.name));
  if (instance.uuid != seen.uuid)
    return Error{Code::Busy, shown(request.of.name) + " was replaced by another one: try again"};
  std::optional<Snapshot> snapshot;
  if (request.snapshot) {
    BERTH_TRY(snapshot, SnapshotSteps(context_).find(instance, *request.snapshot));
  }
  const auto source = std::make_shared<Source>(Source{std::move(instance), std::move(snapshot), std::move(lock)});
  ImportImageRequest import{.project = request.of.project, .file = UniqueFd()};
  import.filename = request.filename;
  import.is_public = request.is_public;
  import.aliases = request.aliases;
  import.profiles = request.profiles;
  import.created_at = context_.clock.now();  // the archive keeps when its files were first an image
  if (request.properties) import.properties = *request.properties;
  import.feed = [&context = context_, source, request, compression](OperationContext&) {
    return begin(context, source, request, compression);
  };
  return ImageImport(context_).import(who, std::move(import));
}

}  // namespace berth::services
