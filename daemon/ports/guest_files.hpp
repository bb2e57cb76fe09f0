#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/start_plan.hpp"
#include "daemon/domain/types.hpp"

namespace berth::ports {

/// A template that is due, and what it sees.
struct DueTemplate {
  std::string trigger;  ///< create, copy, rename, start
  std::string target;   ///< path in the guest
  std::string name;     ///< of the template, for errors
  bool create_only = false;
  ConfigMap properties;
  UniqueFd text;
};

struct RenderRequest {
  ConfigMap instance;  ///< name, type, architecture, privileged, ephemeral
  ConfigMap config;    ///< expanded
  DeviceMap devices;   ///< expanded
  std::vector<DueTemplate> due;
};

/// Work on the files of a guest, done by a helper that has no rights over the host and reaches nothing but the guest's
/// own tree (rules 2 and 3). Blocking: workers only; any thread.
class GuestFiles {
 public:
  virtual ~GuestFiles() = default;
  /// Renders the templates in order and writes them into the root of a stopped instance; the caller holds its lock.
  /// What is there keeps owner and mode; new files are root's with mode 0644. Errors name the template:
  /// InvalidArgument (its text, with the line), LimitsExceeded, FailedPrecondition (the target), Unavailable (disk
  /// full), Internal.
  virtual Result<void> render(const RootSpec& root, RenderRequest request) = 0;
};

}  // namespace berth::ports
