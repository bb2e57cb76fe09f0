#pragma once

#include <string>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/ports/guest_files.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// Files in instances, running (through the container's own namespaces) and stopped (under the instance's lock, with its
/// root seen by the helper alone). Blocking; workers only.
/// Errors: those of ports::GuestFiles; Busy when a stopped instance is in the hands of another verb for too long.
class InstanceFiles {
 public:
  explicit InstanceFiles(Context& context) : context_(context) {}

  /// What is at `path` and, unless `content` is false, its content as a pipe. A background worker sees it to its end.
  Result<ports::OpenGuestFile> open(const Principal& who, const ProjectName& project, const InstanceName& name,
                                    const std::string& path, bool content);
  /// An operation that ends when everything of the pipe `content` is written.
  Result<OperationId> write(const Principal& who, const ProjectName& project, const InstanceName& name,
                            ports::GuestFileWrite request, UniqueFd content);
  Result<void> remove(const Principal& who, const ProjectName& project, const InstanceName& name,
                      const std::string& path);

  /// A socket that speaks SFTP about the whole instance. Of a stopped one it holds the lock: other work on its files is
  /// Busy meanwhile, and any other verb ends it.
  Result<UniqueFd> sftp(const Principal& who, const ProjectName& project, const InstanceName& name);

 private:
  struct Place;
  Result<Place> place_of(const Instance& instance, const std::string& verb);

  Context& context_;
};

}  // namespace berth::services
