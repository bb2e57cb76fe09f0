#pragma once

#include <string>
#include <string_view>

#include "daemon/ports/image_servers.hpp"

namespace berth::adapters {

/// Other servers by berth-helper. Holds no state: any thread.
class HelperImageServers final : public ports::ImageServers {
 public:
  /// `helper` is its absolute path.
  explicit HelperImageServers(std::string helper) : helper_(std::move(helper)) {}

  Result<ports::ServerImage> find(const ports::ServerImageQuery& query, const std::function<bool()>& cancelled) override;
  Result<ports::ServerDownload> get(const ports::ServerImageQuery& query, const ports::ServerImage& image,
                                    const std::function<bool()>& cancelled) override;

 private:
  std::string helper_;
};

/// Reads what the helper tells of an image, trusting nothing of it: a stranger wrote it. Errors: InvalidArgument naming the
/// field.
Result<ports::ServerImage> parse_server_image(std::string_view text);

}  // namespace berth::adapters
