#include "daemon/bus/answers.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/object_names.hpp"

namespace berth::bus {
namespace {

/// What an image gets at its making, whichever way it is made.
template <typename Request>
Result<void> read_belongings(OptionReader& reader, Request& request) {
  ConfigMap aliases;
  std::optional<std::vector<ProfileName>> profiles;
  reader.read("filename", request.filename);
  reader.read("public", request.is_public);
  reader.read("properties", request.properties);
  reader.read("aliases", aliases);
  reader.read("profiles", profiles);
  BERTH_CHECK(reader.finish());
  if (profiles) request.profiles = *std::move(profiles);
  for (auto& [text, description] : aliases) {
    BERTH_TRY(auto alias, AliasName::parse(text));
    request.aliases.emplace(std::move(alias), std::move(description));
  }
  return {};
}

Result<services::ImportImageRequest> read_import(const std::string& project, sdbus::UnixFd file, VariantMap options) {
  BERTH_TRY(auto project_name, ProjectName::parse(project));
  BERTH_TRY(auto own, take_fd(std::move(file)));
  services::ImportImageRequest request{.project = std::move(project_name), .file = std::move(own)};
  OptionReader reader{std::move(options)};
  reader.read("rootfs", request.rootfs);
  reader.read("fingerprint", request.fingerprint);
  reader.read("auto-update", request.auto_update);
  BERTH_CHECK(read_belongings(reader, request));
  return request;
}

Result<services::PublishRequest> read_publish(const std::string& project, const std::string& instance, VariantMap options) {
  BERTH_TRY(auto project_name, ProjectName::parse(project));
  auto name = InstanceName::parse(instance);
  if (!name) return Error{Code::NotFound, "Instance not found"};
  services::PublishRequest request{.of = {std::move(project_name), *std::move(name)}};
  OptionReader reader{std::move(options)};
  reader.read("snapshot", request.snapshot);
  reader.read("compression", request.compression);
  reader.read("expires-at", request.expires_at);
  BERTH_CHECK(read_belongings(reader, request));
  return request;
}

struct FetchSource {
  services::PullImageRequest request;
  std::optional<ProjectName> of_project;  ///< of this server
};

Result<FetchSource> read_fetch(const std::string& project, VariantMap source, VariantMap options) {
  BERTH_TRY(auto project_name, ProjectName::parse(project));
  FetchSource out{.request = {.project = std::move(project_name), .from = {}}, .of_project = {}};
  auto& from = out.request.from;
  std::string fingerprint, from_project;
  OptionReader where{std::move(source)};
  where.read("server", from.at.server);
  where.read("protocol", from.at.protocol);
  where.read("certificate", from.at.certificate);
  where.read("alias", from.at.alias);
  where.read("fingerprint", fingerprint);
  where.read("secret", from.secret);
  where.read("project", from_project);
  BERTH_CHECK(where.finish());
  if (from.at.server.empty() && from_project.empty())
    return Error{Code::InvalidArgument, "The source of the image needs a `server`, or a `project` of this one"};
  // What is shorter may be an alias: lxc sends those as fingerprints, too.
  from.by_fingerprint = static_cast<bool>(Fingerprint::parse(fingerprint));
  if (!fingerprint.empty()) from.at.alias = std::move(fingerprint);
  if (from.at.server.empty()) {
    BERTH_TRY(out.of_project, ProjectName::parse(from_project));
  } else {
    from.project = std::move(from_project);
  }
  OptionReader reader{std::move(options)};
  reader.read("auto-update", out.request.auto_update);
  BERTH_CHECK(read_belongings(reader, out.request));
  return out;
}

}  // namespace

void ManagerAdaptor::FetchImage(sdbus::Result<Path>&& reply, std::string project, Options source, Options options) {
  guard_.run(call_about(project), std::move(reply),
             [this, project, source = std::move(source), options = std::move(options)](const Principal& who) -> Result<Path> {
               BERTH_TRY(auto wanted, read_fetch(project, source, options));
               auto& pull = use_cases_.pull;
               if (!wanted.of_project) return operation_answer(pull.pull(who, std::move(wanted.request)));
               const auto reference = wanted.request.from.at.alias;
               return operation_answer(pull.copy(who, *wanted.of_project, reference, std::move(wanted.request)));
             });
}

void ManagerAdaptor::ImportImage(sdbus::Result<Path>&& reply, std::string project, sdbus::UnixFd file, Options options) {
  guard_.run(call_about(project), std::move(reply),
             [this, project, file = std::move(file), options = std::move(options)](const Principal& who) mutable -> Result<Path> {
               BERTH_TRY(auto request, read_import(project, std::move(file), options));
               return operation_answer(use_cases_.import.import(who, std::move(request)));
             });
}

void ManagerAdaptor::PublishImage(sdbus::Result<Path>&& reply, std::string project, std::string instance, Options options) {
  guard_.run(call_about(project, instance), std::move(reply),
             [this, project, instance, options = std::move(options)](const Principal& who) -> Result<Path> {
               BERTH_TRY(auto request, read_publish(project, instance, options));
               return operation_answer(use_cases_.publish.publish(who, std::move(request)));
             });
}

void ManagerAdaptor::GetImage(sdbus::Result<Path>&& reply, std::string project, std::string reference) {
  guard_.run(call_about(project, reference), std::move(reply), [this, project, reference](const Principal& who) -> Result<Path> {
    BERTH_TRY(const auto project_name, ProjectName::parse(project));
    BERTH_TRY(const auto image, use_cases_.images.resolve(who, project_name, reference));
    return Path(image_path(project_name, image.fingerprint));
  });
}

void ManagerAdaptor::ListImages(sdbus::Result<Rows<Path, std::string, std::string, uint64_t, bool, uint64_t>>&& reply,
                                std::string project, Options options) {
  using Answer = Rows<Path, std::string, std::string, uint64_t, bool, uint64_t>;
  guard_.run(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<Answer> {
               BERTH_CHECK(no_options(options));
               BERTH_TRY(const auto project_name, ProjectName::parse(project));
               BERTH_TRY(const auto images, use_cases_.images.list(who, project_name));
               Answer rows;
               for (const auto& image : images)
                 rows.emplace_back(image_path(project_name, image.fingerprint), image.fingerprint.str(), image.architecture,
                                   image.size, image.is_public, to_microseconds(image.uploaded_at));
               return rows;
             });
}

void ManagerAdaptor::DescribeImages(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) {
  guard_.run(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               std::optional<std::vector<std::string>> references;
               std::string secret;
               OptionReader reader{options};
               reader.read("references", references);
               reader.read("secret", secret);
               if (!secret.empty() && (!references || references->size() != 1))
                 reader.refuse("secret", "is for one image: give one reference");
               BERTH_CHECK(reader.finish());
               BERTH_TRY(const auto project_name, ProjectName::parse(project));
               if (!secret.empty()) {
                 BERTH_TRY(auto row, use_cases_.downloads.describe(
                                         who, {.project = project_name, .reference = references->front(), .secret = secret}));
                 return rows_answer(std::vector<Document>{std::move(row)});
               }
               return rows_answer(use_cases_.images.describe(who, project_name, references));
             });
}

