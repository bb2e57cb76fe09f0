#include "daemon/helpers/verbs.hpp"

#include <nlohmann/json.hpp>

#include <fcntl.h>
#include <sys/wait.h>

#include <algorithm>
#include <charconv>
#include <clocale>
#include <new>
#include <optional>

#include "base/helper_process.hpp"
#include "base/names.hpp"
#include "daemon/helpers/check_tree.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/image_metadata.hpp"
#include "daemon/helpers/member_path.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/tar_reader.hpp"
#include "daemon/helpers/tree_writer.hpp"

namespace berth::helpers {
namespace {

constexpr std::uint64_t kMaxTemplate = 1 << 20;
constexpr std::size_t kMaxTemplates = 1000;
constexpr std::uint64_t kProgressStep = 4 << 20;
/// An archive that is larger unpacked than this many times its own size is a bomb, once it is larger than kRatioFrom.
constexpr std::uint64_t kMaxRatio = 200;
constexpr std::uint64_t kRatioFrom = 256ULL << 20;

struct Bounds {
  std::uint64_t bytes = 0;
  std::uint64_t members = 0;
};

/// What the archive is to be read as.
enum class Layout { Unified, Metadata, Root, Backup };

/// Where a member goes: into the root file system, into templates/, into metadata.yaml, or nowhere.
enum class Section { Root, Templates, Metadata, Other };

struct Place {
  Section section = Section::Other;
  std::string path;  ///< below the section's folder
  std::size_t tree = 0;
};

/// A root file system that is being unpacked.
struct Tree {
  Tree(std::string where, IdShift ids, int folder, std::uint64_t max_bytes)
      : at(std::move(where)), shift(std::move(ids)), fd(folder), writer(folder, max_bytes) {}
  std::string at;  ///< where the archive has it; empty: at its top
  IdShift shift;
  int fd;
  TreeWriter writer;
  bool found = false;
};

constexpr std::string_view kBackupContainer = "backup/container/";

/// What of `path` lies below `at`; nothing when it lies elsewhere.
std::optional<std::string> below(const std::string& path, const std::string& at) {
  if (at.empty()) return path;
  if (!path.starts_with(at)) return std::nullopt;
  if (path.size() == at.size()) return std::string();
  if (path[at.size()] != '/') return std::nullopt;
  return path.substr(at.size() + 1);
}

bool under_dev(const std::string& path) { return path.starts_with("dev/"); }

class Unpacker {
 public:
  Unpacker(Layout layout, Bounds bounds, TarReader reader, std::vector<Tree> trees, int templates)
      : layout_(layout),
        bounds_(bounds),
        reader_(std::move(reader)),
        base_(layout == Layout::Backup ? kBackupContainer : std::string_view()),
        trees_(std::move(trees)),
        templates_(templates, kMaxTemplates * kMaxTemplate) {}

  Result<std::string> run() {
    for (;;) {
      BERTH_TRY(archive_entry* const entry, reader_.next());
      if (entry == nullptr) break;
      if (++members_ > bounds_.members) return Error{Code::LimitsExceeded, "the archive has too many members"};
      BERTH_CHECK(member(entry));
      BERTH_CHECK(look_at_progress());
    }
    return result();
  }

 private:
  Place place_of(const std::string& path) const {
    // Members of one tree come one after the other.
    if (tree_ < trees_.size())
      if (auto rest = below(path, trees_[tree_].at)) return {Section::Root, *std::move(rest), tree_};
    for (std::size_t i = 0; i < trees_.size(); ++i)
      if (auto rest = below(path, trees_[i].at)) return {Section::Root, *std::move(rest), i};
    if (layout_ == Layout::Metadata && below(path, "rootfs")) return {Section::Root, path};
    if (auto rest = below(path, base_ + "templates")) return {Section::Templates, *std::move(rest)};
    if (auto rest = below(path, base_ + "metadata.yaml")) return {Section::Metadata, *std::move(rest)};
    return {Section::Other, path};
  }

  TreeWriter& root() { return trees_[tree_].writer; }

  std::uint64_t written() const {
    std::uint64_t sum = 0;
    for (const Tree& tree : trees_) sum += tree.writer.written();
    return sum;
  }

