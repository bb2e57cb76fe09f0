#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "daemon/domain/types.hpp"

namespace berth {

/// Where an image came from, and by what name it is found there again.
struct ImageOrigin {
  std::string server;       ///< https://host:port, without a slash at its end
  std::string protocol;     ///< lxd, simplestreams
  std::string certificate;  ///< PEM that the server must show; empty: one that an authority of this host vouches for
  std::string alias;
};

/// An image as the database has it. Its files are the image store's (`ports/image_store.hpp`), by fingerprint.
struct Image {
  Uuid uuid;
  ProjectName project;
  Fingerprint fingerprint;
  std::string type = "container";
  std::string location = "none";
  std::uint32_t owner_uid = 0;
  std::string architecture;
  std::uint64_t revision = 1;
  Timestamp created_at{};    ///< creation_date of metadata.yaml
  Timestamp expires_at{};    ///< expiry_date of metadata.yaml; kNever = none
  Timestamp uploaded_at{};   ///< when it came here
  Timestamp last_used_at{};  ///< last instance made from it
  std::string filename;
  std::uint64_t size = 0;  ///< bytes of the file or files as imported
  bool split = false;      ///< metadata and root file system came as two files
  bool is_public = false;
  bool cached = false;
  bool auto_update = false;
  ConfigMap properties;
  std::vector<ProfileName> profiles;  ///< for instances made from it; empty = the request's or `default`
  std::optional<ImageOrigin> origin = {};  ///< none: an upload, a published instance, or one that was fetched by fingerprint
};

/// Another name for an image.
struct ImageAlias {
  ProjectName project;
  AliasName name;
  Fingerprint target;
  std::string description;
};

}  // namespace berth
