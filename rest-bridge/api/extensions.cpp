#include "rest-bridge/api/extensions.hpp"

#include <algorithm>
#include <array>

#include "rest-bridge/api/router.hpp"

namespace berth::rest {
namespace {

constexpr std::array kExtensions{
    Extension{"container_last_used_at", "GET", "/1.0/instances/{name}"},
    Extension{"etag", "PUT", "/1.0/instances/{name}"},
    Extension{"patch", "PATCH", "/1.0/instances/{name}"},
    Extension{"container_stateless_copy", "POST", "/1.0/instances"},
    Extension{"container_only_migration", "POST", "/1.0/instances"},
    Extension{"container_copy_project", "POST", "/1.0/instances"},
    Extension{"container_incremental_copy", "POST", "/1.0/instances"},
    Extension{"snapshot_scheduling", "POST", "/1.0/instances/{name}/snapshots"},
    Extension{"snapshot_schedule_aliases", "PATCH", "/1.0/instances/{name}"},
    Extension{"instance_allow_inconsistent_copy", "POST", "/1.0/instances"},
    Extension{"snapshot_expiry", "PUT", "/1.0/instances/{name}/snapshots/{snapshot}"},
    Extension{"snapshot_expiry_creation", "POST", "/1.0/instances/{name}/snapshots"},
    Extension{"directory_manipulation", "POST", "/1.0/instances/{name}/files"},
    Extension{"file_delete", "DELETE", "/1.0/instances/{name}/files"},
    Extension{"file_append", "POST", "/1.0/instances/{name}/files"},
    Extension{"file_symlinks", "POST", "/1.0/instances/{name}/files"},
    Extension{"file_get_symlink", "GET", "/1.0/instances/{name}/files"},
    Extension{"container_edit_metadata", "PUT", "/1.0/instances/{name}/metadata"},
    Extension{"profile_usedby", "GET", "/1.0/profiles/{name}"},
    Extension{"container_exec_recording", "POST", "/1.0/instances/{name}/exec"},
    Extension{"container_exec_signal_handling", "POST", "/1.0/instances/{name}/exec"},
    Extension{"entity_description", "PUT", "/1.0/profiles/{name}"},
    Extension{"console", "POST", "/1.0/instances/{name}/console"},
    Extension{"operation_description", "GET", "/1.0/operations/{id}"},
    Extension{"auth_pki", "PUT", "/1.0"},
    Extension{"certificate_update", "PUT", "/1.0/certificates/{fingerprint}"},
    Extension{"trust_ca_certificates", "PUT", "/1.0"},
    Extension{"certificate_project", "POST", "/1.0/certificates"},
    Extension{"certificate_self_renewal", "PUT", "/1.0/certificates/{fingerprint}"},
    Extension{"https_allowed_credentials", "PUT", "/1.0"},
    Extension{"resources", "GET", "/1.0/storage-pools/{name}/resources"},
    Extension{"resources_cpu_socket", "GET", "/1.0/resources"},
    Extension{"resources_gpu", "GET", "/1.0/resources"},
    Extension{"resources_numa", "GET", "/1.0/resources"},
    Extension{"event_lifecycle", "GET", "/1.0/events"},
    Extension{"container_full", "GET", "/1.0/instances"},
    Extension{"kernel_features", "GET", "/1.0", "kernel_features"},
    Extension{"event_location", "GET", "/1.0/events"},
    Extension{"lxc_features", "GET", "/1.0", "lxc_features"},
    Extension{"image_compression_algorithm", "POST", "/1.0/images"},
    Extension{"image_create_aliases", "POST", "/1.0/images"},
    Extension{"image_force_refresh", "POST", "/1.0/images/{fingerprint}/refresh"},
    Extension{"image_profiles", "POST", "/1.0/images"},
    Extension{"images_expiry", "PUT", "/1.0/images/{fingerprint}"},
    Extension{"container_backup", "POST", "/1.0/instances/{name}/backups"},
    Extension{"container_backup_override_pool", "POST", "/1.0/instances"},
    Extension{"backup_compression", "PUT", "/1.0"},
    Extension{"backup_compression_algorithm", "POST", "/1.0/instances/{name}/backups"},
    Extension{"backup_override_name", "POST", "/1.0/instances"},
    Extension{"container_exec_user_group_cwd", "POST", "/1.0/instances/{name}/exec"},
    Extension{"instances", "GET", "/1.0/instances/{name}"},
    Extension{"image_source_project", "POST", "/1.0/images"},
    Extension{"image_types", "GET", "/1.0/images/{fingerprint}"},
    Extension{"projects", "POST", "/1.0/projects"},
    Extension{"projects_limits", "PUT", "/1.0/projects/{name}"},
    Extension{"projects_restrictions", "PUT", "/1.0/projects/{name}"},
    Extension{"projects_limits_instances", "PUT", "/1.0/projects/{name}"},
    Extension{"projects_restricted_backups_and_snapshots", "PUT", "/1.0/projects/{name}"},
    Extension{"projects_restricted_intercept", "PUT", "/1.0/projects/{name}"},
    Extension{"project_usage", "GET", "/1.0/projects/{name}/state"},
    Extension{"resources_v2", "GET", "/1.0/resources"},
    Extension{"resources_usb_pci", "GET", "/1.0/resources"},
    Extension{"resources_cpu_threads_numa", "GET", "/1.0/resources"},
    Extension{"resources_cpu_core_die", "GET", "/1.0/resources"},
    Extension{"resources_system", "GET", "/1.0/resources"},
    Extension{"resources_pci_iommu", "GET", "/1.0/resources"},
    Extension{"resources_network_usb", "GET", "/1.0/resources"},
    Extension{"resources_disk_address", "GET", "/1.0/resources"},
    Extension{"resources_gpu_usb", "GET", "/1.0/resources"},
    Extension{"api_filtering", "GET", "/1.0/instances"},
    Extension{"api_os", "GET", "/1.0", "os_name"},
    Extension{"usedby_consistency", "GET", "/1.0/profiles/{name}"},
    Extension{"instance_bulk_state_change", "PUT", "/1.0/instances"},
    Extension{"server_supported_storage_drivers", "GET", "/1.0", "storage_supported_drivers"},
    Extension{"instance_all_projects", "GET", "/1.0/instances"},
    Extension{"instance_project_move", "POST", "/1.0/instances/{name}"},
    Extension{"instance_get_full", "GET", "/1.0/instances/{name}"},
    Extension{"certificate_token", "POST", "/1.0/certificates"},
    Extension{"event_project", "GET", "/1.0/events"},
    Extension{"remote_token_expiry", "PUT", "/1.0"},
    Extension{"network_counters_errors_dropped", "GET", "/1.0/instances/{name}/state"},
};

bool is_served(const Extension& extension) {
  const auto& routes = all_routes();
  return std::any_of(routes.begin(), routes.end(), [&](const Route& route) {
    return route.handler && route.method == extension.method && route.pattern == extension.pattern;
  });
}

}  // namespace

std::span<const Extension> extension_table() { return kExtensions; }

Json served_extensions(const Json& environment) {
  static const auto served = [] {
    std::vector<const Extension*> list;
    for (const auto& extension : kExtensions)
      if (is_served(extension)) list.push_back(&extension);
    return list;
  }();
  auto names = Json::array();
  for (const auto* extension : served)
    if (extension->environment_field.empty() || environment.contains(extension->environment_field))
      names.push_back(extension->name);
  return names;
}

}  // namespace berth::rest
