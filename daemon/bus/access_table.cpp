#include "daemon/bus/access_table.hpp"

#include <algorithm>
#include <array>

namespace berth::bus {
namespace {

using namespace action;

/// Processes of this host, whom polkit judges, and the clients of the trust store, whom it does not know.
constexpr Kinds kLocal = kind_bit(PrincipalKind::Local) | kind_bit(PrincipalKind::Certificate);
/// Strangers, too: the service then tells public things, or asks for a password.
constexpr Kinds kAnybody = kLocal | kind_bit(PrincipalKind::Guest);
constexpr Kinds kBridge = kind_bit(PrincipalKind::Bridge);

constexpr std::string_view kManager = "org.berth.Berth1.Manager";
constexpr std::string_view kInstance = "org.berth.Berth1.Instance";
constexpr std::string_view kImage = "org.berth.Berth1.Image";
constexpr std::string_view kProfile = "org.berth.Berth1.Profile";
constexpr std::string_view kProject = "org.berth.Berth1.Project";
constexpr std::string_view kStoragePool = "org.berth.Berth1.StoragePool";
constexpr std::string_view kCertificate = "org.berth.Berth1.Certificate";
constexpr std::string_view kOperation = "org.berth.Berth1.Operation";

/// A member without a row is denied. Sorted as the interfaces are.
constexpr auto kTable = std::to_array<AccessRow>({
    {kManager, "CreateInstance", kManageInstances, kLocal, true},
    {kManager, "ImportInstance", kManageInstances, kLocal, true},
    {kManager, "GetInstance", kView, kLocal},
    {kManager, "GetInstanceByPID", kView, kLocal},
    {kManager, "ListInstances", kView, kLocal},
    {kManager, "DescribeInstances", kView, kLocal},
    {kManager, "ImportImage", kManageImages, kLocal},
    {kManager, "PublishImage", kManageImages, kLocal},
    {kManager, "GetImage", kView, kLocal},
    {kManager, "ListImages", kView, kLocal},
    {kManager, "DescribeImages", kView, kAnybody},
    {kManager, "ListImageAliases", kView, kAnybody},
    {kManager, "CreateImageAlias", kManageImages, kLocal},
    {kManager, "UpdateImageAlias", kManageImages, kLocal},
    {kManager, "RenameImageAlias", kManageImages, kLocal},
    {kManager, "DeleteImageAlias", kManageImages, kLocal},
    {kManager, "CreateProfile", kManageProfiles, kLocal, true},
    {kManager, "GetProfile", kView, kLocal},
    {kManager, "ListProfiles", kView, kLocal},
    {kManager, "DescribeProfiles", kView, kLocal},
    {kManager, "CreateProject", kManageProjects, kLocal},
    {kManager, "GetProject", kView, kLocal},
    {kManager, "ListProjects", kView, kLocal},
    {kManager, "DescribeProjects", kView, kLocal},
    {kManager, "AddCertificate", kManageTrust, kAnybody},
    {kManager, "CreateCertificateToken", kManageTrust, kLocal},
    {kManager, "GetCertificate", kView, kLocal},
    {kManager, "ListCertificates", kView, kLocal},
    {kManager, "DescribeCertificates", kView, kLocal},
    {kManager, "ListStoragePools", kView, kLocal},
    {kManager, "GetStoragePool", kView, kLocal},
    {kManager, "ListOperations", kView, kLocal},
    {kManager, "DescribeOperations", kView, kLocal},
    {kManager, "GetServerInfo", kView, kLocal},
    {kManager, "DescribeServer", kView, kLocal},
    {kManager, "DescribeResources", kView, kLocal},
    {kManager, "GetServerConfig", kView, kLocal},
    {kManager, "SetServerConfig", kConfigureServer, kLocal},
    {kManager, "Subscribe", kView, kLocal},

    {"org.berth.Berth1.Session", "AssumePeer", kKindDecides, kBridge},
    // Only what AssumePeer has bound has a peer to add to, which is asked there.
    {"org.berth.Berth1.Session", "AddPeer", kKindDecides, kind_bit(PrincipalKind::Local)},
    {"org.berth.Berth1.Session", "AssumeCertificate", kKindDecides, kBridge},
    {"org.berth.Berth1.Session", "GetListeners", kKindDecides, kBridge},

    {kInstance, "Start", kManageInstances, kLocal},
    {kInstance, "Stop", kManageInstances, kLocal},
    {kInstance, "Restart", kManageInstances, kLocal},
    {kInstance, "Freeze", kManageInstances, kLocal},
    {kInstance, "Unfreeze", kManageInstances, kLocal},
    {kInstance, "Rename", kManageInstances, kLocal},
    {kInstance, "Delete", kManageInstances, kLocal},
    {kInstance, "GetConfig", kView, kLocal},
    {kInstance, "Update", kManageInstances, kLocal, true},
    {kInstance, "GetState", kView, kLocal},
    {kInstance, "Exec", kAccessInstances, kLocal},
    {kInstance, "ExecTerminal", kAccessInstances, kLocal},
    {kInstance, "ExecDetached", kAccessInstances, kLocal},
    {kInstance, "OpenConsole", kAccessInstances, kLocal},
    {kInstance, "ListLogs", kView, kLocal},
    {kInstance, "OpenLog", kAccessInstances, kLocal},
    {kInstance, "CreateSnapshot", kManageInstances, kLocal},
    {kInstance, "ListSnapshots", kView, kLocal},
    {kInstance, "DescribeSnapshots", kView, kLocal},
    {kInstance, "RestoreSnapshot", kManageInstances, kLocal, true},
    {kInstance, "RenameSnapshot", kManageInstances, kLocal},
    {kInstance, "UpdateSnapshot", kManageInstances, kLocal},
    {kInstance, "DeleteSnapshot", kManageInstances, kLocal},
    {kInstance, "Export", kAccessInstances, kLocal},
    {kInstance, "CreateBackup", kAccessInstances, kLocal},
    {kInstance, "DescribeBackups", kView, kLocal},
    {kInstance, "RenameBackup", kManageInstances, kLocal},
    {kInstance, "DeleteBackup", kManageInstances, kLocal},
    {kInstance, "ExportBackup", kAccessInstances, kLocal},
    {kInstance, "OpenFile", kAccessInstances, kLocal},
    {kInstance, "WriteFile", kAccessInstances, kLocal},
    {kInstance, "RemoveFile", kAccessInstances, kLocal},
    {kInstance, "OpenSftp", kAccessInstances, kLocal},
    {kInstance, "GetMetadata", kView, kLocal},
    {kInstance, "SetMetadata", kManageInstances, kLocal},
    {kInstance, "ListTemplates", kView, kLocal},
    {kInstance, "OpenTemplate", kView, kLocal},
    {kInstance, "WriteTemplate", kManageInstances, kLocal},
    {kInstance, "RemoveTemplate", kManageInstances, kLocal},

    {kImage, "GetDetails", kView, kLocal},
    {kImage, "Update", kManageImages, kLocal},
    {kImage, "Delete", kManageImages, kLocal},
    {kImage, "Refresh", kManageImages, kLocal},
    {kImage, "CreateSecret", kManageImages, kLocal},
    {kImage, "Export", kView, kAnybody},

    {kProfile, "GetConfig", kView, kLocal},
    {kProfile, "Update", kManageProfiles, kLocal, true},
    {kProfile, "Rename", kManageProfiles, kLocal},
    {kProfile, "Delete", kManageProfiles, kLocal},

    {kProject, "GetConfig", kView, kLocal},
    {kProject, "GetState", kView, kLocal},
    {kProject, "Update", kManageProjects, kLocal},
    {kProject, "Rename", kManageProjects, kLocal},
    {kProject, "Delete", kManageProjects, kLocal},

    {kStoragePool, "GetConfig", kView, kLocal},
    {kStoragePool, "GetResources", kView, kLocal},

    {kCertificate, "GetConfig", kView, kLocal},
    {kCertificate, "Update", kManageTrust, kLocal},
    {kCertificate, "Delete", kManageTrust, kLocal},

    {kOperation, "Begin", kAccessInstances, kLocal},
    {kOperation, "Cancel", kManageInstances, kLocal},
    {kOperation, "GetResult", kView, kLocal},
    {kOperation, "SendSignal", kAccessInstances, kLocal},
});

}  // namespace

std::span<const AccessRow> access_table() { return kTable; }

const AccessRow* find_access_row(std::string_view interface, std::string_view member) {
  const auto* row = std::find_if(kTable.begin(), kTable.end(), [&](const AccessRow& candidate) {
    return candidate.interface == interface && candidate.member == member;
  });
  return row == kTable.end() ? nullptr : row;
}

}  // namespace berth::bus
