#include <algorithm>
#include <charconv>

#include "base/log.hpp"
#include "daemon/domain/server_keys.hpp"
#include "daemon/services/image_pull.hpp"
#include "daemon/services/images.hpp"

namespace berth::services {
namespace {

constexpr std::chrono::hours kEvery{1};
constexpr std::uint64_t kLongest = 1'000'000;  ///< hours or days: more are for ever, and no clock counts them

/// The images of all projects, each once.
Result<std::vector<Image>> all_images(Context& context) {
  BERTH_TRY(const auto projects, context.store.projects(daemon_principal()));
  std::vector<Image> all;
  for (const auto& project : projects) {
    BERTH_TRY(auto images, context.store.images(daemon_principal(), project.name));
    for (auto& image : images)
      if (image.project == project.name) all.push_back(std::move(image));
  }
  return all;
}

}  // namespace

Result<std::uint64_t> server_number(Context& context, std::string_view key) {
  BERTH_TRY(const auto config, context.store.server_config());
  const auto keys = server_keys();
  const auto row = std::find_if(keys.begin(), keys.end(), [key](const ServerKey& one) { return one.name == key; });
  std::string_view text = row == keys.end() ? std::string_view("0") : row->fallback;
  if (const auto found = config.find(std::string(key)); found != config.end() && !found->second.empty()) text = found->second;
  std::uint64_t number = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

void ImageUpkeep::keep_going() {
  for (const auto& done : {update_all(), expire()})
    if (!done) log::warning("Images could not be looked after: " + done.error().message);
  context_.workers.submit_after(kEvery, [this] {
    if (!context_.operations.closing()) context_.workers.submit_long([this] { keep_going(); });
  });
}

Result<std::size_t> ImageUpkeep::update_all() {
  BERTH_TRY(const auto interval, server_number(context_, kAutoUpdateIntervalKey));
  const auto now = context_.clock.now();
  if (interval == 0 || now - updated_at_ < std::chrono::hours(std::min(interval, kLongest))) return 0U;
  updated_at_ = now;
  BERTH_TRY(const auto images, all_images(context_));
  std::size_t count = 0;
  for (const auto& image : images) {
    if (!image.auto_update || !image.origin) continue;
    if (const auto asked = ImagePull(context_).refresh(daemon_principal(), image.project, image.fingerprint); !asked)
      return asked.error();
    ++count;
  }
  return count;
}

Result<std::size_t> ImageUpkeep::expire() {
  BERTH_TRY(const auto days, server_number(context_, kCacheExpiryKey));
  if (days == 0) return 0U;
  BERTH_TRY(const auto images, all_images(context_));
  const auto now = context_.clock.now();
  std::size_t count = 0;
  for (const auto& image : images) {
    const auto used = image.last_used_at == kNever ? image.uploaded_at : image.last_used_at;
    if (!image.cached || now - used < std::chrono::hours(24 * std::min(days, kLongest))) continue;
    const auto gone = ImageImport(context_).remove(daemon_principal(), image.project, image.fingerprint);
    if (!gone && gone.error().code != Code::Busy) return gone.error();
    ++count;
  }
  return count;
}

}  // namespace berth::services
