#include "daemon/bus/answers.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/object_names.hpp"

namespace berth::bus {

void ManagerAdaptor::CreateProfile(sdbus::Result<Path>&& reply, std::string project, std::string name, Options options) {
  guard_.run(call_about(project, name), std::move(reply),
             [this, project, name, options = std::move(options)](const Principal& who) -> Result<Path> {
               BERTH_TRY(const auto project_name, ProjectName::parse(project));
               BERTH_TRY(const auto profile_name, ProfileName::parse(name));
               Profile profile{.uuid = new_uuid(), .project = project_name, .name = profile_name, .owner_uid = who.uid};
               OptionReader reader{options};
               reader.read("config", profile.config);
               reader.read("devices", profile.devices);
               reader.read("description", profile.description);
               BERTH_CHECK(reader.finish());
               BERTH_CHECK(use_cases_.profiles.create(who, std::move(profile)));
               return Path(profile_path(project_name, profile_name));
             });
}

void ManagerAdaptor::GetProfile(sdbus::Result<Path>&& reply, std::string project, std::string name) {
  guard_.run(call_about(project, name), std::move(reply), [this, project, name](const Principal& who) -> Result<Path> {
    BERTH_TRY(const auto project_name, ProjectName::parse(project));
    BERTH_TRY(const auto profile, ProfileName::parse(name));
    BERTH_CHECK(use_cases_.profiles.describe(who, project_name, std::vector{profile}));
    return Path(profile_path(project_name, profile));
  });
}

void ManagerAdaptor::ListProfiles(sdbus::Result<Rows<Path, std::string, std::string>>&& reply, std::string project,
                                  Options options) {
  using Answer = Rows<Path, std::string, std::string>;
  guard_.run(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<Answer> {
               BERTH_CHECK(no_options(options));
               BERTH_TRY(const auto project_name, ProjectName::parse(project));
               BERTH_TRY(const auto profiles, use_cases_.profiles.list(who, project_name));
               Answer rows;
               for (const auto& profile : profiles)
                 rows.emplace_back(profile_path(project_name, profile.name), profile.name.str(), profile.description);
               return rows;
             });
}

void ManagerAdaptor::DescribeProfiles(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) {
  guard_.run(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               std::optional<std::vector<ProfileName>> names;
               OptionReader reader{options};
               reader.read("names", names);
               BERTH_CHECK(reader.finish());
               BERTH_TRY(const auto project_name, ProjectName::parse(project));
               return rows_answer(use_cases_.profiles.describe(who, project_name, names));
             });
}

}  // namespace berth::bus