  Result<void> member(archive_entry* entry) {
    BERTH_TRY(const std::string path, member_path(archive_entry_pathname(entry)));
    const Place place = place_of(path);
    switch (place.section) {
      case Section::Root:
        if (layout_ != Layout::Metadata) tree_ = place.tree;
        return root_member(entry, path, place.path);
      case Section::Templates:
        return template_member(entry, path, place.path);
      case Section::Metadata:
        return metadata_member(entry, path);
      // Other things at the top (`backup.yaml`, a list of packages) are no part of an image, and LXD passes them over
      // too.
      case Section::Other:
        return {};
    }
    return {};
  }

  Error refuse(const std::string& path, std::string_view why) const {
    return Error{Code::InvalidArgument, "the member " + shown(path) + " " + std::string(why)};
  }

  Result<void> root_member(archive_entry* entry, const std::string& full, const std::string& path) {
    if (layout_ == Layout::Metadata)
      return refuse(full, "is part of a root file system, which the metadata file of a split image may not hold");
    if (path.empty()) {
      if (archive_entry_filetype(entry) != AE_IFDIR || archive_entry_hardlink(entry) != nullptr)
        return refuse(full, "is the top of the root file system and must be a folder");
    }
    trees_[tree_].found = true;
    BERTH_TRY(Attributes attributes, attributes_of(entry, full, overlay_marks_, trees_[tree_].shift));
    if (const char* const target = archive_entry_hardlink(entry)) return hard_link(full, path, target);
    switch (archive_entry_filetype(entry)) {
      case AE_IFDIR:
        return root().folder(path, std::move(attributes));
      case AE_IFLNK: {
        const char* const target = archive_entry_symlink(entry);
        if (target == nullptr || *target == '\0') return refuse(full, "is a symlink without a target");
        return root().symlink(path, target, attributes);
      }
      case AE_IFREG:
        return file(entry, path, attributes);
      case AE_IFIFO:
        return root().node(path, S_IFIFO, attributes);
      case AE_IFSOCK:
        return root().node(path, S_IFSOCK, attributes);
      case AE_IFCHR:
      case AE_IFBLK:
        return device(entry, full, path, attributes);
      default:
        return refuse(full, "is of an unknown kind");
    }
  }

  /// An unprivileged container can have no device nodes, so an image that brings one is refused, with two exceptions.
  /// Below dev/ they are passed over: images made by root (debootstrap's, mmdebstrap's) have null, console and the like
  /// there, and liblxc mounts a /dev of its own over it. And 0:0 character devices are no devices: overlayfs'
  /// whiteouts, which anybody may make; the tree is then marked as unfit for a lower layer, where they would hide
  /// files.
  Result<void> device(archive_entry* entry, const std::string& full, const std::string& path,
                      const Attributes& attributes) {
    if (under_dev(path)) return {};
    if (archive_entry_filetype(entry) == AE_IFCHR && archive_entry_rdev(entry) == 0) {
      overlay_marks_ = true;
      return root().node(path, S_IFCHR, attributes);
    }
    return refuse(full, "is a device node, which an unprivileged image may not have");
  }

  Result<void> hard_link(const std::string& full, const std::string& path, const char* target) {
    const auto target_path = member_path(target);
    if (!target_path) return refuse(full, "is a hard link out of the image, to " + shown(target));
    const Place to = place_of(*target_path);
    if (to.section != Section::Root || to.path.empty() || to.tree != tree_)
      return refuse(full, "is a hard link out of the root file system, to " + shown(target));
    // A second name of a device node that was passed over.
    if (under_dev(path) && under_dev(to.path) && !root().exists(to.path)) return {};
    return root().hard_link(path, to.path);
  }

  Result<void> file(archive_entry* entry, const std::string& path, const Attributes& attributes) {
    const la_int64_t size = archive_entry_size(entry);
    if (size < 0) return refuse(path, "has a negative size");
    BERTH_TRY(const UniqueFd fd, root().begin_file(path));
    for (;;) {
      BERTH_TRY(const auto block, reader_.next_block());
      if (!block) break;
      BERTH_CHECK(root().write(fd.get(), path, block->data, block->size, block->offset));
      BERTH_CHECK(look_at_progress());
    }
    return root().finish_file(fd.get(), path, static_cast<std::uint64_t>(size), attributes);
  }

