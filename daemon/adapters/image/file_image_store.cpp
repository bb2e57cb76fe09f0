#include "daemon/adapters/image/file_image_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <memory>

#include "base/reverter.hpp"
#include "base/tree.hpp"
#include "daemon/adapters/image/image_record.hpp"
#include "daemon/adapters/image/spool.hpp"

namespace berth::adapters {
namespace {

constexpr std::string_view kSquashfsMagic = "hsqs";
constexpr std::size_t kMaxRecord = 16 << 20;

/// The folders and files of an image that is being made.
struct Workshop {
  UniqueFd folder, rootfs, templates;
};

Result<Workshop> make_workshop(int staging, const Uuid& id) {
  Workshop out;
  BERTH_TRY(out.folder, make_folder_at(staging, id.str()));
  BERTH_TRY(out.rootfs, make_folder_at(out.folder.get(), "rootfs", 0755));
  BERTH_TRY(out.templates, make_folder_at(out.folder.get(), "templates"));
  if (fchmod(out.rootfs.get(), 0755) != 0) return system_error("cannot set the mode of a folder", errno);
  return out;
}

Result<UniqueFd> make_file_at(int folder, const char* name) {
  UniqueFd fd(openat(folder, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!fd) return system_error(std::string("cannot make ") + name, errno);
  return fd;
}

Result<void> write_record(int folder, const ImageRecord& record) {
  BERTH_TRY(const UniqueFd file, make_file_at(folder, "meta.json"));
  const std::string text = record_to_json(record);
  if (write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    return Error{Code::Unavailable, "the disk is full: the image cannot be kept"};
  return {};
}

Result<ImageRecord> read_record(int folder) {
  const UniqueFd file(openat(folder, "meta.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return system_error("cannot open meta.json", errno);
  std::string text;
  std::array<char, 65536> chunk{};
  for (ssize_t n; (n = read(file.get(), chunk.data(), chunk.size())) > 0 && text.size() < kMaxRecord;)
    text.append(chunk.data(), static_cast<std::size_t>(n));
  return record_from_json(text);
}

/// One import: what is read, by whom it is unpacked, and what came of it.
class Import {
 public:
  Import(const FileImageStore::Options& options, const Workshop& workshop, const ports::ImageProgress& progress,
         const std::function<bool()>& cancelled)
      : options_(options),
        workshop_(workshop),
        cancelled_(cancelled),
        spool_(progress, cancelled, options.limits.max_file),
        bytes_(std::to_string(options.limits.max_bytes)),
        members_(std::to_string(options.limits.max_members)) {}

  Result<void> unified(int source) {
    BERTH_TRY(const std::string_view head, spool_.peek(source));
    if (head.starts_with(kSquashfsMagic))
      return Error{Code::InvalidArgument, "a squashfs alone is no image: its metadata tarball is missing"};
    return unpack_stream("unified", source, "image", {workshop_.rootfs.get(), workshop_.templates.get()}, true);
  }

  Result<void> split(int source, int rootfs) {
    record_.split = true;
    BERTH_CHECK(unpack_stream("metadata", source, "image", {workshop_.templates.get()}, true));
    BERTH_TRY(const std::string_view head, spool_.peek(rootfs));
    if (head.starts_with(kSquashfsMagic)) return unpack_squashfs(rootfs);
    return unpack_stream("root", rootfs, "image.rootfs", {workshop_.rootfs.get()}, false);
  }

  /// Names the templates that metadata.yaml speaks of and the archive lacks.
  Result<void> check_templates() const {
    for (const auto& one : record_.metadata.templates) {
      struct stat info {};
      if (fstatat(workshop_.templates.get(), one.source.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0 ||
          !S_ISREG(info.st_mode))
        return Error{Code::InvalidArgument,
                     "metadata.yaml names the template `" + one.source + "`, which is not in templates/"};
    }
    return {};
  }

  Result<Fingerprint> finish(const std::optional<Fingerprint>& expected) {
    record_.size = spool_.received();
    BERTH_TRY(const Fingerprint fingerprint, Fingerprint::parse(spool_.digest()));
    if (expected && *expected != fingerprint)
      return Error{Code::FailedPrecondition,
                   "Image fingerprint doesn't match. Got " + fingerprint.str() + " expected " + expected->str()};
    return fingerprint;
  }

  const ImageRecord& record() const { return record_; }

 private:
  Result<void> unpack_stream(const char* layout, int source, const char* name, const std::vector<int>& folders,
                             bool metadata) {
    BERTH_TRY(const UniqueFd file, make_file_at(workshop_.folder.get(), name));
    BERTH_TRY(Listener listener,
              start_listener(options_.helper, {"unpack", layout, bytes_.c_str(), members_.c_str()}, folders));
    BERTH_CHECK(spool_.receive(source, file.get(), &listener));
    listener.feed.reset();
    BERTH_TRY(const std::string answer, listener.process.finish({}, cancelled_));
    return take(answer, metadata);
  }

  Result<void> unpack_squashfs(int source) {
    BERTH_TRY(const UniqueFd file, make_file_at(workshop_.folder.get(), "image.rootfs"));
    BERTH_CHECK(spool_.receive(source, file.get(), nullptr));
    BERTH_TRY(HelperProcess process,
              HelperProcess::start(options_.helper, {"unpack", "squashfs", bytes_.c_str(), members_.c_str()}, -1,
                                   {workshop_.rootfs.get(), file.get()}));
    const auto show = [this](std::uint64_t bytes) { spool_.show("unpack", bytes); };
    BERTH_TRY(const std::string answer, process.finish(show, cancelled_));
    return take(answer, false);
  }

  Result<void> take(const std::string& answer, bool metadata) {
    BERTH_TRY(UnpackAnswer parsed, parse_unpack_answer(answer, metadata));
    if (metadata) record_.metadata = std::move(parsed.metadata);
    record_.needs_plain_root = record_.needs_plain_root || parsed.needs_plain_root;
    return {};
  }

  const FileImageStore::Options& options_;
  const Workshop& workshop_;
  const std::function<bool()>& cancelled_;
  Spool spool_;
  std::string bytes_, members_;
  ImageRecord record_;
};

Error no_image(const Fingerprint& fingerprint) {
  return Error{Code::NotFound, "there is no image " + fingerprint.str()};
}

}  // namespace

Result<std::unique_ptr<FileImageStore>> FileImageStore::open(Options options) {
  BERTH_TRY(UniqueFd folder, make_folder(options.folder));
  BERTH_TRY(UniqueFd staging, make_folder_at(folder.get(), "staging"));
  BERTH_TRY(UniqueFd trash, make_folder_at(folder.get(), "trash"));
  return std::unique_ptr<FileImageStore>(
      new FileImageStore(std::move(options), std::move(folder), std::move(staging), std::move(trash)));
}

Result<ports::StagedImage> FileImageStore::stage(ports::ImageSource source, const ports::ImageProgress& progress,
                                                 const std::function<bool()>& cancelled) {
  const Uuid id = new_uuid();
  Reverter undo;
  undo.add([&] { discard(id); });
  BERTH_TRY(const Workshop workshop, make_workshop(staging_.get(), id));
  Import import(options_, workshop, progress, cancelled);
  if (source.rootfs) {
    BERTH_CHECK(import.split(source.file.get(), source.rootfs->get()));
  } else {
    BERTH_CHECK(import.unified(source.file.get()));
  }
  BERTH_TRY(const Fingerprint fingerprint, import.finish(source.expected));
  BERTH_CHECK(import.check_templates());
  BERTH_CHECK(write_record(workshop.folder.get(), import.record()));
  // Once, for thousands of files: after a power cut an image that was committed is whole.
  if (syncfs(workshop.rootfs.get()) != 0) return system_error("cannot write the image to disk", errno);
  undo.commit();
  const ImageRecord& record = import.record();
  return ports::StagedImage{id, fingerprint, record.size, record.split, record.needs_plain_root, record.metadata};
}

Result<void> FileImageStore::commit(const ports::StagedImage& staged) {
  if (renameat2(staging_.get(), staged.staging.str().c_str(), folder_.get(), staged.fingerprint.str().c_str(),
                RENAME_NOREPLACE) != 0) {
    if (errno != EEXIST) return system_error("cannot keep the image " + staged.fingerprint.str(), errno);
    discard(staged.staging);
    return {};
  }
  if (fsync(folder_.get()) != 0) return system_error("cannot keep the image " + staged.fingerprint.str(), errno);
  return {};
}

void FileImageStore::discard(const Uuid& staging) {
  // What cannot be removed now is dropped by reconcile().
  (void)remove_tree(staging_.get(), staging.str());
}

Result<UniqueFd> FileImageStore::open_image(const Fingerprint& fingerprint) {
  UniqueFd fd(openat(folder_.get(), fingerprint.str().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return no_image(fingerprint);
  return fd;
}

Result<std::string> FileImageStore::tree(const Fingerprint& fingerprint) {
  BERTH_TRY(const UniqueFd folder, open_image(fingerprint));
  return options_.folder + "/" + fingerprint.str() + "/rootfs";
}

Result<bool> FileImageStore::needs_plain_root(const Fingerprint& fingerprint) {
  BERTH_TRY(const UniqueFd folder, open_image(fingerprint));
  BERTH_TRY(const ImageRecord record, read_record(folder.get()));
  return record.needs_plain_root;
}

Result<ports::ImageMetadata> FileImageStore::metadata(const Fingerprint& fingerprint) {
  BERTH_TRY(const UniqueFd folder, open_image(fingerprint));
  BERTH_TRY(ImageRecord record, read_record(folder.get()));
  return std::move(record.metadata);
}

Result<UniqueFd> FileImageStore::open_template(const Fingerprint& fingerprint, const TemplateName& name) {
  BERTH_TRY(const UniqueFd folder, open_image(fingerprint));
  const UniqueFd templates(openat(folder.get(), "templates", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!templates) return system_error("cannot open the templates of image " + fingerprint.str(), errno);
  UniqueFd file(openat(templates.get(), name.str().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat info {};
  if (!file || fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode))
    return Error{Code::NotFound, "the image has no template " + name.str()};
  return file;
}

Result<std::vector<UniqueFd>> FileImageStore::files(const Fingerprint& fingerprint) {
  BERTH_TRY(const UniqueFd folder, open_image(fingerprint));
  BERTH_TRY(const ImageRecord record, read_record(folder.get()));
  std::vector<UniqueFd> out;
  for (const char* const name : {"image", "image.rootfs"}) {
    if (out.size() == (record.split ? 2U : 1U)) break;
    UniqueFd file(openat(folder.get(), name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file) return system_error("cannot open the file of image " + fingerprint.str(), errno);
    out.push_back(std::move(file));
  }
  return out;
}

Result<void> FileImageStore::remove(const Fingerprint& fingerprint) {
  if (renameat(folder_.get(), fingerprint.str().c_str(), trash_.get(), new_uuid().str().c_str()) != 0 &&
      errno != ENOENT)
    return system_error("cannot remove the image " + fingerprint.str(), errno);
  return {};
}

Result<void> FileImageStore::empty_trash() { return empty_folder(trash_.get()); }

Result<std::vector<Fingerprint>> FileImageStore::reconcile() {
  BERTH_CHECK(empty_folder(staging_.get()));
  BERTH_TRY(const std::vector<std::string> names, folder_names(folder_.get()));
  std::vector<Fingerprint> out;
  for (const std::string& name : names)
    if (auto fingerprint = Fingerprint::parse(name)) out.push_back(*std::move(fingerprint));
  return out;
}

}  // namespace berth::adapters
