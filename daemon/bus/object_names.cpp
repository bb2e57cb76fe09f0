#include "daemon/bus/object_names.hpp"

#include "base/text.hpp"

namespace berth::bus {
namespace {

Error no_object(std::string_view path) { return Error{Code::NotFound, "There is no object " + std::string(path)}; }

}  // namespace

Result<std::string> last_element(std::string_view path, std::string_view prefix) {
  if (!path.starts_with(prefix) || path.size() <= prefix.size() + 1 || path[prefix.size()] != '/') return no_object(path);
  const auto element = path.substr(prefix.size() + 1);
  auto name = decode_path_element(element);
  if (element.find('/') != std::string_view::npos || !name || !is_text(*name)) return no_object(path);
  return *std::move(name);
}

Result<ProjectPath> split_project_path(std::string_view path, std::string_view kind) {
  const auto slash = path.rfind('/');
  if (slash == std::string_view::npos || slash == 0) return no_object(path);
  const auto folder = path.substr(0, slash);
  const std::string tail = "/" + std::string(kind);
  if (!folder.ends_with(tail)) return no_object(path);
  auto project = last_element(folder.substr(0, folder.size() - tail.size()), kProjectsPath);
  auto name = last_element(path, folder);
  if (!project || !name) return no_object(path);
  return ProjectPath{*std::move(project), *std::move(name)};
}

Result<std::optional<ProjectName>> parse_project_filter(const std::string& text) {
  if (text.empty()) return std::optional<ProjectName>();
  BERTH_TRY(auto project, ProjectName::parse(text));
  return std::optional<ProjectName>(std::move(project));
}

}  // namespace berth::bus
