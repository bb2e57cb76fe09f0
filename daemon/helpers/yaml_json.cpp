#include "daemon/helpers/yaml_json.hpp"

#include <yaml-cpp/yaml.h>

#include <string>

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr int kMaxDepth = 32;
constexpr std::size_t kMaxOutput = 3 << 20;

class Converter {
 public:
  explicit Converter(const std::string& name) : name_(name) {}

  Result<json> convert(const YAML::Node& node, int depth) {
    if (depth > kMaxDepth) return Error{Code::InvalidArgument, name_ + ": is nested too deeply"};
    // An alias costs nothing in the file but its whole text here.
    spent_ += 16;
    if (node.IsScalar()) spent_ += node.Scalar().size();
    if (spent_ > kMaxOutput) return Error{Code::LimitsExceeded, name_ + ": its aliases make it too large"};
    if (node.IsScalar()) return scalar(node);
    if (node.IsSequence()) {
      json out = json::array();
      for (const auto& element : node) {
        BERTH_TRY(json one, convert(element, depth + 1));
        out.push_back(std::move(one));
      }
      return out;
    }
    if (!node.IsMap()) return json();
    json out = json::object();
    for (const auto& entry : node) {
      if (!entry.first.IsScalar()) return Error{Code::InvalidArgument, name_ + ": has a key that is no text"};
      spent_ += entry.first.Scalar().size();
      BERTH_TRY(json value, convert(entry.second, depth + 1));
      out[entry.first.Scalar()] = std::move(value);
    }
    return out;
  }

 private:
  static json scalar(const YAML::Node& node) {
    const std::string& text = node.Scalar();
    if (node.Tag() != "?") return text;  // it has quotes
    if (text == "true") return true;
    if (text == "false") return false;
    if (text == "null" || text == "~") return json();
    return text;
  }

  const std::string& name_;
  std::size_t spent_ = 0;
};

}  // namespace

Result<json> yaml_to_json(std::string_view yaml, const std::string& name) {
  if (yaml.find('\0') != std::string_view::npos)
    return Error{Code::InvalidArgument, name + ": has a control character"};
  try {
    return Converter(name).convert(YAML::Load(std::string(yaml)), 0);
  } catch (const YAML::Exception& failure) {
    return Error{Code::InvalidArgument, name + ": " + failure.what()};
  }
}

}  // namespace berth::helpers
