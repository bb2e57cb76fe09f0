#include "daemon/bus/answers.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/object_names.hpp"

namespace berth::bus {

void ManagerAdaptor::CreateProject(sdbus::Result<Path>&& reply, std::string name, Options options) {
  guard_.run(call_about(name, name), std::move(reply),
             [this, name, options = std::move(options)](const Principal& who) -> Result<Path> {
               BERTH_TRY(const auto project, ProjectName::parse(name));
               ConfigMap config;
               std::string description;
               OptionReader reader{options};
               reader.read("config", config);
               reader.read("description", description);
               BERTH_CHECK(reader.finish());
               BERTH_CHECK(use_cases_.projects.create(who, project, std::move(config), std::move(description)));
               return Path(project_path(project));
             });
}

void ManagerAdaptor::GetProject(sdbus::Result<Path>&& reply, std::string name) {
  guard_.run(call_about(name, name), std::move(reply), [this, name](const Principal& who) -> Result<Path> {
    BERTH_TRY(const auto project, ProjectName::parse(name));
    BERTH_CHECK(use_cases_.projects.describe(who, std::vector{project}));
    return Path(project_path(project));
  });
}

void ManagerAdaptor::ListProjects(sdbus::Result<Rows<Path, std::string, std::string>>&& reply, Options options) {
  using Answer = Rows<Path, std::string, std::string>;
  guard_.run(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<Answer> {
               BERTH_CHECK(no_options(options));
               BERTH_TRY(const auto projects, use_cases_.projects.list(who));
               Answer rows;
               for (const auto& project : projects)
                 rows.emplace_back(project_path(project.name), project.name.str(), project.description);
               return rows;
             });
}

void ManagerAdaptor::DescribeProjects(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  guard_.run(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               std::optional<std::vector<ProjectName>> names;
               OptionReader reader{options};
               reader.read("names", names);
               BERTH_CHECK(reader.finish());
               return rows_answer(use_cases_.projects.describe(who, names));
             });
}

}  // namespace berth::bus
