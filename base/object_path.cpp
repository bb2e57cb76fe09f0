#include "base/object_path.hpp"

namespace berth {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";

bool stands_plain(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (!first && c >= '0' && c <= '9');
}

std::string under_project(const ProjectName& project, std::string_view kind, std::string_view name) {
  return std::string(kRootPath) + "/project/" + encode_path_element(project.str()) + "/" + std::string(kind) + "/" +
         encode_path_element(name);
}

}  // namespace

std::string encode_path_element(std::string_view text) {
  if (text.empty()) return "_";
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (stands_plain(text[i], i == 0)) {
      out += text[i];
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    out += '_';
    out += kHexDigits[byte >> 4];
    out += kHexDigits[byte & 0x0f];
  }
  return out;
}

Result<std::string> decode_path_element(std::string_view element) {
  if (element == "_") return std::string();
  std::string out;
  for (std::size_t i = 0; i < element.size(); ++i) {
    if (element[i] != '_') {
      out += element[i];
      continue;
    }
    const auto high = i + 2 < element.size() ? kHexDigits.find(element[i + 1]) : std::string_view::npos;
    const auto low = i + 2 < element.size() ? kHexDigits.find(element[i + 2]) : std::string_view::npos;
    if (high == std::string_view::npos || low == std::string_view::npos)
      return Error{Code::InvalidArgument, "'" + std::string(element) + "' is not an encoded object path element"};
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (encode_path_element(out) != element)
    return Error{Code::InvalidArgument, "'" + std::string(element) + "' is not an encoded object path element"};
  return out;
}

std::string project_path(const ProjectName& name) {
  return std::string(kRootPath) + "/project/" + encode_path_element(name.str());
}
std::string instance_path(const ProjectName& project, const InstanceName& name) {
  return under_project(project, "instance", name.str());
}
std::string image_path(const ProjectName& project, const Fingerprint& fingerprint) {
  return under_project(project, "image", fingerprint.str());
}
std::string profile_path(const ProjectName& project, const ProfileName& name) {
  return under_project(project, "profile", name.str());
}
std::string storage_pool_path(const PoolName& name) {
  return std::string(kRootPath) + "/storage_pool/" + encode_path_element(name.str());
}
std::string certificate_path(const Fingerprint& fingerprint) {
  return std::string(kRootPath) + "/certificate/" + encode_path_element(fingerprint.str());
}
std::string operation_path(const OperationId& id) {
  return std::string(kRootPath) + "/operation/" + encode_path_element(id.str());
}

}  // namespace berth
