#include "daemon/adapters/storage/overlay_driver.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <vector>

#include "base/helper_process.hpp"
#include "base/tree.hpp"
#include "daemon/adapters/storage/plain_root.hpp"

namespace berth::adapters {
namespace {

constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

/// The image a layer lies on, as `image` beside the layer tells.
struct LayerImage {
  std::string fingerprint;
  std::string tree;
};

Result<void> write_layer_image(int folder, const Fingerprint& image, const std::string& tree) {
  const UniqueFd file(openat(folder, "image", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  const std::string text = image.str() + "\n" + tree + "\n";
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return system_error("cannot note the image of a layer", errno);
  return {};
}

/// Nothing for a plain root.
Result<std::optional<LayerImage>> read_layer_image(int folder) {
  const UniqueFd file(openat(folder, "image", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file && errno == ENOENT) return std::optional<LayerImage>();
  std::array<char, PATH_MAX + 128> text{};
  const ssize_t size = file ? read(file.get(), text.data(), text.size()) : -1;
  if (size < 0) return system_error("cannot read which image a layer lies on", errno);
  const std::string_view all(text.data(), static_cast<std::size_t>(size));
  const std::size_t first = all.find('\n');
  if (first == std::string_view::npos || !all.ends_with('\n') || first + 2 > all.size())
    return Error{Code::Internal, "the note which image a layer lies on is damaged"};
  return std::optional<LayerImage>(
      LayerImage{std::string(all.substr(0, first)), std::string(all.substr(first + 1, all.size() - first - 2))});
}

/// The merged root shows the upper layer's top: it has to look like the image's.
Result<void> copy_top_attributes(int from, int to) {
  struct stat info {};
  if (fstat(from, &info) != 0 || fchown(to, info.st_uid, info.st_gid) != 0 || fchmod(to, info.st_mode & 07777) != 0)
    return system_error("cannot give a layer the look of its image", errno);
  std::vector<char> names(XATTR_LIST_MAX), value(XATTR_SIZE_MAX);
  const ssize_t length = flistxattr(from, names.data(), names.size());
  for (ssize_t at = 0; at < length;) {
    const std::string_view name(names.data() + at);
    const char* const attribute = names.data() + at;
    at += static_cast<ssize_t>(name.size()) + 1;
    const bool wanted =
        (name.starts_with("user.") && !name.starts_with("user.overlay.")) || name.starts_with("system.posix_acl_");
    if (!wanted) continue;
    const ssize_t size = fgetxattr(from, attribute, value.data(), value.size());
    if (size < 0 || fsetxattr(to, attribute, value.data(), static_cast<std::size_t>(size), 0) != 0)
      return system_error("cannot give a layer the attributes of its image", errno);
  }
  return {};
}

Result<void> make_layer(int folder, const Fingerprint& image, const std::string& tree) {
  BERTH_TRY(const UniqueFd lower, open_folder(tree));
  BERTH_TRY(const UniqueFd layer, make_folder_at(folder, "layer"));
  BERTH_TRY(const UniqueFd upper, make_folder_at(layer.get(), "upper", 0755));
  BERTH_TRY(const UniqueFd work, make_folder_at(layer.get(), "work"));
  BERTH_CHECK(copy_top_attributes(lower.get(), upper.get()));
  return write_layer_image(folder, image, tree);
}

}  // namespace

Result<std::unique_ptr<ports::StorageDriver>> OverlayDriver::open(const std::string& folder,
                                                                  const std::string& helper) {
  BERTH_TRY(PoolFolder pool, PoolFolder::open(folder));
  const bool reflink = supports_reflink(pool.fd());
  return std::unique_ptr<ports::StorageDriver>(new OverlayDriver(std::move(pool), helper, reflink));
}

Result<void> OverlayDriver::ensure_image(const Fingerprint&, const std::string& tree) {
  BERTH_TRY(const UniqueFd folder, open_folder(tree));
  return {};
}

Result<void> OverlayDriver::remove_image(const Fingerprint& fingerprint) {
  for (const auto shelf : {PoolFolder::Shelf::Instances, PoolFolder::Shelf::Snapshots}) {
    BERTH_TRY(const std::vector<Uuid> all, pool_.instances(shelf));
    for (const Uuid& uuid : all) {
      const auto folder = pool_.instance(uuid, shelf);
      if (!folder) continue;  // deleted meanwhile
      BERTH_TRY(const auto image, read_layer_image(folder->get()));
      if (image && image->fingerprint == fingerprint.str())
        return Error{Code::FailedPrecondition,
                     "the image " + fingerprint.str() + " is the base of " +
                         (shelf == PoolFolder::Shelf::Instances ? "the instance " : "the snapshot ") + uuid.str()};
    }
  }
  return {};
}

Result<void> OverlayDriver::create_root(const Uuid& instance, const Fingerprint& image, const std::string& tree,
                                        bool plain) {
  if (tree.find('\n') != std::string::npos)
    return Error{Code::InvalidArgument, "an image's tree cannot have such a path"};
  return pool_.create(instance, [&](int folder) {
    return plain ? copy_plain_root(helper_, tree, folder) : make_layer(folder, image, tree);
  });
}

Result<void> OverlayDriver::create_empty_root(const Uuid& instance) {
  return pool_.create(instance, make_empty_plain_root);
}

Result<void> OverlayDriver::convert_to_plain(const Uuid& instance) {
  BERTH_TRY(const UniqueFd old, pool_.instance(instance));
  BERTH_TRY(const auto image, read_layer_image(old.get()));
  if (!image) return {};
  BERTH_TRY(const UniqueFd lower, open_folder(image->tree));
  const UniqueFd layer(openat(old.get(), "layer", kFolderFlags));
  if (!layer) return system_error("cannot open the layer of " + instance.str(), errno);
  return pool_.replace(instance, [&](int folder) -> Result<void> {
    BERTH_TRY(const UniqueFd target, make_folder_at(folder, "rootfs", 0755));
    BERTH_TRY(const std::string answer, run_helper(helper_, {"flatten"}, -1, {lower.get(), layer.get(), target.get()}));
    return {};
  });
}

Result<ports::RootSpec> OverlayDriver::root(const Uuid& instance) { return tree({instance, {}}); }

Result<void> OverlayDriver::fill_tree(const ports::TreeId& to, const std::function<Result<void>(int)>& fill) {
  return pool_.create(uuid_of(to), [&](int folder) { return fill_plain_root(folder, fill); }, shelf_of(to));
}

Result<ports::RootSpec> OverlayDriver::tree(const ports::TreeId& tree) {
  BERTH_TRY(const UniqueFd folder, pool_.instance(uuid_of(tree), shelf_of(tree)));
  BERTH_TRY(const auto image, read_layer_image(folder.get()));
  const std::string path = pool_.instance_path(uuid_of(tree), shelf_of(tree));
  if (!image) return ports::RootSpec{.kind = ports::RootSpec::Kind::Plain, .plain = path + "/rootfs"};
  return ports::RootSpec{.kind = ports::RootSpec::Kind::Overlay, .lower = image->tree, .layer = path + "/layer"};
}

Result<void> OverlayDriver::delete_root(const Uuid& instance) { return pool_.remove(instance); }

/// A layer's files and whiteouts, and on which image it lies. The work folder holds nothing that lasts. No syncfs is
/// needed before: the kernel keeps one cache of a layer's files, whether the guest or this reads them.
Result<void> OverlayDriver::fill_copy(const ports::TreeId& from, int folder) {
  BERTH_TRY(const UniqueFd source, pool_.instance(uuid_of(from), shelf_of(from)));
  BERTH_TRY(const auto image, read_layer_image(source.get()));
  if (!image) return copy_folder(helper_, source.get(), "rootfs", folder, "rootfs");
  BERTH_TRY(const Fingerprint fingerprint, Fingerprint::parse(image->fingerprint));
  BERTH_TRY(const UniqueFd layer, make_folder_at(folder, "layer"));
  BERTH_TRY(const UniqueFd work, make_folder_at(layer.get(), "work"));
  BERTH_CHECK(copy_folder(helper_, source.get(), "layer/upper", layer.get(), "upper"));
  return write_layer_image(folder, fingerprint, image->tree);
}

Result<void> OverlayDriver::copy_tree(const ports::TreeId& from, const ports::TreeId& to) {
  return pool_.create(uuid_of(to), [&](int folder) { return fill_copy(from, folder); }, shelf_of(to));
}

Result<void> OverlayDriver::replace_tree(const ports::TreeId& from, const ports::TreeId& to) {
  BERTH_TRY(const UniqueFd there, pool_.instance(uuid_of(to), shelf_of(to)));
  return pool_.replace(uuid_of(to), [&](int folder) { return fill_copy(from, folder); }, shelf_of(to));
}

Result<void> OverlayDriver::delete_snapshot(const ports::TreeId& snapshot) {
  return pool_.remove(uuid_of(snapshot), shelf_of(snapshot));
}

Result<std::uint64_t> OverlayDriver::usage(const Uuid& instance) {
  BERTH_TRY(const UniqueFd folder, pool_.instance(instance));
  UniqueFd top(openat(folder.get(), "layer/upper", kFolderFlags));
  if (!top) top.reset(openat(folder.get(), "rootfs", kFolderFlags));
  if (!top) return system_error("cannot open the root of " + instance.str(), errno);
  return disk_usage(top.get());
}

Result<void> OverlayDriver::empty_trash() { return pool_.empty_trash(); }

Result<std::vector<Uuid>> OverlayDriver::roots() { return pool_.instances(); }

Result<OverlayProbe> probe_overlay(const std::string& folder, const std::string& helper) {
  BERTH_TRY(const UniqueFd top, make_folder(folder));
  const std::string name = "probe-" + new_uuid().str();
  BERTH_TRY(const UniqueFd scratch, make_folder_at(top.get(), name));
  const Result<std::string> answer = run_helper(helper, {"probe-overlay"}, -1, {scratch.get()});
  BERTH_CHECK(remove_tree(top.get(), name));
  if (!answer) {
    // A mount that the kernel refuses, or a file system without idmapped mounts, is an answer and no failure of the
    // probe.
    return OverlayProbe{false, answer.error().message};
  }
  if (*answer == "yes") return OverlayProbe{true, ""};
  return OverlayProbe{false, answer->starts_with("no ") ? answer->substr(3) : *answer};
}

}  // namespace berth::adapters
