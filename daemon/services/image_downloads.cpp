#include "daemon/services/image_downloads.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <optional>
#include <string_view>

#include "base/log.hpp"
#include "daemon/domain/image_document.hpp"
#include "daemon/services/byte_pump.hpp"
#include "daemon/services/image_lookup.hpp"
#include "daemon/services/lifecycle_events.hpp"

namespace berth::services {
namespace {

constexpr std::size_t kMostSecrets = 1000;
constexpr std::chrono::hours kLifetime{1};
constexpr std::chrono::seconds kUse{5};
/// Each takes a thread for as long as its reader likes, and anybody may be a stranger.
constexpr int kMostForStrangers = 8;

/// As LXD names a file of that beginning.
std::string extension_of(std::string_view head) {
  struct Kind {
    std::string_view magic, extension;
  };
  using namespace std::string_view_literals;
  static constexpr std::array kKinds{Kind{"BZh"sv, ".tar.bz2"sv},
                                     Kind{"\x1f\x8b"sv, ".tar.gz"sv},
                                     Kind{"\xfd\x37zXZ"sv, ".tar.xz"sv},
                                     Kind{"\x5d\x00\x00"sv, ".tar.lzma"sv},
                                     Kind{"hsqs"sv, ".squashfs"sv},
                                     Kind{"\x28\xb5\x2f\xfd"sv, ".tar.zst"sv},
                                     Kind{"\x04\x22\x4d\x18"sv, ".tar.lz4"sv}};
  for (const auto& kind : kKinds)
    if (head.starts_with(kind.magic)) return std::string(kind.extension);
  constexpr std::size_t kTarMagic = 257;
  return head.size() > kTarMagic && head.substr(kTarMagic).starts_with("ustar") ? ".tar" : "";
}

}  // namespace

Result<OperationId> ImageDownloads::create_secret(const Principal& who, const ProjectName& project,
                                                  const Fingerprint& fingerprint) {
  BERTH_TRY(const auto image, image_by_prefix(context_, who, project, fingerprint.str()));
  BERTH_TRY(auto secret, credentials_.new_secret());
  const auto id = new_uuid();
  OperationSpec spec{.kind = "token",
                     .description = "Image download token",
                     .project = project,
                     .owner = who,
                     .resources = {{"images", {image.fingerprint.str()}}},
                     .metadata = {{"secret", secret}},
                     .id = id};
  const auto now = context_.clock.now();
  {
    const std::lock_guard lock(mutex_);
    if (secrets_.size() >= kMostSecrets)
      return Error{Code::LimitsExceeded, "There are 1,000 image secrets; cancel some of their operations"};
    secrets_.emplace(id, Secret{std::move(secret), project, image.fingerprint, now + kLifetime});
  }
  auto opened = context_.operations.open(std::move(spec), [this, id] { drop_secret(id, "The secret has been revoked"); });
  if (!opened) {
    const std::lock_guard lock(mutex_);
    secrets_.erase(id);
    return opened;
  }
  context_.workers.submit_after(kLifetime, [this, id] { drop_secret(id, "The secret has expired"); });
  return opened;
}

void ImageDownloads::drop_secret(const OperationId& id, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    if (secrets_.erase(id) == 0) return;
  }
  context_.operations.finish(id, Error{Code::Cancelled, why});
}

bool ImageDownloads::opens(const ImageDownload& download, const Image& image) {
  std::optional<OperationId> first_use;
  bool found = false;
  {
    const auto now = context_.clock.now();
    const std::lock_guard lock(mutex_);
    // All of them are compared, so that the time tells nothing.
    for (auto& [id, secret] : secrets_) {
      const bool equal = credentials_.equal_secrets(download.secret, secret.text);
      if (!equal || secret.project != download.project || secret.fingerprint != image.fingerprint ||
          secret.expires_at <= now)
        continue;
      found = true;
      if (secret.used) continue;
      secret.used = true;
      secret.expires_at = now + kUse;  // a client looks at the image, and then takes it
      first_use = id;
    }
  }
  if (first_use)
    context_.workers.submit_after(kUse, [this, id = *first_use] { drop_secret(id, "The secret has been used"); });
  return found;
}

Result<Image> ImageDownloads::find(const Principal& who, const ImageDownload& download) {
  auto seen = image_by_prefix(context_, who, download.project, download.reference);
  if (seen || download.secret.empty()) return seen;
  // A secret shows one image, to whoever names it in full or by a prefix that is its alone.
  const auto hidden = image_by_prefix(context_, daemon_principal(), download.project, download.reference);
  if (!hidden || !opens(download, *hidden)) return seen;
  return hidden;
}

Result<Document> ImageDownloads::describe(const Principal& who, const ImageDownload& download) {
  BERTH_TRY(const auto image, find(who, download));
  BERTH_TRY(const auto aliases, context_.store.aliases(download.project));
  return image_document(image, aliases);
}

Result<ImageFile> ImageDownloads::send(const Principal& who, const ImageDownload& download, bool rootfs,
                                       UniqueFd target) {
  BERTH_TRY(const auto image, find(who, download));
  std::shared_ptr<void> place;
  if (who.kind == PrincipalKind::Guest) {
    place = std::shared_ptr<void>(nullptr, [count = for_strangers_](void*) { --*count; });
    if (for_strangers_->fetch_add(1) >= kMostForStrangers)
      return Error{Code::LimitsExceeded, "Too many images are on their way to others: try again later"};
  }
  BERTH_TRY(auto files, context_.images.files(image.fingerprint));
  if (rootfs && files.size() < 2)
    return Error{Code::InvalidArgument, "The image is one file and has no root file system of its own"};
  const auto file = std::make_shared<UniqueFd>(std::move(files.at(rootfs ? 1 : 0)));
  BERTH_TRY(auto outlet, Outlet::open(std::move(target)));
  struct stat info {};
  std::array<char, 512> head{};
  const ssize_t got = pread(file->get(), head.data(), head.size(), 0);
  if (got < 0 || fstat(file->get(), &info) != 0) return system_error("cannot read the image", errno);
  const ImageFile out{.size = static_cast<std::uint64_t>(info.st_size),
                      .split = files.size() > 1,
                      .extension = extension_of({head.data(), static_cast<std::size_t>(got)})};
  if (!rootfs)
    publish_lifecycle(context_, who, LifecycleSubject{"image", image.project, image.fingerprint.str(), image.owner_uid},
                      "image-retrieved");
  context_.workers.submit_long(
      [file, place, outlet = std::make_shared<Outlet>(std::move(outlet)), &operations = context_.operations] {
        if (const auto sent = outlet->send(file->get(), [&operations] { return operations.closing(); }); !sent)
          log::warning("An image was not sent to its end: " + sent.error().message);
      });
  return out;
}

}  // namespace berth::services
