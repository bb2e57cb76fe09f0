#include "daemon/services/project_rules.hpp"

#include <algorithm>
#include <utility>

namespace berth::services {
namespace {

std::string entity(const ProjectName& name) { return "project/" + name.str(); }
std::string shown_project(const ProjectName& name) { return "Project " + name.str(); }

/// The contents with the instance among them.
Result<ProjectContents> contents_with(Context& context, const Project& project, const Instance& wanted, const Expanded& all) {
  BERTH_TRY(auto contents, contents_of(context, project));
  const auto stored = context.store.instance_by_uuid(wanted.uuid);
  // One that moves in is another's yet, and its name may be somebody's here.
  const bool is_here = stored && stored->project == project.name;
  std::erase_if(contents.instances, [&](const ProjectMember& member) { return is_here && member.name == stored->name.str(); });
  contents.instances.push_back({wanted.name.str(), all});
  return contents;
}

/// `judge(project)` under the project's lock. Where there are no rules nobody has to wait for anybody: then the lock is shared
/// with all but who would make rules.
template <typename JudgeIt>
Result<EntityLocks::Guard> admit(Context& context, const ProjectName& name, JudgeIt judge) {
  {
    BERTH_TRY(auto shared, context.locks.share(entity(name), shown_project(name), "commit"));
    BERTH_TRY(const auto project, context.store.project(daemon_principal(), name));
    if (!has_rules(project)) return shared;
  }
  BERTH_TRY(auto alone, lock_project(context, name, "commit"));
  BERTH_TRY(const auto project, context.store.project(daemon_principal(), name));
  BERTH_CHECK(judge(project));
  return alone;
}

}  // namespace

Result<EntityLocks::Guard> lock_project(Context& context, const ProjectName& name, const std::string& verb) {
  return context.locks.lock(entity(name), shown_project(name), verb, EntityLocks::Purpose::Cleanup);
}

Result<void> check_owns(Context& context, const Principal& who, const ProjectName& name, ProjectFeature feature) {
  if (who.kind != PrincipalKind::Restricted) return {};
  BERTH_TRY(const auto project, context.store.project(who, name));
  const auto owner = effective_project(project, feature);
  if (who.may_enter(owner)) return {};
  return Error{Code::AccessDenied, "Project " + name.str() + " shares these with project " + owner.str() +
                                       ", which your certificate is not trusted with"};
}

Result<ProjectContents> contents_of(Context& context, const Project& project, const Profile* changed) {
  ProjectContents contents;
  BERTH_TRY(auto known, context.store.profiles(daemon_principal(), project.name));
  if (changed != nullptr) {
    const auto place =
        std::find_if(known.begin(), known.end(), [changed](const Profile& row) { return row.name == changed->name; });
    if (place == known.end()) {
      known.push_back(*changed);
    } else {
      *place = *changed;
    }
  }
  if (effective_project(project, ProjectFeature::Profiles) == project.name)
    for (const auto& profile : known) contents.profiles.push_back({profile.name.str(), {profile.config, profile.devices}});
  BERTH_TRY(const auto instances, context.store.instances(daemon_principal(), project.name));
  for (const auto& instance : instances) {
    BERTH_TRY(auto all, expand(instance, known));
    contents.instances.push_back({instance.name.str(), std::move(all)});
  }
  return contents;
}

Result<void> judge_instance(Context& context, const Instance& wanted, const Expanded& all) {
  BERTH_TRY(const auto project, context.store.project(daemon_principal(), wanted.project));
  if (!has_rules(project)) return {};
  BERTH_TRY(const auto contents, contents_with(context, project, wanted, all));
  return judge_project(project, contents);
}

Result<EntityLocks::Guard> admit_instance(Context& context, const Instance& wanted, const Expanded& all) {
  return admit(context, wanted.project, [&](const Project& project) -> Result<void> {
    BERTH_TRY(const auto contents, contents_with(context, project, wanted, all));
    return judge_project(project, contents);
  });
}

Result<std::vector<EntityLocks::Guard>> admit_profile(Context& context, const Profile& wanted,
                                                      std::vector<ProjectName> projects) {
  // In one order for everybody, so that no two wait for each other.
  std::sort(projects.begin(), projects.end());
  projects.erase(std::unique(projects.begin(), projects.end()), projects.end());
  std::vector<EntityLocks::Guard> guards;
  for (const auto& name : projects) {
    BERTH_TRY(auto guard, admit(context, name, [&](const Project& project) -> Result<void> {
                BERTH_TRY(const auto contents, contents_of(context, project, &wanted));
                return judge_project(project, contents);
              }));
    guards.push_back(std::move(guard));
  }
  return guards;
}

}  // namespace berth::services
