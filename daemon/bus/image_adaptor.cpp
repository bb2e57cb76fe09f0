#include "daemon/bus/image_adaptor.hpp"

#include "daemon/bus/answers.hpp"

namespace berth::bus {
namespace {

Result<InProject<berth::Fingerprint>> image_of(std::string_view path) { return parse_path<berth::Fingerprint>(path, "image"); }

Result<services::ImageChanges> read_changes(VariantMap changes, VariantMap options) {
  services::ImageChanges wanted;
  OptionReader reader{std::move(changes)};
  reader.read("properties", wanted.properties);
  reader.read("public", wanted.is_public);
  reader.read("auto-update", wanted.auto_update);
  reader.read("expires-at", wanted.expires_at);
  reader.read("profiles", wanted.profiles);
  BERTH_CHECK(reader.finish());
  BERTH_CHECK(read_update_options(std::move(options), wanted));
  return wanted;
}

}  // namespace

ImageAdaptor::ImageAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index)
    : ImageAdaptor(std::make_unique<ServedObject>(connection, kProjectsPath,
                                                  [&index](std::string_view path) { return index.has_image(path); }),
                   guard, use_cases) {}

ImageAdaptor::ImageAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases)
    : Image_adaptor(*object), object_(std::move(object)), guard_(guard), use_cases_(use_cases) {
  object_->finishRegistration();
}

template <typename... Out, typename Handler>
void ImageAdaptor::run(sdbus::Result<Out...>&& reply, Handler handler) {
  run_on_object(*object_, guard_, image_of, std::move(reply), std::move(handler));
}

void ImageAdaptor::GetDetails(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<Options> {
    BERTH_TRY(const auto rows, use_cases_.images.describe(who, it.project, std::vector{it.name.str()}));
    if (rows.size() != 1) return Error{Code::NotFound, "There is no image " + it.name.str()};
    return to_variants(rows.front());
  });
}

void ImageAdaptor::Update(sdbus::Result<>&& reply, Options changes, Options options) {
  run(std::move(reply), [this, changes = std::move(changes), options = std::move(options)](const Principal& who,
                                                                                          const Names& it) -> Result<void> {
    BERTH_TRY(auto wanted, read_changes(changes, options));
    return use_cases_.images.update(who, it.project, it.name, std::move(wanted));
  });
}

void ImageAdaptor::Delete(sdbus::Result<sdbus::ObjectPath>&& reply, Options options) {
  run(std::move(reply),
      [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::ObjectPath> {
        BERTH_CHECK(no_options(options));
        return operation_answer(use_cases_.import.remove(who, it.project, it.name));
      });
}

void ImageAdaptor::Refresh(sdbus::Result<sdbus::ObjectPath>&& reply, Options options) {
  run(std::move(reply),
      [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::ObjectPath> {
        BERTH_CHECK(no_options(options));
        return operation_answer(use_cases_.pull.refresh(who, it.project, it.name));
      });
}

void ImageAdaptor::CreateSecret(sdbus::Result<sdbus::ObjectPath>&& reply, Options options) {
  run(std::move(reply),
      [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<sdbus::ObjectPath> {
        BERTH_CHECK(no_options(options));
        return operation_answer(use_cases_.downloads.create_secret(who, it.project, it.name));
      });
}

void ImageAdaptor::Export(sdbus::Result<Options>&& reply, sdbus::UnixFd target, Options options) {
  // The only copy here: once it is dropped, whoever reads sees the end.
  const auto to = std::make_shared<Result<UniqueFd>>(take_fd(std::move(target)));
  run(std::move(reply), [this, to, options = std::move(options)](const Principal& who, const Names& it) -> Result<Options> {
    services::ImageDownload download{.project = it.project, .reference = it.name.str(), .secret = {}};
    std::string part = "image";
    OptionReader reader{options};
    reader.read("part", part);
    reader.read("secret", download.secret);
    if (part != "image" && part != "rootfs") reader.refuse("part", "must be `image` or `rootfs`");
    BERTH_CHECK(reader.finish());
    if (!*to) return to->error();
    BERTH_TRY(const auto file, use_cases_.downloads.send(who, download, part == "rootfs", std::move(**to)));
    return to_variants(Document{{"size", file.size}, {"split", file.split}, {"extension", file.extension}});
  });
}

std::string ImageAdaptor::Fingerprint() { return value_or_throw(image_of(object_->current_path())).name.str(); }

std::string ImageAdaptor::Project() { return value_or_throw(image_of(object_->current_path())).project.str(); }

}  // namespace berth::bus
