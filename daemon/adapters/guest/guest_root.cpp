#include "daemon/adapters/guest/guest_root.hpp"

#include "base/tree.hpp"

namespace berth::adapters {

Result<GuestRoot> open_guest_root(const RootSpec& root) {
  GuestRoot out;
  const auto add = [&out](const std::string& path) -> Result<void> {
    BERTH_TRY(UniqueFd folder, open_folder(path));
    out.folders.push_back(std::move(folder));
    return {};
  };
  if (root.kind == RootSpec::Kind::Plain) {
    BERTH_CHECK(add(root.plain));
    return out;
  }
  out.layout = "overlay";
  BERTH_CHECK(add(root.lower));
  BERTH_CHECK(add(root.layer));
  return out;
}

}  // namespace berth::adapters
