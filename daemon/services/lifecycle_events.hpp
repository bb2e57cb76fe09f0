#pragma once

#include "daemon/domain/document.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/services/context.hpp"

#include <string>

namespace berth::services {

/// What a lifecycle event is about.
struct LifecycleSubject {
  std::string kind;  ///< instance, image, image-alias, profile, project, storage-pool, config
  ProjectName project;
  std::string name;
  std::uint32_t owner_uid = 0;
};

/// Publishes `action` ("instance-started"). `who` becomes the requestor, unless it is the daemon itself.
void publish_lifecycle(Context& context, const Principal& who, const LifecycleSubject& subject,
                       const std::string& action, Document details = {});
void publish_lifecycle(Context& context, const Principal& who, const Instance& instance, const std::string& action,
                       Document details = {});

}  // namespace berth::services
