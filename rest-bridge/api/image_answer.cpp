#include "rest-bridge/api/image_answer.hpp"

#include <utility>

#include "rest-bridge/api/sessions.hpp"

namespace berth::rest {

Response image_answer(const std::string& name, FileBody file) {
  Response response;
  response.headers.add("Content-Type", "application/octet-stream");
  response.headers.add("Content-Disposition", "inline;filename=" + name);
  response.body = std::move(file);
  return response;
}

Result<Response> split_image_answer(const std::string& metadata_name, FileBody metadata, const std::string& rootfs_name, FileBody rootfs) {
  BERTH_TRY(const auto secret, new_secret());
  const std::string boundary = secret.substr(0, 60);
  const auto head = [&](const char* part, const std::string& file) {
    return "--" + boundary + "\r\nContent-Disposition: form-data; name=\"" + part + "\"; filename=\"" + file +
           "\"\r\nContent-Type: application/octet-stream\r\n\r\n";
  };
  PartsBody body;
  body.parts.push_back({head("metadata", metadata_name), std::move(metadata)});
  body.parts.push_back({"\r\n" + head("rootfs", rootfs_name), std::move(rootfs)});
  body.after = "\r\n--" + boundary + "--\r\n";
  Response response;
  response.headers.add("Content-Type", "multipart/form-data; boundary=" + boundary);
  response.body = std::move(body);
  return response;
}

}  // namespace berth::rest
