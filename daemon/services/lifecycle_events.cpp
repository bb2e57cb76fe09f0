#include "daemon/services/lifecycle_events.hpp"

#include <array>
#include <pwd.h>

namespace berth::services {
namespace {

std::string user_name(std::uint32_t uid) {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  if (getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr) return found->pw_name;
  return std::to_string(uid);
}

/// Empty for the daemon itself.
Document requestor(const Principal& who) {
  if (who.kind == PrincipalKind::Certificate || who.kind == PrincipalKind::Restricted)
    return {{"username", who.fingerprint}, {"protocol", "tls"}};
  if (who.kind == PrincipalKind::Local && who.pid != 0) return {{"username", user_name(who.uid)}, {"protocol", "unix"}};
  return {};
}

}  // namespace

void publish_lifecycle(Context& context, const Principal& who, const LifecycleSubject& subject,
                       const std::string& action, Document details) {
  Document metadata{{"action", action}, {"kind", subject.kind}, {"name", subject.name}};
  if (!details.empty()) metadata["context"] = std::move(details);
  if (auto by = requestor(who); !by.empty()) metadata["requestor"] = std::move(by);
  context.events.publish(Event{.type = "lifecycle",
                               .at = context.clock.now(),
                               .project = subject.project,
                               .owner_uid = subject.owner_uid,
                               .metadata = std::move(metadata)});
  if (context.on_lifecycle) context.on_lifecycle(action);
}

void publish_lifecycle(Context& context, const Principal& who, const Instance& instance, const std::string& action,
                       Document details) {
  publish_lifecycle(context, who,
                    LifecycleSubject{"instance", instance.project, instance.name.str(), instance.owner_uid}, action,
                    std::move(details));
}

}  // namespace berth::services
