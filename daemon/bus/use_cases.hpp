#pragma once

#include "daemon/services/backup_import.hpp"
#include "daemon/services/image_downloads.hpp"
#include "daemon/services/image_publish.hpp"
#include "daemon/services/image_pull.hpp"
#include "daemon/services/images.hpp"
#include "daemon/services/instance_backups.hpp"
#include "daemon/services/instance_bulk.hpp"
#include "daemon/services/instance_config.hpp"
#include "daemon/services/instance_create.hpp"
#include "daemon/services/instance_exec.hpp"
#include "daemon/services/instance_files.hpp"
#include "daemon/services/instance_lifecycle.hpp"
#include "daemon/services/instance_metadata.hpp"
#include "daemon/services/instance_move.hpp"
#include "daemon/services/instance_query.hpp"
#include "daemon/services/operations.hpp"
#include "daemon/services/profiles.hpp"
#include "daemon/services/projects.hpp"
#include "daemon/services/server.hpp"
#include "daemon/services/snapshots.hpp"
#include "daemon/services/trust.hpp"

namespace berth::bus {

/// What the bus reaches. References only; main makes the services and outlives the bus with them.
struct UseCases {
  services::InstanceCreate& create;
  services::InstanceLifecycle& lifecycle;
  services::InstanceBulk& bulk;
  services::InstanceMove& move;
  services::InstanceQuery& query;
  services::InstanceConfig& config;
  services::InstanceExec& exec;
  services::Snapshots& snapshots;
  services::InstanceFiles& files;
  services::InstanceMetadata& metadata;
  services::ImageImport& import;
  services::ImagePublish& publish;
  services::ImagePull& pull;
  services::ImageDownloads& downloads;
  services::InstanceBackups& backups;
  services::BackupImport& backup_import;
  services::Images& images;
  services::Profiles& profiles;
  services::Projects& projects;
  services::Server& server;
  services::Operations& operations;
  services::Trust& trust;
  services::Https& https;
};

}  // namespace berth::bus
