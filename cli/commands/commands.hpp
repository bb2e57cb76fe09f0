#pragma once

#include "cli/command.hpp"

namespace berth::cli {

// Each makes the description of one command, or of a group.
Command launch_command();
Command init_command();
Command start_command();
Command stop_command();
Command restart_command();
Command pause_command();
Command delete_command();
Command rename_command();
Command copy_command();
Command move_command();
Command snapshot_command();
Command restore_command();
Command publish_command();
Command export_command();
Command import_command();
Command file_command();
Command list_command();
Command info_command();
Command exec_command();
Command shell_command();
Command console_command();
Command config_command();
Command metadata_command();
Command template_command();
Command trust_command();
Command image_command();
Command image_import_command();
Command image_alias_command();
Command copy_image_command();
Command export_image_command();
Command refresh_image_command();
Command profile_command();
Command project_command();
Command remote_command();
Command alias_command();
Command operation_command();
Command storage_command();
Command monitor_command();
Command query_command();
Command version_command();

/// The `device` group of instances ("config") and of profiles.
Command device_command(bool of_profile);

/// Everything: the root of the command line.
Command root_command();

}  // namespace berth::cli
