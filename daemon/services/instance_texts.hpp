#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/result.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/profile.hpp"
#include "daemon/ports/store.hpp"

namespace berth::services {

/// What the database tells of each instance, as the members of a JSON object without its braces, kept until the instance
/// or a profile of its project changes: lists of all instances are asked for again and again, by pollers and inventories, and
/// next to nothing changes in between. Any thread.
class InstanceTexts {
 public:
  using Text = std::shared_ptr<const std::string>;

  explicit InstanceTexts(ports::Store& store) : store_(store) {}

  /// Of how many instances something is kept: those that there are, and at most as many again and a few that are gone.
  std::size_t kept() const {
    const std::lock_guard lock(mutex_);
    return kept_.size();
  }

  /// For the time of one list: reads the profiles of each project once.
  class Reading {
   public:
    explicit Reading(InstanceTexts& texts) : texts_(texts) {}
    /// Errors: NotFound when the instance is gone; those of the store.
    Result<Text> members_of(const InstanceSummary& instance);

   private:
    struct Profiles {
      std::vector<Profile> rows;
      Text stamp;  ///< which state of which profiles; the same pointer for the same state
    };
    Result<const Profiles*> profiles_of(const ProjectName& project);

    InstanceTexts& texts_;
    std::map<ProjectName, Profiles> profiles_;
  };

 private:
  struct Kept {
    std::uint64_t revision = 0;
    Timestamp last_used_at{};
    Text profiles;  ///< the stamp that was true
    Text members;
  };
  /// Gives `fresh` back, or the known stamp that says the same.
  Text known_stamp(const ProjectName& project, std::string fresh);
  Text find(const InstanceSummary& instance, const Text& profiles);
  void keep(const Uuid& instance, Kept kept);
  /// Forgets the instances that are gone.
  void sweep();

  static constexpr std::size_t kFewest = 64;  ///< below which nobody counts what is gone

  ports::Store& store_;
  mutable std::mutex mutex_;
  std::size_t sweep_at_ = kFewest;
  std::map<ProjectName, Text> stamps_;
  std::unordered_map<std::string, Kept> kept_;  ///< by uuid
  std::size_t bytes_ = 0;
};

}  // namespace berth::services
