#include "daemon/helpers/member_path.hpp"

#include "daemon/helpers/report.hpp"

namespace berth::helpers {

Result<std::string> member_path(std::string_view name) {
  const auto refuse = [&](std::string_view why) {
    return Error{Code::InvalidArgument, "the member " + shown(name) + " " + std::string(why)};
  };
  if (name.starts_with('/')) return refuse("has an absolute name");
  if (name.size() > kMaxPathLength) return refuse("has too long a name");
  std::string path;
  std::size_t depth = 0;
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('/', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse("has `..` in its name");
    if (part.size() > 255) return refuse("has too long a name");
    if (++depth > kMaxPathDepth) return refuse("is nested too deeply");
    if (!path.empty()) path += '/';
    path += part;
  }
  return path;
}

SplitPath split_path(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  if (slash == std::string::npos) return {"", path};
  return {path.substr(0, slash), path.substr(slash + 1)};
}

}  // namespace berth::helpers
