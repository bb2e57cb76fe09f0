#pragma once

#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"

namespace berth::services {

/// One lock an entity ("instance/<uuid>", "image/<fingerprint>", "profile/default/<name>", "name/default/<instance name>").
/// A user's verb against a user's verb is Busy, naming what runs ("Instance web is busy running a start operation"); against
/// Berth's own cleanup it waits, up to 30 s. Any thread.
class EntityLocks {
 public:
  enum class Purpose { User, Cleanup };
  class Guard;

  /// `verb` is what the holder does ("start"), for the other's error; `shown` how the entity is called in it ("Instance web").
  Result<Guard> lock(const std::string& entity, const std::string& shown, const std::string& verb, Purpose purpose);

 private:
  struct Held {
    std::string verb;
    Purpose purpose;
  };
  std::mutex mutex_;
  std::condition_variable released_;
  std::map<std::string, Held> held_;
};

/// Holds the lock until it dies. Movable; the EntityLocks outlives it.
class EntityLocks::Guard {
 public:
  Guard(Guard&& other) noexcept;
  Guard& operator=(Guard&&) = delete;
  ~Guard();

 private:
  friend class EntityLocks;
  Guard(EntityLocks& owner, std::string entity) : owner_(&owner), entity_(std::move(entity)) {}
  EntityLocks* owner_;
  std::string entity_;
};

}  // namespace berth::services
