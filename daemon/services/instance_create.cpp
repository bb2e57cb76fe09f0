#include "daemon/services/instance_create.hpp"

#include "base/architecture.hpp"
#include "daemon/domain/config_keys.hpp"
#include "daemon/domain/device_keys.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/random_name.hpp"
#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/creation.hpp"
#include "daemon/services/image_lookup.hpp"
#include "daemon/services/image_pull.hpp"
#include "daemon/services/instance_copy.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"
#include "daemon/services/templates.hpp"

#include <algorithm>
#include <memory>

namespace berth::services {
namespace {

constexpr int kNameAttempts = 100;

Result<void> check_kind(const CreateInstanceRequest& request) {
  if (request.type == "virtual-machine")
    return Error{Code::NotSupported, "Instance type \"virtual-machine\" is not supported on this server"};
  if (request.type != "container" && !request.type.empty())
    return Error{Code::InvalidArgument, "Invalid instance type " + request.type};
  const auto& source = request.source.type;
  if (source == "migration")
    return Error{Code::NotSupported,
                 "Making an instance from source type " + source + " is not supported on this server"};
  if (source != "image" && source != "copy" && source != "none") return Error{Code::InvalidArgument, "Unknown source type " + source};
  return {};
}

/// The server's own keys are not the client's to choose; a hardware address it wants to keep is.
Result<void> check_own_keys(const ConfigMap& config) {
  for (const auto& [key, value] : config)
    if (key.starts_with("volatile.") && !key.ends_with(".hwaddr"))
      return Error{Code::InvalidArgument, "Volatile keys are read-only: " + key};
  return {};
}

/// The keys that the server itself put there: nobody needs a right for those.
ConfigMap own_keys(const ConfigMap& config, const ConfigMap& given) {
  ConfigMap own;
  for (const auto& [key, value] : config)
    if (key.starts_with("volatile.") && !given.contains(key)) own[key] = value;
  return own;
}

Result<std::string> pick_architecture(const CreateInstanceRequest& request, const std::optional<Image>& image) {
  BERTH_TRY(const auto host, host_architecture());
  std::string name(host.name);
  if (!request.architecture.empty()) {
    BERTH_TRY(const auto asked, find_architecture(request.architecture));
    name = asked.name;
  }
  if (image) name = image->architecture;
  const auto runnable = runnable_architectures(host);
  if (std::find(runnable.begin(), runnable.end(), name) == runnable.end())
    return Error{Code::InvalidArgument, "Requested architecture isn't supported by this host: " + name};
  return name;
}

Result<std::vector<Profile>> pick_profiles(Context& context, const Principal& who, const CreateInstanceRequest& request,
                                           const std::optional<Image>& image) {
  std::vector<ProfileName> names;
  if (request.profiles) {
    names = *request.profiles;
  } else if (image && !image->profiles.empty()) {
    names = image->profiles;
  } else {
    BERTH_TRY(const auto name, ProfileName::parse("default"));
    names.push_back(name);
  }
  return find_profiles(context, who, request.project, names);
}

ConfigMap first_config(const CreateInstanceRequest& request, const std::optional<Image>& image, const Uuid& uuid) {
  ConfigMap config = request.config;
  std::erase_if(config, [](const auto& entry) { return entry.second.empty(); });
  config["volatile.uuid"] = uuid.str();
  config["volatile.cloud-init.instance-id"] = new_uuid().str();
  config["volatile.last_state.idmap"] = "[]";  // nothing on disk is ever shifted
  config["volatile.apply_template"] = "create";  // also of those that an instance without an image is given later
  if (!image) return config;
  config["volatile.base_image"] = image->fingerprint.str();
  for (const auto& [name, value] : image->properties) config.try_emplace("image." + name, value);
  return config;
}

}  // namespace

struct InstanceCreate::Draft {
  Instance row;
  Expanded expanded;
  std::optional<Image> image;
  ports::StorageDriver* driver;
};

struct InstanceCreate::Prepared {
  Draft plan;
  std::vector<EntityLocks::Guard> locks;
};

Result<EntityLocks::Guard> InstanceCreate::pick_name(CreateInstanceRequest& request) {
  for (int attempt = 0; attempt < kNameAttempts; ++attempt) {
    request.name = random_instance_name();
    auto lock = lock_name(request);
    // Another may be making one of the same name.
    if (lock || (lock.error().code != Code::AlreadyExists && lock.error().code != Code::Busy)) return lock;
  }
  return Error{Code::LimitsExceeded, "No free instance name was found: give one"};
}

Result<EntityLocks::Guard> InstanceCreate::lock_name(const CreateInstanceRequest& request) {
  auto lock = lock_free_name(context_, request.project, *request.name, "create");
  if (!lock && lock.error().code == Code::AlreadyExists)
    return Error{Code::AlreadyExists, "Instance \"" + request.name->str() + "\" already exists"};
  return lock;
}

Result<InstanceCreate::Draft> InstanceCreate::draft(const Principal& who, const CreateInstanceRequest& request,
                                                    std::optional<Image> image) {
  BERTH_TRY(auto architecture, pick_architecture(request, image));
  BERTH_TRY(const auto profiles, pick_profiles(context_, who, request, image));
  BERTH_CHECK(validate_config(request.config, ConfigOwner::Instance));
  BERTH_CHECK(check_own_keys(request.config));
  BERTH_CHECK(validate_devices(request.devices));
  if (has_control_characters(request.description))
    return Error{Code::InvalidArgument, "The description may not have control characters"};

  const auto uuid = new_uuid();
  auto config = first_config(request, image, uuid);
  BERTH_CHECK(validate_config(config, ConfigOwner::Instance));  // the image's properties are a stranger's too
  auto all = expand(profiles, config, request.devices);
  BERTH_CHECK(validate_config_together(all.config));
  BERTH_CHECK(validate_devices_together(all.devices));
  BERTH_TRY(const auto root, find_root_disk(all.devices));
  BERTH_TRY(auto* const driver, driver_of(context_, root.pool));

  Instance row{.uuid = uuid,
               .project = request.project,
               .name = *request.name,
               .owner_uid = who.uid,
               .architecture = std::move(architecture),
               .created_at = context_.clock.now(),
               .ephemeral = request.ephemeral,
               .description = request.description,
               .config = std::move(config),
               .devices = request.devices,
               .pool = root.pool};
  for (const auto& profile : profiles) row.profiles.push_back(profile.name);
  return Draft{std::move(row), std::move(all), std::move(image), driver};
}

Result<OperationId> InstanceCreate::create(const Principal& who, CreateInstanceRequest request) {
  BERTH_CHECK(check_kind(request));
  BERTH_CHECK(context_.store.project(who, request.project));
  if (request.source.refresh && request.name && context_.store.instance(who, request.project, *request.name))
    return InstanceCopy(context_).refresh(who, request);
  BERTH_TRY(auto name_lock, request.name ? lock_name(request) : pick_name(request));
  if (request.source.type == "copy") return InstanceCopy(context_).create(who, std::move(request), std::move(name_lock));
  if (request.source.server) return create_from_server(who, std::move(request), std::move(name_lock));
  std::optional<Image> image;
  if (request.source.type == "image") {
    BERTH_TRY(image, image_of_source(context_, who, request.project, request.source));
  }
  BERTH_TRY(auto prepared, prepare(who, request, std::move(image)));
  prepared.locks.push_back(std::move(name_lock));
  auto spec = instance_operation(who, prepared.plan.row, "Creating instance");
  const auto ready = std::make_shared<Prepared>(std::move(prepared));
  return context_.operations.start(
      std::move(spec), [&context = context_, who, ready, start = request.start](OperationContext&) -> Result<Document> {
        BERTH_CHECK(InstanceCreate(context).finish(who, std::move(*ready), start));
        return Document{};
      });
}

Result<OperationId> InstanceCreate::create_from_server(const Principal& who, CreateInstanceRequest request,
                                                       EntityLocks::Guard name_lock) {
  BERTH_CHECK(check_server_query(*request.source.server));
  // What can be refused is refused before anything is fetched; what the image decides is decided again with it.
  BERTH_TRY(const auto early, draft(who, request, std::nullopt));
  BERTH_CHECK(judge(who, request, early));
  auto spec = instance_operation(who, early.row, "Creating instance");
  spec.cancellable = true;
  struct Wanted {
    CreateInstanceRequest request;
    std::optional<EntityLocks::Guard> name_lock;
  };
  const auto wanted = std::make_shared<Wanted>(Wanted{std::move(request), std::move(name_lock)});
  return context_.operations.start(
      std::move(spec), [&context = context_, who, wanted](OperationContext& operation) -> Result<Document> {
        // Whoever hears of the end may use the name.
        const std::shared_ptr<void> at_end(nullptr, [&wanted](void*) { wanted->name_lock.reset(); });
        const auto& asked = wanted->request;
        BERTH_TRY(auto image, ImagePull(context).for_instance(who, asked.project, *asked.source.server, operation));
        InstanceCreate creation(context);
        BERTH_TRY(auto ready, creation.prepare(who, asked, std::move(image)));
        ready.locks.push_back(*std::move(wanted->name_lock));
        wanted->name_lock.reset();
        BERTH_CHECK(creation.finish(who, std::move(ready), asked.start));
        return Document{};
      });
}

Result<void> InstanceCreate::judge(const Principal& who, const CreateInstanceRequest& request, const Draft& plan) {
  BERTH_CHECK(judge_instance(context_, plan.row, plan.expanded));
  return check_host_access(context_, who, plan.row.name.str(),
                           Expanded{.config = own_keys(plan.row.config, request.config)}, plan.expanded);
}

Result<InstanceCreate::Prepared> InstanceCreate::prepare(const Principal& who, const CreateInstanceRequest& request,
                                                         std::optional<Image> image) {
  BERTH_TRY(auto plan, draft(who, request, std::move(image)));
  BERTH_CHECK(judge(who, request, plan));
  std::vector<EntityLocks::Guard> locks;
  if (plan.image) {
    const auto& fingerprint = plan.image->fingerprint;
    BERTH_TRY(auto shared, context_.locks.share(image_entity(fingerprint), "Image " + fingerprint.str(), "create"));
    BERTH_CHECK(context_.store.image(who, request.project, fingerprint));  // it may have gone before it was locked
    locks.push_back(std::move(shared));
  }
  BERTH_TRY(auto instance_lock, lock_instance(context_, plan.row, "create"));
  locks.push_back(std::move(instance_lock));
  return Prepared{.plan = std::move(plan), .locks = std::move(locks)};
}

Result<void> InstanceCreate::finish(const Principal& who, Prepared ready, bool start) {
  const auto& plan = ready.plan;
  const auto made = make(plan);
  if (made)
    publish_lifecycle(context_, who, plan.row, "instance-created",
                      Document{{"type", plan.row.type}, {"storage-pool", plan.row.pool.str()}});
  ready.locks.clear();
  BERTH_CHECK(made);
  if (!start) return {};
  BERTH_TRY(const auto row, context_.store.instance_by_uuid(plan.row.uuid));
  BERTH_TRY(const auto lock, lock_instance(context_, row, "start"));
  BERTH_CHECK(InstanceRun(context_).start(row));
  publish_lifecycle(context_, who, row, "instance-started");
  return {};
}

Result<void> InstanceCreate::make(const Draft& draft) {
  const auto& uuid = draft.row.uuid;
  BERTH_TRY(const auto intent, begin_creation(context_, draft.row));
  CreationUndo undo(context_.store, intent);
  if (draft.image) {
    const auto& fingerprint = draft.image->fingerprint;
    BERTH_TRY(const auto tree, context_.images.tree(fingerprint));
    BERTH_TRY(const bool needs_plain, context_.images.needs_plain_root(fingerprint));
    BERTH_CHECK(draft.driver->ensure_image(fingerprint, tree));
    const bool plain = needs_plain || config_flag(draft.expanded.config, "security.nesting");
    BERTH_CHECK(draft.driver->create_root(uuid, fingerprint, tree, plain));
  } else {
    BERTH_CHECK(draft.driver->create_empty_root(uuid));
  }
  undo.add([&] { return draft.driver->delete_root(uuid); });
  undo.add([&] { return context_.metadata.remove(uuid); });
  if (draft.image) BERTH_CHECK(copy_image_metadata(context_, draft.image->fingerprint, uuid));

  BERTH_CHECK(commit_creation(context_, draft.row, draft.expanded, {}, intent, undo));
  if (draft.image) (void)context_.store.touch_image(draft.image->fingerprint, context_.clock.now());
  return {};
}

}  // namespace berth::services
