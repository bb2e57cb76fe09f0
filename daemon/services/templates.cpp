#include "daemon/services/templates.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "daemon/ports/guest_files.hpp"
#include "daemon/ports/instance_metadata.hpp"

namespace berth::services {
namespace {

std::vector<std::string> triggers_of(const Instance& instance) {
  std::vector<std::string> out;
  const auto pending = instance.config.find("volatile.apply_template");
  if (pending != instance.config.end() && !pending->second.empty()) out.push_back(pending->second);
  out.emplace_back("start");
  return out;
}

Result<std::vector<ports::DueTemplate>> due_templates(Context& context, const Instance& instance) {
  std::vector<ports::DueTemplate> due;
  const auto metadata = context.metadata.read(instance.uuid);
  if (!metadata) {
    // What a power cut spoiled keeps no container from running.
    if (metadata.error().code != Code::NotFound)
      log::warning("No template can be rendered: " + metadata.error().message,
                   {{"BERTH_INSTANCE", instance.name.str()}});
    return due;
  }
  for (const auto& trigger : triggers_of(instance)) {
    for (const auto& one : metadata->templates) {
      if (std::find(one.when.begin(), one.when.end(), trigger) == one.when.end()) continue;
      BERTH_TRY(const auto name, TemplateName::parse(one.source));
      BERTH_TRY(auto text, context.metadata.open_template(instance.uuid, name));
      due.push_back({.trigger = trigger,
                     .target = one.target,
                     .name = one.source,
                     .create_only = one.create_only,
                     .properties = one.properties,
                     .text = std::move(text)});
    }
  }
  return due;
}

}  // namespace

Result<void> apply_templates(Context& context, const Instance& instance, const Expanded& all, const RootSpec& root,
                             bool privileged) {
  BERTH_TRY(auto due, due_templates(context, instance));
  if (due.empty()) return {};
  return context.files.render(root, {.instance = {{"name", instance.name.str()},
                                                  {"type", instance.type},
                                                  {"architecture", instance.architecture},
                                                  {"privileged", privileged ? "true" : "false"},
                                                  {"ephemeral", instance.ephemeral ? "true" : "false"}},
                                     .config = all.config,
                                     .devices = all.devices,
                                     .due = std::move(due)});
}

Result<void> copy_image_metadata(Context& context, const Fingerprint& image, const Uuid& instance) {
  BERTH_TRY(const auto metadata, context.images.metadata(image));
  BERTH_CHECK(context.metadata.write(instance, metadata));
  std::set<std::string> copied;
  for (const auto& one : metadata.templates) {
    if (!copied.insert(one.source).second) continue;
    BERTH_TRY(const auto name, TemplateName::parse(one.source));
    BERTH_TRY(const auto text, context.images.open_template(image, name));
    BERTH_CHECK(context.metadata.write_template(instance, name, text.get()));
  }
  return {};
}

Result<void> copy_instance_metadata(Context& context, const Uuid& from, const Uuid& to) {
  const auto metadata = context.metadata.read(from);
  if (!metadata && metadata.error().code == Code::NotFound) return {};  // it was made from nothing
  if (!metadata) return metadata.error();
  BERTH_CHECK(context.metadata.write(to, *metadata));
  BERTH_TRY(const auto names, context.metadata.templates(from));
  for (const auto& text : names) {
    BERTH_TRY(const auto name, TemplateName::parse(text));
    BERTH_TRY(const auto content, context.metadata.open_template(from, name));
    BERTH_CHECK(context.metadata.write_template(to, name, content.get()));
  }
  return {};
}

}  // namespace berth::services
