#include "daemon/bus/answers.hpp"
#include "daemon/bus/instance_adaptor.hpp"

#include <memory>

namespace berth::bus {
namespace {

Result<ports::GuestFileWrite> read_write(const std::string& path, VariantMap options) {
  ports::GuestFileWrite request;
  request.path = path;
  std::optional<std::uint32_t> uid, gid, mode;
  OptionReader reader{std::move(options)};
  reader.read("type", request.type);
  reader.read("append", request.append);
  reader.read("uid", uid);
  reader.read("gid", gid);
  reader.read("mode", mode);
  BERTH_CHECK(reader.finish());
  if (uid) request.uid = *uid;
  if (gid) request.gid = *gid;
  if (mode) request.mode = *mode;
  return request;
}

Document shown_info(const ports::GuestFileInfo& info) {
  return Document{{"type", info.type},
                  {"uid", std::uint64_t{info.uid}},
                  {"gid", std::uint64_t{info.gid}},
                  {"mode", std::uint64_t{info.mode}},
                  {"size", info.size}};
}

Result<ports::ImageTemplate> read_template(const std::string& target, const sdbus::Variant& value) {
  if (!value.containsValueOfType<VariantMap>())
    return Error{Code::InvalidArgument, "the template of " + target + " must be an a{sv}"};
  ports::ImageTemplate out;
  out.target = target;
  OptionReader reader{value.get<VariantMap>()};
  reader.read("when", out.when);
  reader.read("create_only", out.create_only);
  reader.read("template", out.source);
  reader.read("properties", out.properties);
  BERTH_CHECK(reader.finish());
  return out;
}

Result<ports::ImageMetadata> read_metadata(VariantMap given) {
  ports::ImageMetadata out;
  std::uint64_t created_at = 0, expires_at = 0;
  VariantMap templates;
  OptionReader reader{std::move(given)};
  reader.read("architecture", out.architecture);
  reader.read("created_at", created_at);
  reader.read("expires_at", expires_at);
  reader.read("properties", out.properties);
  reader.read("templates", templates);
  BERTH_CHECK(reader.finish());
  constexpr std::uint64_t kLatest = std::uint64_t{253402300799} * 1'000'000;  // the end of the year 9999
  if (created_at > kLatest || expires_at > kLatest)
    return Error{Code::InvalidArgument, "a date of the metadata is out of range"};
  out.created_at = Timestamp(std::chrono::microseconds(created_at));
  out.expires_at = Timestamp(std::chrono::microseconds(expires_at));
  for (const auto& [target, value] : templates) {
    BERTH_TRY(auto one, read_template(target, value));
    out.templates.push_back(std::move(one));
  }
  return out;
}

}  // namespace

void InstanceAdaptor::OpenFile(sdbus::Result<sdbus::UnixFd, Options>&& reply, std::string path, Options options) {
  using Answer = std::tuple<sdbus::UnixFd, Options>;
  run(std::move(reply), [this, path, options = std::move(options)](const Principal& who, const Names& it) -> Result<Answer> {
    bool content = true;
    OptionReader reader{options};
    reader.read("content", content);
    BERTH_CHECK(reader.finish());
    BERTH_TRY(auto opened, use_cases_.files.open(who, it.project, it.name, path, content));
    BERTH_TRY(auto info, to_variants(shown_info(opened.info)));
    return Answer{give_fd(std::move(opened.content)), std::move(info)};
  });
}

void InstanceAdaptor::WriteFile(sdbus::Result<Path>&& reply, std::string path, sdbus::UnixFd content, Options options) {
  // The pipe's only copy here: once it is dropped, whoever writes learns that nobody reads.
  const auto from = std::make_shared<Result<UniqueFd>>(take_fd(std::move(content)));
  run(std::move(reply), [this, path, from, options = std::move(options)](const Principal& who,
                                                                        const Names& it) -> Result<Path> {
    BERTH_TRY(auto request, read_write(path, options));
    if (!*from) return from->error();
    return operation_answer(use_cases_.files.write(who, it.project, it.name, std::move(request), std::move(**from)));
  });
}

void InstanceAdaptor::RemoveFile(sdbus::Result<>&& reply, std::string path, Options options) {
  run(std::move(reply), [this, path, options = std::move(options)](const Principal& who, const Names& it) -> Result<void> {
    BERTH_CHECK(no_options(options));
    return use_cases_.files.remove(who, it.project, it.name, path);
  });
}

void InstanceAdaptor::OpenSftp(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::UnixFd> {
    BERTH_CHECK(no_options(options));
    return fd_answer(use_cases_.files.sftp(who, it.project, it.name));
  });
}

void InstanceAdaptor::GetMetadata(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<Options> {
    return document_answer(use_cases_.metadata.get(who, it.project, it.name));
  });
}

void InstanceAdaptor::SetMetadata(sdbus::Result<>&& reply, Options metadata, Options options) {
  run(std::move(reply), [this, metadata = std::move(metadata), options = std::move(options)](
                            const Principal& who, const Names& it) -> Result<void> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto wanted, read_metadata(metadata));
    return use_cases_.metadata.set(who, it.project, it.name, wanted);
  });
}

void InstanceAdaptor::ListTemplates(sdbus::Result<std::vector<std::string>>&& reply) {
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<std::vector<std::string>> {
    return use_cases_.metadata.templates(who, it.project, it.name);
  });
}

void InstanceAdaptor::OpenTemplate(sdbus::Result<sdbus::UnixFd>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::UnixFd> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto file, use_cases_.metadata.open_template(who, it.project, it.name, name));
    return fd_answer(sealed_copy("berth-template", file.get(), 1 << 20));
  });
}

void InstanceAdaptor::WriteTemplate(sdbus::Result<>&& reply, std::string name, sdbus::UnixFd text, Options options) {
  run(std::move(reply), [this, name, text, options = std::move(options)](const Principal& who, const Names& it) -> Result<void> {
    bool create = false;
    OptionReader reader{options};
    reader.read("create", create);
    BERTH_CHECK(reader.finish());
    BERTH_TRY(const auto from, take_fd(text));
    BERTH_TRY(const auto whole, sealed_copy("berth-template", from.get(), 1 << 20));  // before anything waits for it
    return use_cases_.metadata.write_template(who, it.project, it.name, name, whole.get(), create);
  });
}

void InstanceAdaptor::RemoveTemplate(sdbus::Result<>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<void> {
    BERTH_CHECK(no_options(options));
    return use_cases_.metadata.remove_template(who, it.project, it.name, name);
  });
}

}  // namespace berth::bus
