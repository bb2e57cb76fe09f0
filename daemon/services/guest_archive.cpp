#include "daemon/services/guest_archive.hpp"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "daemon/domain/document_json.hpp"
#include "daemon/ports/instance_metadata.hpp"
#include "daemon/services/instance_run.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/snapshot_steps.hpp"

namespace berth::services {
namespace {

constexpr std::size_t kMostTemplates = 32 << 20;  // bytes of all of them

std::int64_t seconds(Timestamp time) {
  return std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch()).count();
}

std::string metadata_text(const ports::ImageMetadata& metadata) {
  auto templates = nlohmann::json::object();
  for (const auto& one : metadata.templates)
    templates[one.target] = {
        {"when", one.when}, {"create_only", one.create_only}, {"template", one.source}, {"properties", one.properties}};
  return nlohmann::json{{"architecture", metadata.architecture},
                        {"creation_date", seconds(metadata.created_at)},
                        {"expiry_date", seconds(metadata.expires_at)},
                        {"properties", metadata.properties},
                        {"templates", std::move(templates)}}
             .dump(2, ' ', false, nlohmann::json::error_handler_t::replace) +  // YAML knows no pairs of surrogates
         "\n";
}

Result<std::string> whole_text(int fd) {
  std::string out;
  std::array<char, 65536> chunk{};
  for (;;) {
    const ssize_t n = read(fd, chunk.data(), chunk.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return system_error("cannot read a template", errno);
    if (n == 0) return out;
    out.append(chunk.data(), static_cast<std::size_t>(n));
  }
}

}  // namespace

Result<StillRoot> StillRoot::of(Context& context, const Instance& instance) {
  BERTH_TRY(auto* const driver, driver_of(context, instance.pool));
  if (context.runtime.status(instance.uuid) == InstanceStatus::Stopped) {
    BERTH_TRY(auto root, driver->root(instance.uuid));
    return StillRoot(std::move(root));
  }
  // As a snapshot that no row knows: after a crash it is taken away as one that was never committed.
  const auto aside = new_uuid();
  const ports::TreeId to{instance.uuid, aside};
  const ports::Intent intent{.id = new_uuid(),
                             .verb = "create-snapshot",
                             .object = aside.str(),
                             .detail = to_json(Document{{"pool", instance.pool.str()}, {"instance", instance.uuid.str()}}),
                             .created_at = context.clock.now()};
  BERTH_CHECK(context.store.begin_intent(intent));
  auto undo = std::make_shared<CreationUndo>(context.store, intent.id);
  {
    BERTH_TRY(const auto still, Stillness::of(context, instance));
    BERTH_CHECK(driver->copy_tree({instance.uuid, {}}, to));
  }
  undo->add([&context, driver, to] {
    auto deleted = driver->delete_snapshot(to);
    empty_trash_later(context);
    return deleted;
  });
  BERTH_TRY(auto root, driver->tree(to));
  StillRoot out(std::move(root));
  out.aside_ = std::move(undo);
  return out;
}

Result<std::vector<ports::PackedFile>> metadata_files(Context& context, const Instance& instance, const std::string& at,
                                                      const std::function<void(ports::ImageMetadata&)>& change) {
  auto metadata = context.metadata.read(instance.uuid);
  if (!metadata && metadata.error().code != Code::NotFound) return metadata.error();
  if (!metadata)
    metadata = ports::ImageMetadata{.architecture = instance.architecture, .created_at = context.clock.now()};
  if (change) change(*metadata);
  std::vector<ports::PackedFile> out{{at + "metadata.yaml", metadata_text(*metadata)}};
  BERTH_TRY(const auto names, context.metadata.templates(instance.uuid));
  std::size_t bytes = 0;
  for (const auto& text : names) {
    BERTH_TRY(const auto name, TemplateName::parse(text));
    BERTH_TRY(const auto file, context.metadata.open_template(instance.uuid, name));
    BERTH_TRY(auto content, whole_text(file.get()));
    bytes += content.size();
    if (bytes > kMostTemplates) return Error{Code::LimitsExceeded, "The templates of the instance are too large"};
    out.push_back({at + "templates/" + text, std::move(content)});
  }
  return out;
}

Result<Compression> chosen_compression(Context& context, const std::string& asked, std::string_view key) {
  if (!asked.empty()) return parse_compression(asked);
  BERTH_TRY(const auto config, context.store.server_config());
  const auto kept = config.find(std::string(key));
  return parse_compression(kept == config.end() ? std::string() : kept->second);
}

}  // namespace berth::services
