#include "daemon/adapters/image/helper_image_servers.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/helper_process.hpp"
#include "base/architecture.hpp"

namespace berth::adapters {
namespace {

using nlohmann::json;

constexpr std::int64_t kLatest = 253402300799;  // the last second of the year 9999
constexpr std::size_t kLongestText = 4096;
constexpr int kPipeSize = 1 << 20;

Error not_understood(const char* field) {
  return Error{Code::InvalidArgument, std::string("what the server says of the image is not understood: `") + field + '`'};
}

Result<std::string> text_of(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_string()) return not_understood(field);
  const auto& text = found->get_ref<const std::string&>();
  if (text.size() > kLongestText || has_control_characters(text)) return not_understood(field);
  return text;
}

Result<Timestamp> time_of(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_integer()) return not_understood(field);
  const auto seconds = found->get<std::int64_t>();
  if (seconds < 0 || seconds > kLatest) return not_understood(field);
  return Timestamp(std::chrono::seconds(seconds));
}

Result<std::uint64_t> size_of(const json& object, const char* field) {
  const auto found = object.find(field);
  if (found == object.end() || !found->is_number_unsigned()) return not_understood(field);
  return found->get<std::uint64_t>();
}

Result<ConfigMap> properties_of(const json& object) {
  const auto found = object.find("properties");
  if (found == object.end() || !found->is_object()) return not_understood("properties");
  ConfigMap out;
  for (const auto& [name, value] : found->items()) {
    if (name.empty() || has_control_characters(name)) return not_understood("properties");
    BERTH_TRY(out[name], text_of(*found, name.c_str()));
  }
  return out;
}

/// The request as a file at its start.
Result<UniqueFd> input_of(const json& request) {
  const std::string text = request.dump(-1, ' ', true, json::error_handler_t::replace);
  UniqueFd fd(memfd_create("berth-fetch", MFD_CLOEXEC));
  if (!fd) return system_error("cannot make a file in memory", errno);
  if (write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || lseek(fd.get(), 0, SEEK_SET) != 0)
    return system_error("cannot write a file in memory", errno);
  return fd;
}

Result<json> request_of(const ports::ServerImageQuery& query) {
  BERTH_TRY(const auto host, host_architecture());
  return json{{"server", query.at.server},
              {"protocol", query.at.protocol},
              {"certificate", query.at.certificate},
              {"secret", query.secret},
              {"project", query.project},
              {"reference", query.at.alias},
              {"architectures", runnable_architectures(host)}};
}

struct Pipe {
  UniqueFd reading, writing;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_error("cannot make a pipe", errno);
  (void)fcntl(ends[1], F_SETPIPE_SZ, kPipeSize);
  return Pipe{UniqueFd(ends[0]), UniqueFd(ends[1])};
}

}  // namespace

Result<ports::ServerImage> parse_server_image(std::string_view text) {
  const json object = json::parse(text, nullptr, false);
  if (!object.is_object()) return not_understood("image");
  BERTH_TRY(const std::string print, text_of(object, "fingerprint"));
  auto fingerprint = Fingerprint::parse(print);
  if (!fingerprint) return not_understood("fingerprint");
  ports::ServerImage out{.fingerprint = *std::move(fingerprint)};
  BERTH_TRY(out.architecture, text_of(object, "architecture"));
  BERTH_TRY(out.filename, text_of(object, "filename"));
  if (out.filename.find('/') != std::string::npos) return not_understood("filename");
  BERTH_TRY(out.size, size_of(object, "size"));
  BERTH_TRY(out.created_at, time_of(object, "created_at"));
  BERTH_TRY(out.expires_at, time_of(object, "expires_at"));
  BERTH_TRY(out.properties, properties_of(object));
  out.by_alias = object.contains("by_alias") && object["by_alias"].is_boolean() && object["by_alias"].get<bool>();
  if (!object.contains("files") || !object["files"].is_array() || object["files"].empty() || object["files"].size() > 2)
    return not_understood("files");
  for (const auto& file : object["files"]) {
    if (!file.is_object()) return not_understood("files");
    ports::ServerImage::File one;
    BERTH_TRY(one.url, text_of(file, "url"));
    BERTH_TRY(one.size, size_of(file, "size"));
    out.files.push_back(std::move(one));
  }
  return out;
}

Result<ports::ServerImage> HelperImageServers::find(const ports::ServerImageQuery& query,
                                                    const std::function<bool()>& cancelled) {
  BERTH_TRY(const json request, request_of(query));
  BERTH_TRY(const UniqueFd input, input_of(request));
  BERTH_TRY(const std::string answer, run_helper(helper_, {"fetch", "find"}, input.get(), {}, cancelled));
  return parse_server_image(answer);
}

Result<ports::ServerDownload> HelperImageServers::get(const ports::ServerImageQuery& query, const ports::ServerImage& image,
                                                      const std::function<bool()>& cancelled) {
  BERTH_TRY(json request, request_of(query));
  request["files"] = json::array();
  for (const auto& file : image.files) request["files"].push_back(file.url);
  BERTH_TRY(const UniqueFd input, input_of(request));
  BERTH_TRY(Pipe file, make_pipe());
  BERTH_TRY(Pipe rootfs, make_pipe());
  BERTH_TRY(HelperProcess started, HelperProcess::start(helper_, {"fetch", "get"}, input.get(),
                                                        {file.writing.get(), rootfs.writing.get()}));
  file.writing.reset();
  rootfs.writing.reset();
  const auto process = std::make_shared<HelperProcess>(std::move(started));
  BERTH_TRY(const std::string answer, process->await_result(cancelled));
  const json form = json::parse(answer, nullptr, false);
  if (!form.is_object() || !form.contains("split") || !form["split"].is_boolean())
    return Error{Code::Internal, "the helper's answer is not understood"};
  ports::ServerDownload out{.file = std::move(file.reading), .rootfs = {}, .end = {}};
  if (form["split"].get<bool>()) out.rootfs = std::move(rootfs.reading);
  out.end = [process](const std::function<bool()>& stop) -> Result<void> {
    BERTH_CHECK(process->finish({}, stop));
    return {};
  };
  return out;
}

}  // namespace berth::adapters
