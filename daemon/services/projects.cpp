#include "daemon/services/projects.hpp"

#include "daemon/domain/project_document.hpp"
#include "daemon/domain/project_keys.hpp"
#include "daemon/domain/project_policy.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"

#include <algorithm>
#include <utility>

namespace berth::services {
namespace {

LifecycleSubject subject_of(const Project& project) {
  return {"project", project.name, project.name.str(), project.owner_uid};
}

/// Unit names and the like join project and instance with '_'.
Result<ProjectName> new_name(const std::string& text) {
  if (text.empty()) return Error{Code::InvalidArgument, "No name provided"};
  if (text.find('_') != std::string::npos)
    return Error{Code::InvalidArgument, "Project names may not contain underscores"};
  return ProjectName::parse(text);
}

Result<void> check_description(const std::string& description) {
  if (has_control_characters(description))
    return Error{Code::InvalidArgument, "The description may not have control characters"};
  return {};
}

Project changed_project(const Project& current, const ProjectChanges& changes) {
  auto wanted = current;
  if (changes.config) {
    if (changes.replace) wanted.config.clear();
    for (const auto& [key, value] : *changes.config) wanted.config[key] = value;
    std::erase_if(wanted.config, [](const auto& entry) { return entry.second.empty(); });
  }
  if (changes.description) wanted.description = *changes.description;
  return wanted;
}

}  // namespace

std::optional<Profile> Projects::first_profile(const Project& project, std::uint32_t owner) {
  if (project.name == default_project() || effective_project(project, ProjectFeature::Profiles) != project.name)
    return std::nullopt;
  return Profile{.uuid = new_uuid(),
                 .project = project.name,
                 .name = *ProfileName::parse("default"),
                 .owner_uid = owner,
                 .created_at = context_.clock.now(),
                 .description = "Default LXD profile for project " + project.name.str()};
}

Result<std::vector<Project>> Projects::list(const Principal& who) { return context_.store.projects(who); }

Result<std::vector<Reference>> Projects::used_by(const Principal& who, const Project& project) {
  std::vector<Reference> users;
  BERTH_TRY(const auto instances, context_.store.instances(who, project.name));
  for (const auto& row : instances) users.push_back({"instances", row.project, row.name.str()});
  if (effective_project(project, ProjectFeature::Profiles) == project.name) {
    BERTH_TRY(const auto profiles, context_.store.profiles(who, project.name));
    for (const auto& row : profiles) users.push_back({"profiles", row.project, row.name.str()});
  }
  if (effective_project(project, ProjectFeature::Images) == project.name) {
    BERTH_TRY(const auto images, context_.store.images(who, project.name));
    for (const auto& row : images) users.push_back({"images", row.project, row.fingerprint.str()});
  }
  return users;
}

Result<std::vector<Document>> Projects::describe(const Principal& who,
                                                 const std::optional<std::vector<ProjectName>>& names) {
  std::vector<Project> projects;
  if (names) {
    for (const auto& name : *names) {
      BERTH_TRY(auto project, context_.store.project(who, name));
      projects.push_back(std::move(project));
    }
  } else {
    BERTH_TRY(projects, context_.store.projects(who));
  }
  std::vector<Document> rows;
  for (const auto& project : projects) {
    BERTH_TRY(const auto users, used_by(who, project));
    rows.push_back(project_document(project, users));
  }
  return rows;
}

Result<Document> Projects::state(const Principal& who, const ProjectName& name) {
  BERTH_TRY(const auto project, context_.store.project(who, name));
  BERTH_TRY(const auto contents, contents_of(context_, project));
  return project_usage_document(project_usage(project, contents));
}

Result<void> Projects::create(const Principal& who, const ProjectName& name, ConfigMap config, std::string description) {
  BERTH_CHECK(new_name(name.str()));
  BERTH_CHECK(check_description(description));
  std::erase_if(config, [](const auto& entry) { return entry.second.empty(); });
  add_default_features(config);
  BERTH_CHECK(validate_project_config(name, config));
  const Project project{.uuid = new_uuid(),
                        .name = name,
                        .owner_uid = who.uid,
                        .created_at = context_.clock.now(),
                        .description = std::move(description),
                        .config = std::move(config)};
  BERTH_CHECK(context_.store.insert_project(project, first_profile(project, who.uid)));
  publish_lifecycle(context_, who, subject_of(project), "project-created");
  return {};
}

Result<void> Projects::update(const Principal& who, const ProjectName& name, ProjectChanges changes) {
  BERTH_TRY(const auto lock, lock_project(context_, name, "update"));
  BERTH_TRY(const auto current, context_.store.project(who, name));
  if (changes.if_revision && *changes.if_revision != current.revision)
    return Error{Code::RevisionMismatch, "Project \"" + name.str() + "\" has changed: it has revision " +
                                             std::to_string(current.revision) + ", not " +
                                             std::to_string(*changes.if_revision)};
  const auto wanted = changed_project(current, changes);
  BERTH_CHECK(check_description(wanted.description));
  BERTH_TRY(const bool in_use, context_.store.project_in_use(name));
  BERTH_CHECK(check_feature_change(name, current.config, wanted.config, in_use));
  BERTH_CHECK(validate_project_config(name, wanted.config));
  const auto owner = [](const Project& project) { return effective_project(project, ProjectFeature::Profiles); };
  if (has_rules(wanted)) {
    ProjectContents contents;
    // Where profiles come or go with their feature, the project is empty.
    if (owner(current) == owner(wanted)) {
      BERTH_TRY(contents, contents_of(context_, current));
    }
    if (auto fits = judge_project(wanted, contents); !fits)
      return std::move(fits).error().within("Can't change the limits and restrictions of project \"" + name.str() + "\"");
  }
  const auto profile = owner(current) == name ? std::nullopt : first_profile(wanted, current.owner_uid);
  BERTH_CHECK(context_.store.update_project(wanted, current.revision, profile));
  publish_lifecycle(context_, who, subject_of(wanted), "project-updated");
  return {};
}

Result<OperationId> Projects::rename(const Principal& who, const ProjectName& name, const std::string& to) {
  if (name == default_project()) return Error{Code::AccessDenied, "The 'default' project cannot be renamed"};
  OperationSpec spec{.description = "Renaming project", .project = name, .owner = who};
  return context_.operations.start(
      std::move(spec), [&context = context_, who, name, to](OperationContext&) -> Result<Document> {
        BERTH_TRY(const auto lock, lock_project(context, name, "rename"));
        BERTH_TRY(auto project, context.store.project(who, name));
        BERTH_TRY(project.name, new_name(to));
        BERTH_TRY(const bool taken, context.store.project_exists(project.name));
        if (taken) return Error{Code::AlreadyExists, "A project named \"" + to + "\" already exists"};
        BERTH_CHECK(context.store.rename_project(name, project.name));
        publish_lifecycle(context, who, subject_of(project), "project-renamed", Document{{"old_name", name.str()}});
        return Document{};
      });
}

Result<void> Projects::remove(const Principal& who, const ProjectName& name) {
  if (name == default_project()) return Error{Code::AccessDenied, "The 'default' project cannot be deleted"};
  BERTH_TRY(const auto lock, lock_project(context_, name, "delete"));
  BERTH_TRY(const auto project, context_.store.project(who, name));
  BERTH_CHECK(context_.store.delete_project(name));
  publish_lifecycle(context_, who, subject_of(project), "project-deleted");
  return {};
}

}  // namespace berth::services
