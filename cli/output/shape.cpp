#include "cli/output/shape.hpp"

#include <array>

namespace berth::cli {
namespace {

constexpr Field kConfig{"config", Kind::TextMap};
constexpr Field kDescription{"description"};
constexpr Field kDevices{"devices", Kind::TextMaps};
constexpr Field kName{"name"};
constexpr Field kUsedBy{"used_by", Kind::Texts};

constexpr std::array kInstancePutFields{Field{"architecture"},
                                        kConfig,
                                        kDevices,
                                        Field{"ephemeral", Kind::Flag},
                                        Field{"profiles", Kind::Texts},
                                        Field{"restore", Kind::Text, {}, true},
                                        Field{"stateful", Kind::Flag},
                                        kDescription};
constexpr std::array kInstanceDocumentFields{kConfig, kDescription, kDevices, Field{"profiles", Kind::Texts}};
constexpr std::array kCountersFields{
    Field{"bytes_received", Kind::Number},           Field{"bytes_sent", Kind::Number},
    Field{"packets_received", Kind::Number},         Field{"packets_sent", Kind::Number},
    Field{"errors_received", Kind::Number},          Field{"errors_sent", Kind::Number},
    Field{"packets_dropped_outbound", Kind::Number}, Field{"packets_dropped_inbound", Kind::Number}};
constexpr std::array kAddressFields{Field{"family"}, Field{"address"}, Field{"netmask"}, Field{"scope"}};
constexpr std::array kNetworkFields{Field{"addresses", Kind::Objects, kAddressFields},
                                    Field{"counters", Kind::Object, kCountersFields},
                                    Field{"hwaddr"},
                                    Field{"host_name"},
                                    Field{"mtu", Kind::Number},
                                    Field{"state"},
                                    Field{"type"}};
constexpr std::array kDiskFields{Field{"usage", Kind::Number}};
constexpr std::array kMemoryFields{Field{"usage", Kind::Number}, Field{"usage_peak", Kind::Number},
                                   Field{"swap_usage", Kind::Number}, Field{"swap_usage_peak", Kind::Number}};
constexpr std::array kStateFields{Field{"status"},
                                  Field{"status_code", Kind::Number},
                                  Field{"disk", Kind::ObjectMap, kDiskFields},
                                  Field{"memory", Kind::Object, kMemoryFields},
                                  Field{"network", Kind::ObjectMap, kNetworkFields},
                                  Field{"pid", Kind::Number},
                                  Field{"processes", Kind::Number},
                                  Field{"cpu", Kind::Object, kDiskFields}};

constexpr std::array kInstanceOwnFields{Field{"created_at", Kind::Time},
                                        Field{"expanded_config", Kind::TextMap},
                                        Field{"expanded_devices", Kind::TextMaps},
                                        kName,
                                        Field{"status"},
                                        Field{"status_code", Kind::Number},
                                        Field{"last_used_at", Kind::Time},
                                        Field{"location"},
                                        Field{"type"},
                                        Field{"project"}};
template <std::size_t A, std::size_t B>
constexpr std::array<Field, A + B> operator+(const std::array<Field, A>& a, const std::array<Field, B>& b) {
  std::array<Field, A + B> all;
  for (std::size_t i = 0; i < A; ++i) all[i] = a[i];
  for (std::size_t i = 0; i < B; ++i) all[A + i] = b[i];
  return all;
}

constexpr std::array kSnapshotPutFields{Field{"expires_at", Kind::Time}};
constexpr std::array kSnapshotOwnFields{Field{"architecture"},
                                        kConfig,
                                        Field{"created_at", Kind::Time},
                                        kDevices,
                                        Field{"ephemeral", Kind::Flag},
                                        Field{"expanded_config", Kind::TextMap},
                                        Field{"expanded_devices", Kind::TextMaps},
                                        Field{"last_used_at", Kind::Time},
                                        kName,
                                        Field{"profiles", Kind::Texts},
                                        Field{"stateful", Kind::Flag},
                                        Field{"size", Kind::Number}};
constexpr auto kSnapshotFields = kSnapshotPutFields + kSnapshotOwnFields;

constexpr std::array kFullFields{Field{"backups", Kind::Objects}, Field{"state", Kind::Object, kStateFields},
                                 Field{"snapshots", Kind::Objects, kSnapshotFields}};

constexpr auto kInstanceFields = kInstancePutFields + kInstanceOwnFields;
constexpr auto kInstanceFullFields = kInstanceFields + kFullFields;

constexpr std::array kProfilePutFields{kConfig, kDescription, kDevices};
constexpr std::array kProfileOwnFields{kName, kUsedBy};
constexpr auto kProfileFields = kProfilePutFields + kProfileOwnFields;

constexpr std::array kImagePutFields{Field{"auto_update", Kind::Flag}, Field{"properties", Kind::TextMap},
                                     Field{"public", Kind::Flag}, Field{"expires_at", Kind::Time},
                                     Field{"profiles", Kind::Texts}};
constexpr std::array kImageAliasFields{kName, kDescription};
constexpr std::array kImageSourceFields{Field{"alias"}, Field{"certificate"}, Field{"protocol"}, Field{"server"},
                                        Field{"image_type"}};
constexpr std::array kImageOwnFields{Field{"aliases", Kind::Objects, kImageAliasFields},
                                     Field{"architecture"},
                                     Field{"cached", Kind::Flag},
                                     Field{"filename"},
                                     Field{"fingerprint"},
                                     Field{"size", Kind::Number},
                                     Field{"update_source", Kind::Object, kImageSourceFields, true},
                                     Field{"type"},
                                     Field{"created_at", Kind::Time},
                                     Field{"last_used_at", Kind::Time},
                                     Field{"uploaded_at", Kind::Time}};
constexpr auto kImageFields = kImagePutFields + kImageOwnFields;
constexpr std::array kAliasPutFields{kDescription, Field{"target"}};
constexpr std::array kAliasOwnFields{kName, Field{"type"}};
constexpr auto kAliasFields = kAliasPutFields + kAliasOwnFields;

constexpr std::array kOperationFields{Field{"id"},
                                      Field{"class"},
                                      kDescription,
                                      Field{"created_at", Kind::Time},
                                      Field{"updated_at", Kind::Time},
                                      Field{"status"},
                                      Field{"status_code", Kind::Number},
                                      Field{"resources", Kind::Any},
                                      Field{"metadata", Kind::Any},
                                      Field{"may_cancel", Kind::Flag},
                                      Field{"err"},
                                      Field{"location"}};

constexpr std::array kDriverFields{Field{"name"}, Field{"version"}, Field{"remote", Kind::Flag}};
constexpr std::array kEnvironmentFields{Field{"addresses", Kind::Texts},
                                        Field{"architectures", Kind::Texts},
                                        Field{"certificate"},
                                        Field{"certificate_fingerprint"},
                                        Field{"driver"},
                                        Field{"driver_version"},
                                        Field{"firewall"},
                                        Field{"kernel"},
                                        Field{"kernel_architecture"},
                                        Field{"kernel_features", Kind::TextMap},
                                        Field{"kernel_version"},
                                        Field{"lxc_features", Kind::TextMap},
                                        Field{"os_name"},
                                        Field{"os_version"},
                                        Field{"project"},
                                        Field{"server"},
                                        Field{"server_clustered", Kind::Flag},
                                        Field{"server_event_mode"},
                                        Field{"server_name"},
                                        Field{"server_pid", Kind::Number},
                                        Field{"server_version"},
                                        Field{"storage"},
                                        Field{"storage_version"},
                                        Field{"storage_supported_drivers", Kind::Objects, kDriverFields}};
constexpr std::array kServerPutFields{Field{"config", Kind::Any}};
constexpr std::array kServerOwnFields{Field{"api_extensions", Kind::Texts},
                                      Field{"api_status"},
                                      Field{"api_version"},
                                      Field{"auth"},
                                      Field{"public", Kind::Flag},
                                      Field{"auth_methods", Kind::Texts},
                                      Field{"environment", Kind::Object, kEnvironmentFields}};
constexpr auto kServerFields = kServerPutFields + kServerOwnFields;

constexpr std::array kPoolPutFields{kConfig, kDescription};
constexpr std::array kPoolOwnFields{kName, Field{"driver"}, kUsedBy, Field{"status"}, Field{"locations", Kind::Texts}};
constexpr auto kPoolFields = kPoolPutFields + kPoolOwnFields;

constexpr std::array kTemplateFields{Field{"when", Kind::Texts}, Field{"create_only", Kind::Flag}, Field{"template"},
                                     Field{"properties", Kind::TextMap}};
constexpr std::array kMetadataFields{Field{"architecture"}, Field{"creation_date", Kind::Number},
                                     Field{"expiry_date", Kind::Number}, Field{"properties", Kind::TextMap},
                                     Field{"templates", Kind::ObjectMap, kTemplateFields}};

constexpr std::array kProjectPutFields{kConfig, kDescription};
constexpr auto kProjectFields = kProjectPutFields + kProfileOwnFields;

constexpr std::array kCertificatePutFields{kName, Field{"type"}, Field{"restricted", Kind::Flag},
                                           Field{"projects", Kind::Texts}, Field{"certificate"}};
constexpr std::array kCertificateOwnFields{Field{"fingerprint"}};
constexpr auto kCertificateFields = kCertificatePutFields + kCertificateOwnFields;

}  // namespace

const Shape kInstancePut = kInstancePutFields, kProfilePut = kProfilePutFields, kImagePut = kImagePutFields,
            kServerPut = kServerPutFields, kPoolPut = kPoolPutFields, kAliasPut = kAliasPutFields,
            kSnapshotPut = kSnapshotPutFields, kProjectPut = kProjectPutFields, kCertificatePut = kCertificatePutFields;
const Shape kInstance = kInstanceFields, kInstanceFull = kInstanceFullFields, kProfile = kProfileFields,
            kImage = kImageFields, kAlias = kAliasFields, kOperation = kOperationFields, kServer = kServerFields,
            kPool = kPoolFields, kInstanceDocument = kInstanceDocumentFields, kSnapshot = kSnapshotFields,
            kProject = kProjectFields, kCertificate = kCertificateFields, kMetadata = kMetadataFields;

Json member(const Json& object, const Field& field) {
  if (object.is_object()) {
    const auto found = object.find(std::string(field.name));
    if (found != object.end() && !found->is_null()) return *found;
  }
  switch (field.kind) {
    case Kind::Text: return "";
    case Kind::Time: return "0001-01-01T00:00:00Z";
    case Kind::Number: return 0;
    case Kind::Flag: return false;
    case Kind::Texts:
    case Kind::Objects: return Json::array();
    case Kind::TextMap:
    case Kind::TextMaps:
    case Kind::ObjectMap: return Json::object();
    case Kind::Object:
    case Kind::Any: break;
  }
  return nullptr;
}

Json pick(const Json& object, Shape shape) {
  auto picked = Json::object();
  for (const auto& field : shape)
    if (object.contains(std::string(field.name))) picked[std::string(field.name)] = object.at(std::string(field.name));
  return picked;
}

const Json& child_of(const Json& object, std::string_view name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(std::string(name));
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& object, std::string_view name) {
  const auto& value = child_of(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

std::int64_t number_of(const Json& object, std::string_view name) {
  const auto& value = child_of(object, name);
  return value.is_number() ? value.get<std::int64_t>() : 0;
}

bool flag_of(const Json& object, std::string_view name) {
  const auto& value = child_of(object, name);
  return value.is_boolean() && value.get<bool>();
}

}  // namespace berth::cli
