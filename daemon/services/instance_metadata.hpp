#pragma once

#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/document.hpp"
#include "daemon/domain/principal.hpp"
#include "daemon/ports/image_store.hpp"
#include "daemon/services/context.hpp"

namespace berth::services {

/// An instance's own metadata and templates. Blocking; workers only. Errors: NotFound names the instance or the template;
/// InvalidArgument the field; Busy.
class InstanceMetadata {
 public:
  explicit InstanceMetadata(Context& context) : context_(context) {}

  Result<Document> get(const Principal& who, const ProjectName& project, const InstanceName& name);
  Result<void> set(const Principal& who, const ProjectName& project, const InstanceName& name,
                   const ports::ImageMetadata& metadata);
  Result<std::vector<std::string>> templates(const Principal& who, const ProjectName& project,
                                             const InstanceName& name);
  /// A file of the daemon's own, for reading.
  Result<UniqueFd> open_template(const Principal& who, const ProjectName& project, const InstanceName& name,
                                 const std::string& file);
  /// `create`: AlreadyExists when there is one of that name.
  Result<void> write_template(const Principal& who, const ProjectName& project, const InstanceName& name,
                              const std::string& file, int text, bool create);
  Result<void> remove_template(const Principal& who, const ProjectName& project, const InstanceName& name,
                               const std::string& file);

 private:
  Context& context_;
};

}  // namespace berth::services