  /// Templates are small plain files in one folder; they end up owned by root and readable by nobody else.
  Result<void> template_member(archive_entry* entry, const std::string& full, const std::string& path) {
    const auto type = archive_entry_filetype(entry);
    const bool linked = archive_entry_hardlink(entry) != nullptr;
    if (path.empty()) {
      if (type != AE_IFDIR || linked) return refuse(full, "must be a folder");
      return {};
    }
    if (type != AE_IFREG || linked) return refuse(full, "must be a plain file, as every template");
    if (path.find('/') != std::string::npos) return refuse(full, "lies in a folder below templates/");
    if (has_control_characters(path)) return refuse(full, "has a control character in its name");
    if (++template_count_ > kMaxTemplates) return Error{Code::LimitsExceeded, "the image has too many templates"};
    BERTH_TRY(const std::string content, small_content(entry, full, kMaxTemplate));
    BERTH_TRY(const UniqueFd fd, templates_.begin_file(path));
    BERTH_CHECK(templates_.write(fd.get(), path, content.data(), content.size(), 0));
    Attributes attributes;
    attributes.mode = 0600;
    attributes.mtime = {archive_entry_mtime(entry), 0};
    return templates_.finish_file(fd.get(), path, content.size(), attributes);
  }

  Result<void> metadata_member(archive_entry* entry, const std::string& full) {
    if (full != base_ + "metadata.yaml" || archive_entry_filetype(entry) != AE_IFREG ||
        archive_entry_hardlink(entry) != nullptr)
      return refuse(full, "must be a plain file");
    BERTH_TRY(metadata_, small_content(entry, full, kMaxMetadata));
    has_metadata_ = true;
    return {};
  }

  Result<std::string> small_content(archive_entry* entry, const std::string& full, std::uint64_t max) {
    const auto too_large = [&] { return Error{Code::LimitsExceeded, "the member " + shown(full) + " is too large"}; };
    const la_int64_t size = archive_entry_size(entry);
    if (size < 0 || static_cast<std::uint64_t>(size) > max) return too_large();
    std::string content(static_cast<std::size_t>(size), '\0');
    for (;;) {
      BERTH_TRY(const auto block, reader_.next_block());
      if (!block) return content;
      if (block->offset > content.size() || block->size > content.size() - block->offset) return too_large();
      std::copy_n(block->data, block->size, content.begin() + static_cast<std::ptrdiff_t>(block->offset));
    }
  }

  Result<void> look_at_progress() {
    const std::uint64_t consumed = reader_.consumed();
    const std::uint64_t unpacked = written();
    if (unpacked > bounds_.bytes) return Error{Code::LimitsExceeded, "the archive is larger unpacked than is accepted"};
    if (unpacked > kRatioFrom && unpacked / kMaxRatio > consumed)
      return Error{Code::LimitsExceeded,
                   "the archive is a bomb: it unpacks to more than " + std::to_string(kMaxRatio) + " times its size"};
    if (consumed >= reported_ + kProgressStep) {
      reported_ = consumed;
      report_progress(consumed);
    }
    return {};
  }

  Result<std::string> result() {
    nlohmann::json out{{"members", members_}};
    for (Tree& tree : trees_) {
      if (!tree.found)
        return Error{Code::InvalidArgument, "the archive has no root file system (no `" +
                                                (tree.at.empty() ? "rootfs" : shown(tree.at)) + "/` in it)"};
      BERTH_CHECK(tree.writer.finish());
      BERTH_TRY(const TreeFacts facts, check_tree(tree.fd, bounds_.members));
      overlay_marks_ = overlay_marks_ || facts.overlay_marks;
    }
    out["plain"] = overlay_marks_;
    // An instance that was made from nothing has no metadata.
    if (layout_ != Layout::Root && (layout_ != Layout::Backup || has_metadata_)) {
      if (!has_metadata_) return Error{Code::InvalidArgument, "the archive has no metadata.yaml, so it is no image"};
      BERTH_TRY(const std::string metadata, metadata_to_json(metadata_));
      out["metadata"] = nlohmann::json::parse(metadata);
    }
    return out.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  }

