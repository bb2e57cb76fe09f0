#include "daemon/services/images.hpp"

#include "daemon/domain/image_document.hpp"
#include "daemon/services/image_lookup.hpp"
#include "daemon/services/instance_support.hpp"
#include "daemon/services/lifecycle_events.hpp"
#include "daemon/services/project_rules.hpp"

#include <algorithm>

namespace berth::services {
namespace {

LifecycleSubject alias_subject(const ProjectName& project, const AliasName& name, const Principal& who) {
  return {"image-alias", project, name.str(), who.uid};
}

Error no_alias() { return Error{Code::NotFound, "Image alias not found"}; }

Result<void> check_alias_text(const std::string& description) {
  if (has_control_characters(description))
    return Error{Code::InvalidArgument, "The description may not have control characters"};
  return {};
}

}  // namespace

Result<std::vector<Image>> Images::list(const Principal& who, const ProjectName& project) {
  BERTH_TRY(auto images, context_.store.images(who, project));
  std::erase_if(images, [&who](const Image& image) { return !image_visible(who, image); });
  return images;
}

Result<std::vector<Document>> Images::describe(const Principal& who, const ProjectName& project,
                                               const std::optional<std::vector<std::string>>& references) {
  BERTH_CHECK(context_.store.project(who, project));
  std::vector<Image> images;
  if (references) {
    for (const auto& reference : *references) {
      BERTH_TRY(auto image, image_by_prefix(context_, who, project, reference));
      images.push_back(std::move(image));
    }
  } else {
    BERTH_TRY(images, list(who, project));
  }
  BERTH_TRY(const auto known, context_.store.aliases(project));
  std::vector<Document> rows;
  for (const auto& image : images) rows.push_back(image_document(image, known));
  return rows;
}

Result<Image> Images::resolve(const Principal& who, const ProjectName& project, const std::string& reference) {
  auto by_alias = image_by_alias(context_, who, project, reference);
  if (by_alias || by_alias.error().code != Code::NotFound) return by_alias;
  return image_by_prefix(context_, who, project, reference);
}

Result<void> Images::update(const Principal& who, const ProjectName& project, const Fingerprint& fingerprint,
                            ImageChanges changes) {
  BERTH_CHECK(check_owns(context_, who, project, ProjectFeature::Images));
  BERTH_TRY(const auto lock, context_.locks.lock(image_entity(fingerprint), "Image " + fingerprint.str(), "update",
                                                 EntityLocks::Purpose::Cleanup));
  BERTH_TRY(auto image, image_by_prefix(context_, who, project, fingerprint.str()));
  if (changes.if_revision && *changes.if_revision != image.revision)
    return Error{Code::RevisionMismatch, "Image \"" + fingerprint.str() + "\" has changed: it has revision " +
                                             std::to_string(image.revision) + ", not " +
                                             std::to_string(*changes.if_revision)};
  if (changes.properties) {
    BERTH_CHECK(check_image_texts("", *changes.properties));
    if (changes.replace) image.properties.clear();
    for (const auto& [name, value] : *changes.properties) {
      if (value.empty()) {
        image.properties.erase(name);
      } else {
        image.properties[name] = value;
      }
    }
  }
  if (changes.is_public) image.is_public = *changes.is_public;
  if (changes.auto_update) image.auto_update = *changes.auto_update;
  if (changes.expires_at) image.expires_at = *changes.expires_at;
  if (changes.profiles) {
    BERTH_CHECK(find_profiles(context_, who, project, *changes.profiles));
    image.profiles = *changes.profiles;
  }
  BERTH_CHECK(context_.store.update_image(image, image.revision));
  publish_lifecycle(context_, who, LifecycleSubject{"image", project, fingerprint.str(), image.owner_uid},
                    "image-updated");
  return {};
}

Result<std::vector<ImageAlias>> Images::aliases(const Principal& who, const ProjectName& project) {
  BERTH_TRY(auto aliases, context_.store.aliases(project));
  BERTH_TRY(const auto images, list(who, project));
  std::erase_if(aliases, [&images](const ImageAlias& alias) {
    return std::none_of(images.begin(), images.end(),
                        [&alias](const Image& image) { return image.fingerprint == alias.target; });
  });
  return aliases;
}

Result<void> Images::create_alias(const Principal& who, const ProjectName& project, const AliasName& name, const std::string& target,
                                  const std::string& description) {
  BERTH_CHECK(check_alias_text(description));
  BERTH_CHECK(check_owns(context_, who, project, ProjectFeature::Images));
  BERTH_TRY(const auto image, image_by_prefix(context_, who, project, target));
  BERTH_CHECK(context_.store.insert_alias({project, name, image.fingerprint, description}));
  publish_lifecycle(context_, who, alias_subject(project, name, who), "image-alias-created",
                    Document{{"target", image.fingerprint.str()}});
  return {};
}

Result<ImageAlias> Images::visible_alias(const Principal& who, const ProjectName& project, const AliasName& name) {
  BERTH_CHECK(image_by_alias(context_, who, project, name.str()));
  auto alias = context_.store.alias(project, name);
  if (!alias && alias.error().code == Code::NotFound) return no_alias();
  return alias;
}

Result<void> Images::update_alias(const Principal& who, const ProjectName& project, const AliasName& name,
                                  std::optional<std::string> target, std::optional<std::string> description) {
  BERTH_CHECK(check_owns(context_, who, project, ProjectFeature::Images));
  BERTH_TRY(auto alias, visible_alias(who, project, name));
  if (target) {
    BERTH_TRY(const auto image, image_by_prefix(context_, who, project, *target));
    alias.target = image.fingerprint;
  }
  if (description) {
    BERTH_CHECK(check_alias_text(*description));
    alias.description = *description;
  }
  BERTH_CHECK(context_.store.update_alias(alias));
  publish_lifecycle(context_, who, alias_subject(project, name, who), "image-alias-updated",
                    Document{{"target", alias.target.str()}});
  return {};
}

Result<void> Images::rename_alias(const Principal& who, const ProjectName& project, const AliasName& name,
                                  const AliasName& to) {
  BERTH_CHECK(check_owns(context_, who, project, ProjectFeature::Images));
  BERTH_CHECK(visible_alias(who, project, name));
  BERTH_CHECK(context_.store.rename_alias(project, name, to));
  publish_lifecycle(context_, who, alias_subject(project, to, who), "image-alias-renamed",
                    Document{{"old_name", name.str()}});
  return {};
}

Result<void> Images::delete_alias(const Principal& who, const ProjectName& project, const AliasName& name) {
  BERTH_CHECK(check_owns(context_, who, project, ProjectFeature::Images));
  BERTH_CHECK(visible_alias(who, project, name));
  BERTH_CHECK(context_.store.delete_alias(project, name));
  publish_lifecycle(context_, who, alias_subject(project, name, who), "image-alias-deleted");
  return {};
}

}  // namespace berth::services
