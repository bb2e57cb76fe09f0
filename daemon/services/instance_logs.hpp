#pragma once

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/types.hpp"

#include <string>
#include <vector>

/// The folder of an instance's log files: root-owned, outside every tree that a guest can write. `folder` is made of
/// the logs path and a uuid; file names are checked here.
namespace berth::services {

/// lxc.log, lxc.log.old, lxc.conf, console.log and exec_*: what may be read from outside.
bool is_log_name(const std::string& name);

/// Makes the folder where absent, 0700.
Result<void> make_log_folder(const std::string& folder);
/// Names of the files there, sorted; none when there is no folder.
Result<std::vector<std::string>> list_logs(const std::string& folder);
/// A sealed memfd with the last `limit` bytes. NotFound.
Result<UniqueFd> open_log_copy(const std::string& folder, const std::string& name, std::uint64_t limit);
/// Its writers go on at its new beginning, as they append. NotFound.
Result<void> empty_log(const std::string& folder, const std::string& name);
/// NotFound.
Result<void> delete_log(const std::string& folder, const std::string& name);

/// exec_<id>.stdout, exec_<id>.stderr.
std::string output_name(const OperationId& exec, bool error_stream);
/// A new file for a command's output, opened for appending. Its end is handed to the guest, which can write and
/// truncate it and nothing else.
Result<UniqueFd> make_output_file(const std::string& folder, const OperationId& exec, bool error_stream);
bool has_output_file(const std::string& folder, const OperationId& exec);
/// Gives the disk space of all but about the last `limit` bytes back; offsets stay as they are. Absent is success.
void trim_output_files(const std::string& folder, const OperationId& exec, std::uint64_t limit);
/// Deletes the outputs of commands that nothing was written to since `before`. How many there were.
Result<std::size_t> delete_old_outputs(const std::string& folder, Timestamp before);

}  // namespace berth::services
