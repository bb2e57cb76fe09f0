#include "daemon/bus/profile_adaptor.hpp"

#include <optional>

#include "daemon/bus/answers.hpp"

namespace berth::bus {
namespace {

Result<services::ProfileChanges> read_changes(VariantMap changes, VariantMap options) {
  services::ProfileChanges wanted;
  OptionReader reader{std::move(changes)};
  reader.read("config", wanted.config);
  reader.read("devices", wanted.devices);
  reader.read("description", wanted.description);
  BERTH_CHECK(reader.finish());
  OptionReader how{std::move(options)};
  how.read("replace", wanted.replace);
  how.read("if-revision", wanted.if_revision);
  BERTH_CHECK(how.finish());
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
  using Answer = std::invoke_result_t<Handler, const Principal&, const Names&>;
  auto call = object_->current_call();
  auto names = parse_path<ProfileName>(call.path, "profile");
  const auto project = names ? names->project.str() : std::string();
  const auto name = names ? names->name.str() : std::string();
  guard_.run(std::move(call).about(project, name), std::move(reply),
             [names = std::move(names), handler = std::move(handler)](const Principal& who) -> Answer {
               if (!names) return names.error();
               return handler(who, *names);
             });
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

std::string ProfileAdaptor::Name() {
  return value_or_throw(parse_path<ProfileName>(object_->current_path(), "profile")).name.str();
}

std::string ProfileAdaptor::Project() {
  return value_or_throw(parse_path<ProfileName>(object_->current_path(), "profile")).project.str();
}

}  // namespace berth::bus
