#include "daemon/bus/project_adaptor.hpp"

#include "daemon/bus/answers.hpp"

namespace berth::bus {
namespace {

Result<ProjectName> project_of(std::string_view path) { return parse_last<ProjectName>(path, kProjectsPath); }

Result<services::ProjectChanges> read_changes(VariantMap changes, VariantMap options) {
  services::ProjectChanges wanted;
  OptionReader reader{std::move(changes)};
  reader.read("config", wanted.config);
  reader.read("description", wanted.description);
  BERTH_CHECK(reader.finish());
  BERTH_CHECK(read_update_options(std::move(options), wanted));
  return wanted;
}

}  // namespace

ProjectAdaptor::ProjectAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index)
    : ProjectAdaptor(std::make_unique<ServedObject>(connection, kProjectsPath,
                                                    [&index](std::string_view path) { return index.has_project(path); }),
                     guard, use_cases) {}

ProjectAdaptor::ProjectAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases)
    : Project_adaptor(*object), object_(std::move(object)), guard_(guard), use_cases_(use_cases) {
  object_->finishRegistration();
}

template <typename... Out, typename Handler>
void ProjectAdaptor::run(sdbus::Result<Out...>&& reply, Handler handler) {
  run_on_object(*object_, guard_, project_of, std::move(reply), std::move(handler));
}

void ProjectAdaptor::GetConfig(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const ProjectName& project) -> Result<Options> {
    BERTH_TRY(const auto rows, use_cases_.projects.describe(who, std::vector{project}));
    return to_variants(rows.front());
  });
}

void ProjectAdaptor::GetState(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const ProjectName& project) -> Result<Options> {
    return document_answer(use_cases_.projects.state(who, project));
  });
}

void ProjectAdaptor::Update(sdbus::Result<>&& reply, Options changes, Options options) {
  run(std::move(reply), [this, changes = std::move(changes), options = std::move(options)](
                            const Principal& who, const ProjectName& project) -> Result<void> {
    BERTH_TRY(auto wanted, read_changes(changes, options));
    return use_cases_.projects.update(who, project, std::move(wanted));
  });
}

void ProjectAdaptor::Rename(sdbus::Result<sdbus::ObjectPath>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who,
                                                                   const ProjectName& project) -> Result<sdbus::ObjectPath> {
    BERTH_CHECK(no_options(options));
    return operation_answer(use_cases_.projects.rename(who, project, name));
  });
}

void ProjectAdaptor::Delete(sdbus::Result<>&& reply) {
  run(std::move(reply), [this](const Principal& who, const ProjectName& project) -> Result<void> {
    return use_cases_.projects.remove(who, project);
  });
}

std::string ProjectAdaptor::Name() { return value_or_throw(project_of(object_->current_path())).str(); }

}  // namespace berth::bus
