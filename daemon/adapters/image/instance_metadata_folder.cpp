#include "daemon/adapters/image/instance_metadata_folder.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <optional>

#include "base/reverter.hpp"
#include "base/tree.hpp"
#include "daemon/adapters/image/image_record.hpp"

namespace berth::adapters {
namespace {

constexpr const char* kFile = "metadata.json";
constexpr const char* kTemplates = "templates";
constexpr const char* kUnfinished = ".unfinished";  // in the instance's folder, so no template can have the name
constexpr std::size_t kMaxMetadata = 16 << 20;
constexpr std::size_t kMaxTemplate = 1 << 20;
constexpr std::size_t kMaxTemplates = 256;
constexpr int kFolderFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

Error step_error(std::string_view what, const Uuid& instance, int saved_errno) {
  if (saved_errno == ENOSPC || saved_errno == EDQUOT)
    return Error{Code::Unavailable, "the disk is full: the metadata of instance " + instance.str() + " cannot be kept"};
  return system_error("cannot " + std::string(what) + " the metadata of instance " + instance.str(), saved_errno);
}

Error no_template(const TemplateName& name) {
  return Error{Code::NotFound, "There is no template \"" + name.str() + "\""};
}

Result<std::string> read_all(int fd, std::size_t limit) {
  std::string out;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t n = ::read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read", errno);
    if (n == 0) return out;
    if (out.size() + static_cast<std::size_t>(n) > limit)
      return Error{Code::LimitsExceeded, "more than " + std::to_string(limit >> 20) + " MiB are not accepted here"};
    out.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

/// Makes `text` the file `name` in `folder` in one step, by way of a file beside the instance's others.
Result<void> replace_file(int instance_folder, int folder, const std::string& name, std::string_view text,
                          const Uuid& instance) {
  Reverter undo;
  undo.add([&] { (void)unlinkat(instance_folder, kUnfinished, 0); });
  const UniqueFd file(
      openat(instance_folder, kUnfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return step_error("write", instance, errno);
  while (!text.empty()) {
    const ssize_t n = ::write(file.get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return step_error("write", instance, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  if (renameat(instance_folder, kUnfinished, folder, name.c_str()) != 0) return step_error("write", instance, errno);
  undo.commit();
  return {};
}

}  // namespace

Result<InstanceMetadataFolder> InstanceMetadataFolder::open(const std::string& folder) {
  BERTH_TRY(UniqueFd fd, make_folder(folder));
  return InstanceMetadataFolder(std::move(fd));
}

Result<ports::ImageMetadata> InstanceMetadataFolder::read(const Uuid& instance) {
  const UniqueFd file(
      openat(folder_.get(), (instance.str() + "/" + kFile).c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file && errno == ENOENT) return Error{Code::NotFound, "Instance " + instance.str() + " has no metadata"};
  if (!file) return step_error("read", instance, errno);
  BERTH_TRY(const std::string text, read_all(file.get(), kMaxMetadata));
  auto metadata = metadata_from_json(text);
  if (!metadata)
    return Error{Code::Internal,
                 "the metadata of instance " + instance.str() + " is damaged: " + metadata.error().message};
  return metadata;
}

Result<void> InstanceMetadataFolder::write(const Uuid& instance, const ports::ImageMetadata& metadata) {
  const std::string text = metadata_to_json(metadata);
  if (text.size() > kMaxMetadata) return Error{Code::LimitsExceeded, "the metadata is too long"};
  BERTH_CHECK(metadata_from_json(text));  // what is written can be read again
  BERTH_TRY(const UniqueFd folder, make_folder_at(folder_.get(), instance.str()));
  return replace_file(folder.get(), folder.get(), kFile, text, instance);
}

Result<std::vector<std::string>> InstanceMetadataFolder::templates(const Uuid& instance) {
  const UniqueFd folder(openat(folder_.get(), (instance.str() + "/" + kTemplates).c_str(), kFolderFlags));
  if (!folder && errno == ENOENT) return std::vector<std::string>();
  if (!folder) return step_error("read", instance, errno);
  BERTH_TRY(auto names, folder_names(folder.get()));
  std::sort(names.begin(), names.end());
  return names;
}

Result<UniqueFd> InstanceMetadataFolder::open_template(const Uuid& instance, const TemplateName& name) {
  const UniqueFd folder(openat(folder_.get(), (instance.str() + "/" + kTemplates).c_str(), kFolderFlags));
  if (!folder) return no_template(name);
  UniqueFd file(openat(folder.get(), name.str().c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (!file) return no_template(name);
  return file;
}

Result<void> InstanceMetadataFolder::write_template(const Uuid& instance, const TemplateName& name, int text) {
  BERTH_TRY(const std::string content, read_all(text, kMaxTemplate));
  BERTH_TRY(const UniqueFd folder, make_folder_at(folder_.get(), instance.str()));
  BERTH_TRY(const UniqueFd templates, make_folder_at(folder.get(), kTemplates));
  BERTH_TRY(const auto names, folder_names(templates.get()));
  if (names.size() >= kMaxTemplates && std::find(names.begin(), names.end(), name.str()) == names.end())
    return Error{Code::LimitsExceeded, "An instance has 256 templates at most"};
  return replace_file(folder.get(), templates.get(), name.str(), content, instance);
}

Result<void> InstanceMetadataFolder::remove_template(const Uuid& instance, const TemplateName& name) {
  const UniqueFd folder(openat(folder_.get(), (instance.str() + "/" + kTemplates).c_str(), kFolderFlags));
  if (!folder) return no_template(name);
  if (unlinkat(folder.get(), name.str().c_str(), 0) == 0) return {};
  if (errno == ENOENT) return no_template(name);
  return step_error("change", instance, errno);
}

Result<void> InstanceMetadataFolder::remove(const Uuid& instance) {
  const UniqueFd folder(openat(folder_.get(), instance.str().c_str(), kFolderFlags));
  if (!folder && errno == ENOENT) return {};
  if (!folder) return step_error("remove", instance, errno);
  BERTH_CHECK(remove_tree(folder.get(), kTemplates));
  for (const char* const name : {kFile, kUnfinished})
    if (unlinkat(folder.get(), name, 0) != 0 && errno != ENOENT) return step_error("remove", instance, errno);
  // The manifest may still be there; then whoever removes that removes the folder.
  if (unlinkat(folder_.get(), instance.str().c_str(), AT_REMOVEDIR) != 0 && errno != ENOTEMPTY && errno != ENOENT)
    return step_error("remove", instance, errno);
  return {};
}

}  // namespace berth::adapters
