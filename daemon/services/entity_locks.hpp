#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/names.hpp"
#include "base/result.hpp"

namespace berth::services {

/// One lock an entity ("instance/<uuid>", "image/<fingerprint>", "profile/default/<name>", "name/default/<instance name>").
/// A user's verb against a user's verb is Busy, naming what runs ("Instance web is busy running a start operation"); against
/// Berth's own cleanup, and for it, it waits, up to `patience`. Any thread.
class EntityLocks {
 public:
  enum class Purpose { User, Cleanup };
  class Guard;
  struct Holder {
    std::string verb;
    Purpose purpose = Purpose::User;
    unsigned sharers = 0;  ///< 0: one holder alone
  };

  explicit EntityLocks(std::chrono::milliseconds patience = std::chrono::seconds(30)) : patience_(patience) {}

  /// `verb` is what the holder does ("start"), for the other's error; `shown` how the entity is called in it ("Instance web").
  Result<Guard> lock(const std::string& entity, const std::string& shown, const std::string& verb, Purpose purpose);
  /// The same for users who do not disturb each other: any number may share it, and nobody else may have it meanwhile.
  Result<Guard> share(const std::string& entity, const std::string& shown, const std::string& verb, Purpose purpose = Purpose::User);
  /// Who has it now; it may have changed when this returns.
  std::optional<Holder> holder(const std::string& entity) const;

 private:
  Result<Guard> take(const std::string& entity, const std::string& shown, Holder wanted);
  /// Tells the holder who waits. Under the lock.
  void tell_holder(const std::string& entity, const std::string& verb) const;

  const std::chrono::milliseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable released_;
  std::map<std::string, Holder> held_;
  std::multimap<std::string, std::string> waiting_;  ///< entity to verb
  std::map<std::string, std::function<void(const std::string&)>> told_;
};

/// Holds the lock until it dies. Movable, also to another thread; the EntityLocks outlives it.
class EntityLocks::Guard {
 public:
  Guard(Guard&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), entity_(std::move(other.entity_)) {}
  Guard& operator=(Guard&&) = delete;
  ~Guard();

  /// Calls `tell` with the verb of each who waits for this lock and of each who will, until the guard dies: so a holder
  /// that could go on for ever can make way. `tell` does not block and does not use the locks. For a holder alone.
  void on_wanted(std::function<void(const std::string& verb)> tell);

 private:
  friend class EntityLocks;
  Guard(EntityLocks& owner, std::string entity) : owner_(&owner), entity_(std::move(entity)) {}
  EntityLocks* owner_;
  std::string entity_;
};

/// The lock of everything that is done to one instance.
std::string instance_entity(const Uuid& uuid);
/// The lock of an instance's name, taken while one is made under it or renamed to it.
std::string name_entity(const ProjectName& project, const InstanceName& name);
std::string image_entity(const Fingerprint& fingerprint);
std::string profile_entity(const ProjectName& project, const ProfileName& name);

}  // namespace berth::services
