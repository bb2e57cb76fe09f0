#pragma once

#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "daemon/domain/template_name.hpp"
#include "daemon/ports/image_store.hpp"

namespace berth::ports {

/// Each instance's own copy of its image's metadata and templates, outside any tree that a guest can write. Blocking:
/// workers only; any thread, but one change at a time per instance (the caller holds the instance's lock).
/// Errors: NotFound names what is absent; LimitsExceeded; Internal.
class InstanceMetadata {
 public:
  virtual ~InstanceMetadata() = default;
  /// NotFound for an instance that was made from nothing. Internal when what is there is damaged.
  virtual Result<ImageMetadata> read(const Uuid& instance) = 0;
  /// Replaces it in one step. InvalidArgument names the field that is wrong.
  virtual Result<void> write(const Uuid& instance, const ImageMetadata& metadata) = 0;
  /// Names of the templates, sorted; none is no error.
  virtual Result<std::vector<std::string>> templates(const Uuid& instance) = 0;
  /// For reading, from the start.
  virtual Result<UniqueFd> open_template(const Uuid& instance, const TemplateName& name) = 0;
  /// Replaces it in one step by what `text` holds from its position on; a pipe is fine. At most 1 MiB.
  virtual Result<void> write_template(const Uuid& instance, const TemplateName& name, int text) = 0;
  virtual Result<void> remove_template(const Uuid& instance, const TemplateName& name) = 0;
  /// Everything of the instance's; absent is success.
  virtual Result<void> remove(const Uuid& instance) = 0;
};

}  // namespace berth::ports
