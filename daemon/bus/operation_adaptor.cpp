#include "daemon/bus/operation_adaptor.hpp"

#include <malloc.h>

#include "base/log.hpp"
#include "daemon/bus/answers.hpp"
#include "daemon/bus/object_names.hpp"
#include "daemon/bus/words.hpp"
#include "daemon/domain/operation_document.hpp"
#include "daemon/domain/project.hpp"

namespace berth::bus {
namespace {

constexpr std::chrono::seconds kExpiryInterval{10};

berth::Error no_operation(std::string_view path) {
  return berth::Error{Code::NotFound, "There is no object " + std::string(path)};
}

Result<OperationId> operation_of(std::string_view path) { return parse_last<OperationId>(path, kOperationsPath); }

/// The first `..._progress` text of the metadata.
std::string progress_of(const OperationView& view) {
  for (const auto& [key, value] : view.metadata)
    if (key.ends_with("_progress"))
      if (const auto* text = std::get_if<std::string>(&value.value)) return *text;
  return {};
}

template <typename ObjectName, typename MakePath>
void add_paths(std::vector<sdbus::ObjectPath>& paths, const std::vector<std::string>& names, MakePath make_path) {
  for (const auto& text : names)
    if (const auto name = ObjectName::parse(text)) paths.emplace_back(make_path(*name));
}

std::vector<sdbus::ObjectPath> resources_of(const OperationView& view) {
  std::vector<sdbus::ObjectPath> paths;
  for (const auto& [kind, names] : view.resources) {
    if (kind == "instances" || kind == "containers")
      add_paths<InstanceName>(paths, names, [&](const auto& name) { return instance_path(view.project, name); });
    if (kind == "images")
      add_paths<berth::Fingerprint>(paths, names, [&](const auto& name) { return image_path(view.project, name); });
    if (kind == "profiles")
      add_paths<ProfileName>(paths, names, [&](const auto& name) { return profile_path(view.project, name); });
  }
  return paths;
}

std::string error_of(const OperationView& view) { return view.error ? view.error->message : std::string(); }

/// Names of the properties that differ.
std::vector<std::string> differences(const OperationView& before, const OperationView& now) {
  std::vector<std::string> names;
  if (before.status != now.status) names.emplace_back("Status");
  if (progress_of(before) != progress_of(now)) names.emplace_back("Progress");
  if (before.resources != now.resources) names.emplace_back("Resources");
  if (before.cancellable != now.cancellable) names.emplace_back("Cancellable");
  if (before.updated_at != now.updated_at) names.emplace_back("UpdatedAt");
  if (error_of(before) != error_of(now)) names.emplace_back("Error");
  return names;
}

}  // namespace

OperationAdaptor::OperationAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, ObjectManager& manager)
    : OperationAdaptor(std::make_unique<ServedObject>(
                           connection, kOperationsPath,
                           [this](std::string_view path) {
                             const auto found = views_.find(path);
                             return found != views_.end() && !is_user_project(found->second.project);
                           }),
                       connection, guard, use_cases, manager) {}

OperationAdaptor::OperationAdaptor(std::unique_ptr<ServedObject> object, BusConnection& connection, Guard& guard,
                                   UseCases use_cases, ObjectManager& manager)
    : Operation_adaptor(*object), object_(std::move(object)), loop_(connection.loop()), guard_(guard), use_cases_(use_cases),
      manager_(manager) {
  object_->finishRegistration();
}

template <typename... Out, typename Handler>
void OperationAdaptor::run(sdbus::Result<Out...>&& reply, Handler handler) {
  using Answer = std::invoke_result_t<Handler, const Principal&, const OperationId&>;
  auto call = object_->current_call();
  auto id = operation_of(call.path);
  const auto name = id ? id->str() : std::string();
  const auto found = views_.find(call.path);
  const auto project = found == views_.end() ? std::string() : found->second.project.str();
  guard_.run(std::move(call).about(project, name), std::move(reply),
             [id = std::move(id), handler = std::move(handler)](const Principal& who) -> Answer {
               if (!id) return id.error();
               return handler(who, *id);
             });
}

