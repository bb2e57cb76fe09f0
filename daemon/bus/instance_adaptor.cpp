#include "daemon/bus/instance_adaptor.hpp"

#include <optional>

#include "daemon/bus/answers.hpp"
#include "daemon/bus/stop_options.hpp"

namespace berth::bus {
namespace {

Result<services::InstanceChanges> read_changes(VariantMap changes, VariantMap options) {
  services::InstanceChanges wanted;
  OptionReader reader{std::move(changes)};
  reader.read("config", wanted.config);
  reader.read("devices", wanted.devices);
  reader.read("profiles", wanted.profiles);
  reader.read("description", wanted.description);
  reader.read("ephemeral", wanted.ephemeral);
  reader.read("architecture", wanted.architecture);
  BERTH_CHECK(reader.finish());
  BERTH_CHECK(read_update_options(std::move(options), wanted));
  return wanted;
}

}  // namespace

InstanceAdaptor::InstanceAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index)
    : InstanceAdaptor(std::make_unique<ServedObject>(
                          connection, kProjectsPath,
                          [&index](std::string_view path) { return index.instance_status(path) != nullptr; }),
                      guard, use_cases, index) {}

InstanceAdaptor::InstanceAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases,
                                 const ObjectIndex& index)
    : Instance_adaptor(*object), object_(std::move(object)), guard_(guard), use_cases_(use_cases), index_(index) {
  object_->finishRegistration();
}

void InstanceAdaptor::Start(sdbus::Result<Path>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    return operation_answer(use_cases_.lifecycle.start(who, it.project, it.name));
  });
}

void InstanceAdaptor::Stop(sdbus::Result<Path>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_TRY(const auto request, read_stop(options));
    return operation_answer(use_cases_.lifecycle.stop(who, it.project, it.name, request));
  });
}

void InstanceAdaptor::Restart(sdbus::Result<Path>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_TRY(const auto request, read_stop(options));
    return operation_answer(use_cases_.lifecycle.restart(who, it.project, it.name, request));
  });
}

void InstanceAdaptor::Freeze(sdbus::Result<Path>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    return operation_answer(use_cases_.lifecycle.freeze(who, it.project, it.name));
  });
}

void InstanceAdaptor::Unfreeze(sdbus::Result<Path>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    return operation_answer(use_cases_.lifecycle.unfreeze(who, it.project, it.name));
  });
}

void InstanceAdaptor::Rename(sdbus::Result<Path>&& reply, std::string name, Options options) {
  run(std::move(reply), [this, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto to, InstanceName::parse(name));
    return operation_answer(use_cases_.lifecycle.rename(who, it.project, it.name, to));
  });
}

void InstanceAdaptor::Move(sdbus::Result<Path>&& reply, std::string project, std::string name, Options options) {
  run(std::move(reply), [this, project, name, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(auto to_project, ProjectName::parse(project));
    BERTH_TRY(auto to_name, InstanceName::parse(name));
    return operation_answer(use_cases_.move.move(who, it.project, it.name, {.project = std::move(to_project), .name = std::move(to_name)}));
  });
}

void InstanceAdaptor::Delete(sdbus::Result<Path>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<Path> {
    bool force = false;
    OptionReader reader{options};
    reader.read("force", force);
    BERTH_CHECK(reader.finish());
    return operation_answer(use_cases_.lifecycle.remove(who, it.project, it.name, force));
  });
}

void InstanceAdaptor::GetConfig(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const Names& it) -> Result<Options> {
    return document_answer(use_cases_.query.config(who, it.project, it.name));
  });
}

void InstanceAdaptor::Update(sdbus::Result<Path>&& reply, Options changes, Options options) {
  run(std::move(reply), [this, changes = std::move(changes), options = std::move(options)](const Principal& who,
                                                                                          const Names& it) -> Result<Path> {
    BERTH_TRY(auto wanted, read_changes(changes, options));
    return operation_answer(use_cases_.config.update(who, it.project, it.name, std::move(wanted)));
  });
}

void InstanceAdaptor::GetState(sdbus::Result<Options>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const Names& it) -> Result<Options> {
    BERTH_CHECK(no_options(options));
    return document_answer(use_cases_.query.state(who, it.project, it.name));
  });
}

const std::string& InstanceAdaptor::status_here() const {
  const auto* status = index_.instance_status(object_->current_path());
  if (status == nullptr) throw to_bus_error(Error{Code::NotFound, "There is no object " + object_->current_path()});
  return *status;
}

std::string InstanceAdaptor::Name() {
  return value_or_throw(parse_path<InstanceName>(object_->current_path(), "instance")).name.str();
}

std::string InstanceAdaptor::Project() {
  return value_or_throw(parse_path<InstanceName>(object_->current_path(), "instance")).project.str();
}

std::string InstanceAdaptor::Type() { return "container"; }

std::string InstanceAdaptor::Status() { return status_here(); }

}  // namespace berth::bus
