#include "daemon/services/instance_metadata.hpp"

#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"

namespace berth::services {
namespace {

/// The instance with its lock; another user's verb keeps it, Berth's own work is waited for.
struct Locked {
  Instance instance;
  EntityLocks::Guard lock;
};

Result<Locked> lock_row(Context& context, const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(auto instance, context.store.instance(who, project, name));
  BERTH_TRY(auto lock, lock_instance(context, instance, "edit"));
  BERTH_CHECK(context.store.instance_by_uuid(instance.uuid));
  return Locked{std::move(instance), std::move(lock)};
}

Document document_of(const ports::ImageMetadata& metadata) {
  Document templates;
  for (const auto& one : metadata.templates)
    templates[one.target] = Document{{"when", one.when},
                                     {"create_only", one.create_only},
                                     {"template", one.source},
                                     {"properties", one.properties}};
  return Document{{"architecture", metadata.architecture},
                  {"created_at", to_microseconds(metadata.created_at)},
                  {"expires_at", to_microseconds(metadata.expires_at)},
                  {"properties", metadata.properties},
                  {"templates", std::move(templates)}};
}

}  // namespace

Result<Document> InstanceMetadata::get(const Principal& who, const ProjectName& project, const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  BERTH_TRY(const auto metadata, context_.metadata.read(instance.uuid));
  return document_of(metadata);
}

Result<void> InstanceMetadata::set(const Principal& who, const ProjectName& project, const InstanceName& name,
                                   const ports::ImageMetadata& metadata) {
  BERTH_TRY(const auto locked, lock_row(context_, who, project, name));
  BERTH_CHECK(context_.metadata.write(locked.instance.uuid, metadata));
  publish_lifecycle(context_, who, locked.instance, "instance-metadata-updated");
  return {};
}

Result<std::vector<std::string>> InstanceMetadata::templates(const Principal& who, const ProjectName& project,
                                                             const InstanceName& name) {
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  return context_.metadata.templates(instance.uuid);
}

Result<UniqueFd> InstanceMetadata::open_template(const Principal& who, const ProjectName& project,
                                                 const InstanceName& name, const std::string& file) {
  BERTH_TRY(const auto template_name, TemplateName::parse(file));
  BERTH_TRY(const auto instance, context_.store.instance(who, project, name));
  return context_.metadata.open_template(instance.uuid, template_name);
}

Result<void> InstanceMetadata::write_template(const Principal& who, const ProjectName& project,
                                              const InstanceName& name, const std::string& file, int text,
                                              bool create) {
  BERTH_TRY(const auto template_name, TemplateName::parse(file));
  BERTH_TRY(const auto locked, lock_row(context_, who, project, name));
  const auto& uuid = locked.instance.uuid;
  const bool exists = context_.metadata.open_template(uuid, template_name).has_value();
  if (create && exists) return Error{Code::InvalidArgument, "Template already exists"};
  BERTH_CHECK(context_.metadata.write_template(uuid, template_name, text));
  publish_lifecycle(context_, who, locked.instance,
                    create ? "instance-metadata-template-created" : "instance-metadata-template-updated",
                    Document{{"path", file}});
  return {};
}

Result<void> InstanceMetadata::remove_template(const Principal& who, const ProjectName& project,
                                               const InstanceName& name, const std::string& file) {
  BERTH_TRY(const auto template_name, TemplateName::parse(file));
  BERTH_TRY(const auto locked, lock_row(context_, who, project, name));
  BERTH_CHECK(context_.metadata.remove_template(locked.instance.uuid, template_name));
  publish_lifecycle(context_, who, locked.instance, "instance-metadata-template-deleted", Document{{"path", file}});
  return {};
}

}  // namespace berth::services
