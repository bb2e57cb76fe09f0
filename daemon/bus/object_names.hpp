#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/names.hpp"
#include "base/object_path.hpp"
#include "base/result.hpp"

namespace berth::bus {

inline const std::string kProjectsPath = std::string(kRootPath) + "/project";
inline const std::string kPoolsPath = std::string(kRootPath) + "/storage_pool";
inline const std::string kCertificatesPath = std::string(kRootPath) + "/certificate";
inline const std::string kOperationsPath = std::string(kRootPath) + "/operation";

/// An object that stands in a project, by its names.
template <typename ObjectName>
struct InProject {
  ProjectName project;
  ObjectName name;
};

/// What `/org/berth/Berth1/project/P/KIND/N` names, decoded and not yet validated. NotFound for any other form.
struct ProjectPath {
  std::string project, name;
};
Result<ProjectPath> split_project_path(std::string_view path, std::string_view kind);
/// N of `PREFIX/N`.
Result<std::string> last_element(std::string_view path, std::string_view prefix);

/// The names of an object's path. NotFound when it cannot be the path of such an object.
template <typename ObjectName>
Result<InProject<ObjectName>> parse_path(std::string_view path, std::string_view kind) {
  BERTH_TRY(const auto parts, split_project_path(path, kind));
  auto project = ProjectName::parse(parts.project);
  auto name = ObjectName::parse(parts.name);
  if (!project || !name) return Error{Code::NotFound, "There is no object " + std::string(path)};
  return InProject<ObjectName>{*std::move(project), *std::move(name)};
}

/// N of `PREFIX/N` as a name. NotFound when no object can have that path.
template <typename ObjectName>
Result<ObjectName> parse_last(std::string_view path, std::string_view prefix) {
  BERTH_TRY(const auto text, last_element(path, prefix));
  auto name = ObjectName::parse(text);
  if (!name) return Error{Code::NotFound, "There is no object " + std::string(path)};
  return name;
}

/// "" = every project.
Result<std::optional<ProjectName>> parse_project_filter(const std::string& text);

}  // namespace berth::bus