void OperationAdaptor::note(const OperationView& view) {
  const auto path = operation_path(view.id);
  const auto [place, is_new] = views_.try_emplace(path, view);
  const bool shown = !is_user_project(view.project);
  if (is_new) {
    if (shown) manager_.added(path, INTERFACE_NAME);
  } else {
    const auto changed = differences(place->second, view);
    place->second = view;
    if (shown && !changed.empty()) object_->emit_properties_changed(path, changed);
  }
  if (!expiry_) arm_expiry();
}

void OperationAdaptor::arm_expiry() {
  expiry_ = EventSource{};
  if (views_.empty()) return;  // an idle daemon does not wake up
  if (auto timer = loop_.after(kExpiryInterval, [this] { expire(); })) {
    expiry_ = *std::move(timer);
  } else {
    log::error("Operations do not expire: " + timer.error().message);
  }
}

void OperationAdaptor::expire() {
  for (const auto& id : use_cases_.operations.expire()) {
    const auto found = views_.find(operation_path(id));
    if (found == views_.end()) continue;
    if (!is_user_project(found->second.project)) manager_.removed(found->first, INTERFACE_NAME);
    views_.erase(found);
  }
  // What a crowd has needed goes back to the host: the allocator would keep all of it, in an arena a thread.
  if (views_.empty()) (void)::malloc_trim(0);
  arm_expiry();
}

std::vector<std::string> OperationAdaptor::paths() const {
  std::vector<std::string> paths;
  for (const auto& [path, view] : views_)
    if (!is_user_project(view.project)) paths.push_back(path);
  return paths;
}

void OperationAdaptor::Begin(sdbus::Result<>&& reply) {
  run(std::move(reply),
      [this](const Principal& who, const OperationId& id) -> Result<void> { return use_cases_.exec.begin(who, id); });
}

void OperationAdaptor::Cancel(sdbus::Result<>&& reply) {
  run(std::move(reply),
      [this](const Principal& who, const OperationId& id) -> Result<void> { return use_cases_.operations.cancel(who, id); });
}

void OperationAdaptor::GetResult(sdbus::Result<Options>&& reply, Options options) {
  run(std::move(reply), [this, options = std::move(options)](const Principal& who, const OperationId& id) -> Result<Options> {
    BERTH_CHECK(no_options(options));
    BERTH_TRY(const auto view, use_cases_.operations.get(who, id));
    return to_variants(operation_document(view));
  });
}

void OperationAdaptor::SendSignal(sdbus::Result<>&& reply, int32_t signal) {
  run(std::move(reply), [this, signal](const Principal& who, const OperationId& id) -> Result<void> {
    return use_cases_.exec.signal(who, id, signal);
  });
}

const OperationView& OperationAdaptor::view_here() const {
  const auto found = views_.find(object_->current_path());
  if (found == views_.end()) throw to_bus_error(no_operation(object_->current_path()));
  return found->second;
}

std::string OperationAdaptor::Kind() { return view_here().kind; }
std::string OperationAdaptor::Status() { return lower_case(operation_status_word(view_here().status)); }
std::string OperationAdaptor::Progress() { return progress_of(view_here()); }
std::vector<sdbus::ObjectPath> OperationAdaptor::Resources() { return resources_of(view_here()); }
bool OperationAdaptor::Cancellable() { return view_here().cancellable; }
uint64_t OperationAdaptor::CreatedAt() { return to_microseconds(view_here().created_at); }
uint64_t OperationAdaptor::UpdatedAt() { return to_microseconds(view_here().updated_at); }
std::string OperationAdaptor::Error() { return error_of(view_here()); }

}  // namespace berth::bus