void ManagerAdaptor::ListImageAliases(sdbus::Result<Rows<std::string, std::string, std::string, std::string>>&& reply,
                                      std::string project) {
  using Answer = Rows<std::string, std::string, std::string, std::string>;
  guard_.run(call_about(project), std::move(reply), [this, project](const Principal& who) -> Result<Answer> {
    BERTH_TRY(const auto project_name, ProjectName::parse(project));
    BERTH_TRY(const auto aliases, use_cases_.images.aliases(who, project_name));
    Answer rows;
    for (const auto& alias : aliases) rows.emplace_back(alias.name.str(), alias.target.str(), "container", alias.description);
    return rows;
  });
}

void ManagerAdaptor::CreateImageAlias(sdbus::Result<>&& reply, std::string project, std::string name, std::string target,
                                      Options options) {
  guard_.run(call_about(project, name), std::move(reply),
             [this, project, name, target, options = std::move(options)](const Principal& who) -> Result<void> {
               std::string description;
               OptionReader reader{options};
               reader.read("description", description);
               BERTH_CHECK(reader.finish());
               BERTH_TRY(const auto project_name, ProjectName::parse(project));
               BERTH_TRY(const auto alias, AliasName::parse(name));
               return use_cases_.images.create_alias(who, project_name, alias, target, description);
             });
}

void ManagerAdaptor::UpdateImageAlias(sdbus::Result<>&& reply, std::string project, std::string name, Options changes) {
  guard_.run(call_about(project, name), std::move(reply),
             [this, project, name, changes = std::move(changes)](const Principal& who) -> Result<void> {
               std::optional<std::string> target, description;
               OptionReader reader{changes};
               reader.read("target", target);
               reader.read("description", description);
               BERTH_CHECK(reader.finish());
               BERTH_TRY(const auto project_name, ProjectName::parse(project));
               BERTH_TRY(const auto alias, AliasName::parse(name));
               return use_cases_.images.update_alias(who, project_name, alias, target, description);
             });
}

void ManagerAdaptor::RenameImageAlias(sdbus::Result<>&& reply, std::string project, std::string name, std::string new_name) {
  guard_.run(call_about(project, name), std::move(reply), [this, project, name, new_name](const Principal& who) -> Result<void> {
    BERTH_TRY(const auto project_name, ProjectName::parse(project));
    BERTH_TRY(const auto from, AliasName::parse(name));
    BERTH_TRY(const auto to, AliasName::parse(new_name));
    return use_cases_.images.rename_alias(who, project_name, from, to);
  });
}

void ManagerAdaptor::DeleteImageAlias(sdbus::Result<>&& reply, std::string project, std::string name) {
  guard_.run(call_about(project, name), std::move(reply), [this, project, name](const Principal& who) -> Result<void> {
    BERTH_TRY(const auto project_name, ProjectName::parse(project));
    BERTH_TRY(const auto alias, AliasName::parse(name));
    return use_cases_.images.delete_alias(who, project_name, alias);
  });
}

}  // namespace berth::bus