  Layout layout_;
  Bounds bounds_;
  TarReader reader_;
  std::string base_;
  std::vector<Tree> trees_;
  std::size_t tree_ = 0;  ///< the one that the last member was of
  TreeWriter templates_;
  std::string metadata_;
  bool has_metadata_ = false;
  bool overlay_marks_ = false;
  std::uint64_t members_ = 0;
  std::size_t template_count_ = 0;
  std::uint64_t reported_ = 0;
};

/// A tree of a layout: what it is called in the confinement, and where the archive has it.
struct TreePlan {
  std::string share, at;
  IdShift shift = {};
};

/// `backup` is what follows the bounds.
Result<std::vector<TreePlan>> trees_of(Layout layout, Arguments backup) {
  std::vector<TreePlan> out;
  if (layout == Layout::Root) out.push_back({"rootfs", ""});
  if (layout == Layout::Unified) out.push_back({"rootfs", "rootfs"});
  if (layout != Layout::Backup) return out;
  if (backup.size() % 2 != 1) return Error{Code::Internal, "unpack backup: a shift, then names and shifts"};
  out.push_back({"rootfs", std::string(kBackupContainer) + "rootfs"});
  BERTH_TRY(out.back().shift, IdShift::parse(backup[0]));
  for (std::size_t i = 1; i < backup.size(); i += 2) {
    out.push_back({"rootfs" + std::to_string(out.size()), "backup/snapshots/" + std::string(backup[i]) + "/rootfs"});
    BERTH_TRY(out.back().shift, IdShift::parse(backup[i + 1]));
  }
  return out;
}

Result<std::string> unpack_tar(Layout layout, Bounds bounds, const std::vector<TreePlan>& plans) {
  BERTH_TRY(TarReader reader, TarReader::open());
  const auto open_share = [](const std::string& path) {
    return UniqueFd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  };
  std::vector<UniqueFd> folders;
  std::vector<Tree> trees;
  for (const auto& plan : plans) {
    folders.push_back(open_share("/" + plan.share));
    trees.emplace_back(plan.at, plan.shift, folders.back().get(), bounds.bytes);
  }
  const UniqueFd templates = layout == Layout::Root ? UniqueFd() : open_share("/templates");
  return Unpacker(layout, bounds, std::move(reader), std::move(trees), templates.get()).run();
}

Result<int> unpack_tar_confined(Layout layout, Bounds bounds, Arguments backup = {}) {
  // Before the confinement: names in archives are UTF-8, and libarchive converts them by the locale.
  std::setlocale(LC_CTYPE, "C.UTF-8");
  Confinement confinement;
  int next = kHelperFirst;
  BERTH_TRY(const auto trees, trees_of(layout, backup));
  if (!trees.empty()) confinement.shares.push_back({next++, trees.front().share});
  if (layout != Layout::Root) confinement.shares.push_back({next++, "templates"});
  for (std::size_t i = 1; i < trees.size(); ++i) confinement.shares.push_back({next++, trees[i].share});
  const auto work = [&] {
    try {
      const auto result = unpack_tar(layout, bounds, trees);
      if (result)
        report_result(*result);
      else
        report_error(result.error());
      return result ? 0 : 1;
    } catch (const std::bad_alloc&) {
      report_error({Code::LimitsExceeded, "the archive needs more memory to unpack than is given"});
    }
    return 1;
  };
  BERTH_TRY(const int status, run_confined(confinement, work));
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    if (signal == SIGXCPU || signal == SIGKILL)
      return Error{Code::LimitsExceeded, "unpacking the archive took more time than is given"};
    return Error{Code::InvalidArgument,
                 "the archive cannot be read: its unpacking broke off by signal " + std::to_string(signal)};
  }
  return WEXITSTATUS(status);
}

Result<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size())
    return Error{Code::InvalidArgument, "a bound is no number"};
  return value;
}

}  // namespace

Result<int> unpack(Arguments arguments) {
  const bool backup = !arguments.empty() && std::string_view(arguments[0]) == "backup";
  if (arguments.size() < 3 || (arguments.size() > 3 && !backup)) return Error{Code::InvalidArgument, "unpack takes a layout and two bounds"};
  const std::string_view layout = arguments[0];
  Bounds bounds;
  BERTH_TRY(bounds.bytes, number(arguments[1]));
  BERTH_TRY(bounds.members, number(arguments[2]));
  if (layout == "unified") return unpack_tar_confined(Layout::Unified, bounds);
  if (layout == "metadata") return unpack_tar_confined(Layout::Metadata, bounds);
  if (layout == "root") return unpack_tar_confined(Layout::Root, bounds);
  if (backup) return unpack_tar_confined(Layout::Backup, bounds, arguments.subspan(3));
  if (layout == "squashfs") return unpack_squashfs(bounds.bytes, bounds.members);
  return Error{Code::InvalidArgument, "unpack knows no layout of that name"};
}

}  // namespace berth::helpers
