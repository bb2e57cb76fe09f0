// Documents of images and backups, made by whoever made the image, and lists of image servers. The first byte chooses one, the rest is its text.
#include <array>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/simplestreams.hpp"
#include "daemon/domain/backup_document.hpp"
#include "daemon/domain/idmap.hpp"
#include "daemon/helpers/image_metadata.hpp"
#include "daemon/helpers/template_render.hpp"
#include "daemon/helpers/yaml_json.hpp"
#include "tests/fuzz/demand.hpp"

namespace berth::fuzz {
namespace {

using nlohmann::json;

void metadata(std::string_view text) {
  const auto read = helpers::metadata_to_json(text);
  if (read) demand(json::parse(*read, nullptr, false).is_object(), "metadata is an object");
}

/// The index.yaml alone: its `config` is what the container's backup.yaml says.
void backup(std::string_view text) {
  auto read = helpers::yaml_to_json(text, "index.yaml");
  if (!read || !read->is_object()) return;
  json config = read->contains("config") ? (*read)["config"] : json();
  read->erase("config");
  const json both{{"index", *std::move(read)}, {"config", std::move(config)}};
  (void)parse_backup(both.dump(-1, ' ', true, json::error_handler_t::replace));
}

void rendered(std::string_view text) {
  using helpers::TemplateValue;
  const TemplateValue::Map variables{
      {"config", TemplateValue::Map{{"user.x", "one"}, {"limits.cpu", "2"}}},
      {"container", TemplateValue::Map{{"name", "web"}, {"privileged", "false"}}},
      {"properties", TemplateValue::Map{{"list", TemplateValue::List{"a", std::int64_t{2}, 1.5, true}}}},
      {"path", "/etc/hostname"}};
  const helpers::TemplateLimits limits{.template_bytes = 1 << 16, .output = 1 << 18, .texts = 1 << 20, .steps = 20'000};
  const auto out = helpers::render_template(text, variables, limits);
  if (out) demand(out->size() <= limits.output, "what is rendered keeps to its limit");
}

void idmap(std::string_view text) {
  const auto map = idmap_from_json(text);
  if (!map) return;
  const auto again = idmap_from_json(idmap_to_json(*map));
  demand(again && idmap_to_json(*again) == idmap_to_json(*map), "a map is written as it is read");
}

/// An index of an image server, and a list of its products.
void streams(std::string_view text) {
  if (const auto lists = simplestreams::product_lists(text)) demand(lists->size() <= 16, "lists are counted");
  auto images = simplestreams::images(text);
  if (!images) return;
  simplestreams::sort_images(*images);
  for (const auto& image : *images) {
    demand(!image.fingerprint.empty() && !image.files.empty() && !image.files.front().path.empty(), "an image has a hash and files");
    for (const auto& name : image.names) demand(simplestreams::is_named(image, name), "an image answers to its names");
  }
}

constexpr std::array kDocuments{metadata, backup, rendered, idmap, streams};

}  // namespace
}  // namespace berth::fuzz

/// `a` is the first document.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  if (size == 0) return 0;
  const auto& documents = berth::fuzz::kDocuments;
  documents[(data[0] - 'a' + documents.size() * 100) % documents.size()]({reinterpret_cast<const char*>(data + 1), size - 1});
  return 0;
}
