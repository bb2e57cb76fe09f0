#include "daemon/bus/profile_adaptor.hpp"

#include "daemon/bus/answers.hpp"

namespace berth::bus {
namespace {

Result<InProject<ProfileName>> profile_of(std::string_view path) { return parse_path<ProfileName>(path, "profile"); }

Result<services::ProfileChanges> read_changes(VariantMap changes, VariantMap options) {
  services::ProfileChanges wanted;
  OptionReader reader{std::move(changes)};
  reader.read("config", wanted.config);
  reader.read("devices", wanted.devices);
  reader.read("description", wanted.description);
  BERTH_CHECK(reader.finish());
  BERTH_CHECK(read_update_options(std::move(options), wanted));
  return wanted;
}

}  // namespace

ProfileAdaptor::ProfileAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index)
    : ProfileAdaptor(std::make_unique<ServedObject>(connection, kProjectsPath,
                                                    [&index](std::string_view path) { return index.has_profile(path); }),
                     guard, use_cases) {}

ProfileAdaptor::ProfileAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases)
    : Profile_adaptor(*object), object_(std::move(object)), guard_(guard), use_cases_(use_cases) {
  object_->finishRegistration();
}

template <typename... Out, typename Handler>
void ProfileAdaptor::run(sdbus::Result<Out...>&& reply, Handler handler) {
  run_on_object(*object_, guard_, profile_of, std::move(reply), std::move(handler));
}

void ProfileAdaptor::GetConfig(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<Options> {
    BERTH_TRY(const auto rows, use_cases_.profiles.describe(who, it.project, std::vector{it.name}));
    if (rows.size() != 1) return Error{Code::NotFound, "There is no profile " + it.name.str()};
    return to_variants(rows.front());
  });
}

void ProfileAdaptor::Update(sdbus::Result<>&& reply, Options changes, Options options) {
  run(std::move(reply), [this, changes = std::move(changes), options = std::move(options)](const Principal& who,
                                                                                          const Names& it) -> Result<void> {
    BERTH_TRY(auto wanted, read_changes(changes, options));
    return use_cases_.profiles.update(who, it.project, it.name, std::move(wanted));
  });
}

void ProfileAdaptor::Rename(sdbus::Result<sdbus::ObjectPath>&& reply, std::string name) {
  run(std::move(reply), [this, name](const Principal& who, const Names& it) -> Result<sdbus::ObjectPath> {
    BERTH_TRY(const auto to, ProfileName::parse(name));
    BERTH_CHECK(use_cases_.profiles.rename(who, it.project, it.name, to));
    return sdbus::ObjectPath(profile_path(it.project, to));
  });
}

void ProfileAdaptor::Delete(sdbus::Result<>&& reply) {
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<void> {
    return use_cases_.profiles.remove(who, it.project, it.name);
  });
}

std::string ProfileAdaptor::Name() { return value_or_throw(profile_of(object_->current_path())).name.str(); }

std::string ProfileAdaptor::Project() { return value_or_throw(profile_of(object_->current_path())).project.str(); }

}  // namespace berth::bus
