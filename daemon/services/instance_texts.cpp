#include "daemon/services/instance_texts.hpp"

#include "daemon/domain/document_json.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance_document.hpp"
#include "daemon/domain/principal.hpp"

#include <cstdint>
#include <set>
#include <unordered_set>
#include <utility>

namespace berth::services {
namespace {

/// Room for the texts of some 5,000 instances. What is beyond begins anew: then a list costs what it costs without.
constexpr std::size_t kMostBytes = std::size_t{12} << 20U;

std::string stamp_of(const std::vector<Profile>& profiles) {
  std::string stamp;
  for (const auto& profile : profiles)
    stamp.append(profile.uuid.str()).append(profile.name.str()).append(1, ' ').append(std::to_string(profile.revision)).append(1, '\n');
  return stamp;
}

}  // namespace

Result<InstanceTexts::Text> InstanceTexts::Reading::members_of(const InstanceSummary& instance) {
  BERTH_TRY(const auto* profiles, profiles_of(instance.project));
  if (auto text = texts_.find(instance, profiles->stamp)) return text;
  BERTH_TRY(auto row, texts_.store_.instance_by_uuid(instance.uuid));
  auto all = expand(row, profiles->rows);
  if (!all) {  // a profile that was made after they were read
    profiles_.erase(instance.project);
    BERTH_TRY(profiles, profiles_of(instance.project));
    BERTH_TRY(all, expand(row, profiles->rows));
  }
  Kept kept{.revision = row.revision, .last_used_at = row.last_used_at, .profiles = profiles->stamp, .members = {}};
  kept.members = std::make_shared<const std::string>(to_json_members(instance_document(std::move(row), *std::move(all))));
  auto members = kept.members;
  texts_.keep(instance.uuid, std::move(kept));
  return members;
}

Result<const InstanceTexts::Reading::Profiles*> InstanceTexts::Reading::profiles_of(const ProjectName& project) {
  auto known = profiles_.find(project);
  if (known == profiles_.end()) {
    BERTH_TRY(auto rows, texts_.store_.profiles(daemon_principal(), project));
    auto stamp = texts_.known_stamp(project, stamp_of(rows));
    known = profiles_.emplace(project, Profiles{std::move(rows), std::move(stamp)}).first;
  }
  return &known->second;
}

InstanceTexts::Text InstanceTexts::known_stamp(const ProjectName& project, std::string fresh) {
  const std::lock_guard lock(mutex_);
  auto& known = stamps_[project];
  if (!known || *known != fresh) known = std::make_shared<const std::string>(std::move(fresh));
  return known;
}

InstanceTexts::Text InstanceTexts::find(const InstanceSummary& instance, const Text& profiles) {
  const std::lock_guard lock(mutex_);
  const auto found = kept_.find(instance.uuid.str());
  if (found == kept_.end()) return nullptr;
  const auto& kept = found->second;
  const bool current = kept.revision == instance.revision && kept.last_used_at == instance.last_used_at && kept.profiles == profiles;
  return current ? kept.members : nullptr;
}

void InstanceTexts::keep(const Uuid& instance, Kept kept) {
  {
    const std::lock_guard lock(mutex_);
    if (bytes_ > kMostBytes) {
      kept_.clear();
      bytes_ = 0;
    }
    auto& place = kept_[instance.str()];
    bytes_ += kept.members->size();
    if (place.members) bytes_ -= place.members->size();
    place = std::move(kept);
    if (kept_.size() <= sweep_at_) return;
    sweep_at_ = SIZE_MAX;  // this thread sweeps, and no other
  }
  sweep();
}

void InstanceTexts::sweep() {
  std::unordered_set<std::string> there;
  std::set<ProjectName> projects;
  const auto rows = store_.instance_summaries(daemon_principal(), std::nullopt);
  if (rows)
    for (const auto& row : *rows) {
      there.insert(row.uuid.str());
      projects.insert(row.project);
    }
  const std::lock_guard lock(mutex_);
  if (rows) {
    std::erase_if(stamps_, [&](const auto& entry) { return !projects.contains(entry.first); });
    std::erase_if(kept_, [&](const auto& entry) {
      if (there.contains(entry.first)) return false;
      bytes_ -= entry.second.members->size();
      return true;
    });
  }
  sweep_at_ = 2 * kept_.size() + kFewest;
}

}  // namespace berth::services
