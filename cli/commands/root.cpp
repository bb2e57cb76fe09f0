#include "cli/commands/commands.hpp"

namespace berth::cli {

Command root_command() {
  return {
      .name = "berth",
      .aliases = {},
      .arguments = "",
      .summary = "Command line client for Berth",
      .description =
          "All of Berth's features can be driven through the various commands below.\nFor help with any of those, "
          "simply call them with --help.",
      .examples =
          "berth image import debian.tar.xz --alias debian\nberth launch debian web\nberth exec web -- apt "
          "update\nberth shell web",
      .least = 0,
      .most = 0,
      .flags = {},
      .run = {},
      .commands = {
          launch_command(),
          init_command(),
          start_command(),
          stop_command(),
          restart_command(),
          pause_command(),
          delete_command(),
          rename_command(),
          copy_command(),
          move_command(),
          snapshot_command(),
          restore_command(),
          list_command(),
          info_command(),
          exec_command(),
          shell_command(),
          console_command(),
          file_command(),
          publish_command(),
          export_command(),
          import_command(),
          config_command(),
          image_command(),
          profile_command(),
          project_command(),
          remote_command(),
          alias_command(),
          operation_command(),
          storage_command(),
          monitor_command(),
          query_command(),
          version_command(),
          Command{
              .name = "help", .arguments = "[command]", .summary = "Help about any command", .most = Command::kAny}}};
}

}  // namespace berth::cli
