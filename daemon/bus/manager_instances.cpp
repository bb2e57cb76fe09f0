#include <limits>

#include "daemon/bus/answers.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/object_names.hpp"
#include "daemon/bus/words.hpp"
#include "daemon/bus/stop_options.hpp"

namespace berth::bus {
namespace {

Result<services::InstanceSource> read_source(VariantMap options) {
  services::InstanceSource source;
  OptionReader reader{std::move(options)};
  reader.read("type", source.type);
  reader.read("alias", source.alias);
  reader.read("fingerprint", source.fingerprint);
  reader.read("properties", source.properties);
  reader.read("instance", source.instance);
  reader.read("project", source.project);
  reader.read("snapshot", source.snapshot);
  reader.read("instance-only", source.instance_only);
  reader.read("refresh", source.refresh);
  ports::ServerImageQuery server;
  reader.read("server", server.at.server);
  reader.read("protocol", server.at.protocol);
  reader.read("certificate", server.at.certificate);
  reader.read("secret", server.secret);
  BERTH_CHECK(reader.finish());
  if (server.at.server.empty()) return source;
  server.at.alias = source.alias.value_or(source.fingerprint.value_or(""));
  server.by_fingerprint = !source.alias && source.fingerprint && Fingerprint::parse(*source.fingerprint);
  if (source.project) server.project = source.project->str();
  source.server = std::move(server);
  return source;
}

Result<services::CreateInstanceRequest> read_create(const std::string& project, const std::string& name, VariantMap options) {
  BERTH_TRY(auto project_name, ProjectName::parse(project));
  services::CreateInstanceRequest request{.project = std::move(project_name)};
  if (!name.empty()) {
    BERTH_TRY(request.name, InstanceName::parse(name));
  }
  VariantMap source;
  OptionReader reader{std::move(options)};
  reader.read("source", source);
  reader.read("architecture", request.architecture);
  reader.read("type", request.type);
  reader.read("profiles", request.profiles);
  reader.read("config", request.config);
  reader.read("devices", request.devices);
  reader.read("ephemeral", request.ephemeral);
  reader.read("description", request.description);
  reader.read("start", request.start);
  BERTH_CHECK(reader.finish());
  auto read = read_source(std::move(source));
  if (!read) return std::move(read).error().within("source");
  request.source = *std::move(read);
  return request;
}

Result<services::InstanceDetail> parse_detail(const std::string& text) {
  if (text == "config") return services::InstanceDetail::Config;
  if (text == "state") return services::InstanceDetail::State;
  if (text == "full") return services::InstanceDetail::Full;
  return Error{Code::InvalidArgument, "Option 'detail': '" + text + "' is none of config, state and full"};
}

}  // namespace

void ManagerAdaptor::CreateInstance(sdbus::Result<Path>&& reply, std::string project, std::string name, Options options) {
  guard_.run(call_about(project, name), std::move(reply),
             [this, project, name, options = std::move(options)](const Principal& who) -> Result<Path> {
               BERTH_TRY(auto request, read_create(project, name, options));
               return operation_answer(use_cases_.create.create(who, std::move(request)));
             });
}

void ManagerAdaptor::ChangeInstances(sdbus::Result<Path>&& reply, std::string project, std::string action, Options options) {
  guard_.run(call_about(project), std::move(reply), [this, project, action, options = std::move(options)](const Principal& who) -> Result<Path> {
    BERTH_TRY(const auto project_name, ProjectName::parse(project));
    BERTH_TRY(const auto request, read_stop(options));
    return operation_answer(use_cases_.bulk.change(who, project_name, action, request));
  });
}

void ManagerAdaptor::GetInstance(sdbus::Result<Path>&& reply, std::string project, std::string name) {
  guard_.run(call_about(project, name), std::move(reply), [this, project, name](const Principal& who) -> Result<Path> {
    BERTH_TRY(const auto project_name, ProjectName::parse(project));
    BERTH_TRY(const auto instance, InstanceName::parse(name));
    BERTH_CHECK(use_cases_.query.row(who, project_name, instance));
    return Path(instance_path(project_name, instance));
  });
}

void ManagerAdaptor::GetInstanceByPID(sdbus::Result<Path>&& reply, uint32_t pid) {
  guard_.run(call_about({}), std::move(reply), [this, pid](const Principal& who) -> Result<Path> {
    if (pid == 0 || pid > static_cast<std::uint32_t>(std::numeric_limits<std::int32_t>::max()))
      return Error{Code::InvalidArgument, "there is no process " + std::to_string(pid)};
    BERTH_TRY(const auto row, use_cases_.query.by_pid(who, static_cast<std::int32_t>(pid)));
    return Path(instance_path(row.project, row.name));
  });
}

void ManagerAdaptor::ListInstances(
    sdbus::Result<Rows<Path, std::string, std::string, std::string, std::string, std::string, bool, uint64_t, uint32_t>>&& reply,
    std::string project, Options options) {
  using Answer = Rows<Path, std::string, std::string, std::string, std::string, std::string, bool, uint64_t, uint32_t>;
  guard_.run(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<Answer> {
               BERTH_CHECK(no_options(options));
               BERTH_TRY(const auto filter, parse_project_filter(project));
               BERTH_TRY(const auto instances, use_cases_.query.list(who, filter));
               Answer rows;
               rows.reserve(instances.size());
               for (const auto& row : instances)
                 rows.emplace_back(instance_path(row.project, row.name), row.project.str(), row.name.str(), row.type,
                                   lower_case(status_word(row.status)), row.architecture, row.ephemeral,
                                   to_microseconds(row.created_at), static_cast<uint32_t>(row.init_pid));
               return rows;
             });
}

void ManagerAdaptor::DescribeInstances(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) {
  guard_.run(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               std::optional<std::vector<InstanceName>> names;
               std::string detail = "config";
               OptionReader reader{options};
               reader.read("names", names);
               reader.read("detail", detail);
               BERTH_CHECK(reader.finish());
               BERTH_TRY(const auto what, parse_detail(detail));
               BERTH_TRY(const auto filter, parse_project_filter(project));
               return rows_answer(use_cases_.query.describe(who, filter, names, what));
             });
}

}  // namespace berth::bus
