#include "daemon/services/entity_locks.hpp"

namespace berth::services {

Result<EntityLocks::Guard> EntityLocks::lock(const std::string& entity, const std::string& shown,
                                             const std::string& verb, Purpose purpose) {
  return take(entity, shown, Holder{verb, purpose, 0});
}

Result<EntityLocks::Guard> EntityLocks::share(const std::string& entity, const std::string& shown,
                                              const std::string& verb, Purpose purpose) {
  return take(entity, shown, Holder{verb, purpose, 1});
}

Result<EntityLocks::Guard> EntityLocks::take(const std::string& entity, const std::string& shown, Holder wanted) {
  const auto deadline = std::chrono::steady_clock::now() + patience_;
  std::unique_lock lock(mutex_);
  auto waits = waiting_.end();
  const auto wait_no_more = [&] {
    if (waits != waiting_.end()) waiting_.erase(waits);
  };
  while (true) {
    const auto found = held_.find(entity);
    if (found == held_.end()) {
      wait_no_more();
      held_.emplace(entity, std::move(wanted));
      return Guard{*this, entity};
    }
    auto& holder = found->second;
    if (wanted.sharers > 0 && holder.sharers > 0) {
      wait_no_more();
      ++holder.sharers;
      return Guard{*this, entity};
    }
    const bool between_users = wanted.purpose == Purpose::User && holder.purpose == Purpose::User;
    if (between_users || std::chrono::steady_clock::now() >= deadline) {
      wait_no_more();
      return Error{Code::Busy, shown + " is busy running a " + holder.verb + " operation"};
    }
    if (waits == waiting_.end()) {
      waits = waiting_.emplace(entity, wanted.verb);
      tell_holder(entity, wanted.verb);
    }
    released_.wait_until(lock, deadline);
  }
}

void EntityLocks::tell_holder(const std::string& entity, const std::string& verb) const {
  if (const auto found = told_.find(entity); found != told_.end()) found->second(verb);
}

void EntityLocks::Guard::on_wanted(std::function<void(const std::string&)> tell) {
  const std::lock_guard lock(owner_->mutex_);
  owner_->told_.insert_or_assign(entity_, std::move(tell));
  const auto [first, last] = owner_->waiting_.equal_range(entity_);
  for (auto waits = first; waits != last; ++waits) owner_->tell_holder(entity_, waits->second);
}

std::optional<EntityLocks::Holder> EntityLocks::holder(const std::string& entity) const {
  const std::lock_guard lock(mutex_);
  const auto found = held_.find(entity);
  if (found == held_.end()) return std::nullopt;
  return found->second;
}

EntityLocks::Guard::~Guard() {
  if (owner_ == nullptr) return;
  const std::lock_guard lock(owner_->mutex_);
  const auto held = owner_->held_.find(entity_);
  if (held->second.sharers > 1) {
    --held->second.sharers;
    return;
  }
  owner_->held_.erase(held);
  owner_->told_.erase(entity_);
  owner_->released_.notify_all();
}

std::string instance_entity(const Uuid& uuid) { return "instance/" + uuid.str(); }
std::string name_entity(const ProjectName& project, const InstanceName& name) {
  return "name/" + project.str() + "/" + name.str();
}
std::string image_entity(const Fingerprint& fingerprint) { return "image/" + fingerprint.str(); }
std::string profile_entity(const ProjectName& project, const ProfileName& name) {
  return "profile/" + project.str() + "/" + name.str();
}

}  // namespace berth::services
