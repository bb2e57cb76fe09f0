#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "base/helper_process.hpp"
#include "daemon/helpers/confine.hpp"
#include "daemon/helpers/read_all.hpp"
#include "daemon/helpers/guest_path.hpp"
#include "daemon/helpers/report.hpp"
#include "daemon/helpers/root_share.hpp"
#include "daemon/helpers/template_render.hpp"
#include "daemon/helpers/verbs.hpp"

namespace berth::helpers {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxInput = 32 << 20;
constexpr std::size_t kMaxTemplate = 1 << 20;
constexpr int kMaxTemplates = 64;
constexpr mode_t kFileMode = 0644;

/// Everything that was handed over, before anything of it is looked at.
struct Input {
  std::string request;
  std::vector<std::string> templates;
};

TemplateValue value_of(const json& from) {
  if (from.is_string()) return from.get<std::string>();
  if (from.is_boolean()) return from.get<bool>();
  if (!from.is_object()) return {};
  TemplateValue::Map out;
  for (const auto& [key, value] : from.items()) out[key] = value_of(value);
  return out;
}

/// Writes one target in the guest. A file that is there keeps its owner and mode.
Result<void> write_target(int root, const std::string& path, std::string_view text) {
  auto file = open_in_guest(root, path, O_WRONLY);
  const bool is_new = !file && file.error().code == Code::NotFound;
  if (is_new) {
    BERTH_TRY(const UniqueFd parent, make_guest_parents(root, path));
    file = open_in_guest(root, path, O_WRONLY | O_CREAT, kFileMode);
  }
  if (!file) return std::move(file).error();
  struct stat info {};
  if (fstat(file->get(), &info) != 0) return guest_error("look at", path, errno);
  if (!S_ISREG(info.st_mode)) return Error{Code::FailedPrecondition, shown(path) + " is not a plain file"};
  if (ftruncate(file->get(), 0) != 0) return guest_error("empty", path, errno);
  while (!text.empty()) {
    const ssize_t n = write(file->get(), text.data(), text.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return guest_error("write", path, errno);
    text.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void> render_one(int root, const json& request, const json& file, const std::string& text) {
  const std::string path = file.at("path").get<std::string>();
  if (file.at("create_only").get<bool>() && open_in_guest(root, path, O_PATH | O_NOFOLLOW)) return {};
  TemplateValue::Map variables{{"trigger", value_of(file.at("trigger"))},
                               {"path", path},
                               {"properties", value_of(file.at("properties"))}};
  for (const char* const name : {"config", "devices"}) variables[name] = value_of(request.at(name));
  for (const char* const name : {"container", "instance"}) variables[name] = value_of(request.at("instance"));
  BERTH_TRY(const std::string made, render_template(text, variables));
  return write_target(root, path, made);
}

Result<void> render_all(const Input& input) {
  const json request = json::parse(input.request, nullptr, false);
  if (request.is_discarded()) return Error{Code::Internal, "the request is not understood"};
  const UniqueFd root(open("/root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return system_error("cannot open the container's root", errno);
  const json& files = request.at("files");
  for (std::size_t i = 0; i < input.templates.size(); ++i) {
    const auto rendered = render_one(root.get(), request, files.at(i), input.templates[i]);
    if (!rendered)
      return Error{rendered.error().code, "Failed to render the template " +
                                              shown(files.at(i).at("template").get<std::string>()) + ": " +
                                              rendered.error().message};
  }
  return {};
}

int render_confined(const Input& input) {
  Result<void> rendered;
  try {
    rendered = render_all(input);
  } catch (const json::exception&) {
    rendered = Error{Code::Internal, "the request is not complete"};
  }
  if (rendered)
    report_result("{}");
  else
    report_error(rendered.error());
  return rendered ? 0 : 1;
}

}  // namespace

Result<int> render(Arguments arguments) {
  const std::string_view layout = arguments.empty() ? "" : arguments[0];
  const bool overlay = layout == "overlay";
  if (arguments.size() != 2 || (!overlay && layout != "plain"))
    return Error{Code::Internal, "render: `plain` or `overlay`, and how many templates"};
  const int count = atoi(arguments[1]);
  if (count < 1 || count > kMaxTemplates)
    return Error{Code::LimitsExceeded, "more than " + std::to_string(kMaxTemplates) + " templates at once are refused"};

  Input input;
  BERTH_TRY(input.request, read_all(kHelperInput, kMaxInput, "the request"));
  const int first = kHelperFirst + (overlay ? 2 : 1);
  for (int fd = first; fd < first + count; ++fd) {
    BERTH_TRY(std::string text, read_all(fd, kMaxTemplate, "a template"));
    input.templates.push_back(std::move(text));
  }

  Confinement confinement;
  confinement.memory = 1UL << 30;
  confinement.cpu_seconds = 10;
  (void)share_root(layout, confinement);
  BERTH_TRY(const int status, run_confined(confinement, [&input] { return render_confined(input); }));
  if (WIFSIGNALED(status)) {
    if (WTERMSIG(status) == SIGXCPU || WTERMSIG(status) == SIGKILL)
      return Error{Code::LimitsExceeded, "a template took too long to render"};
    return Error{Code::Internal, "the rendering was ended by signal " + std::to_string(WTERMSIG(status))};
  }
  return WEXITSTATUS(status);
}

}  // namespace berth::helpers
