#include "daemon/bus/access_table.hpp"

#include <algorithm>
#include <array>

namespace berth::bus {
namespace {

using namespace action;

/// Processes of this host, whom polkit judges, and the clients of the trust store, whom it does not know.
constexpr Kinds kLocal = kind_bit(PrincipalKind::Local) | kind_bit(PrincipalKind::Certificate);
/// A client that is restricted to projects, too: the guard and the visibility of rows keep it to those, and it is nowhere asked
/// about anything else.
constexpr Kinds kProjectsOwn = kLocal | kind_bit(PrincipalKind::Restricted);
/// Strangers, too: the service then tells public things, or asks for a password.
constexpr Kinds kAnybody = kProjectsOwn | kind_bit(PrincipalKind::Guest);
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
    {kManager, "CreateInstance", kManageInstances, kProjectsOwn, Waits::ForAPerson},
    {kManager, "ImportInstance", kManageInstances, kProjectsOwn, Waits::ForAPerson},
    {kManager, "GetInstance", kView, kProjectsOwn},
    {kManager, "GetInstanceByPID", kView, kLocal},
    {kManager, "ListInstances", kView, kProjectsOwn},
    {kManager, "DescribeInstances", kView, kProjectsOwn},
    {kManager, "ChangeInstances", kManageInstances, kProjectsOwn},
    {kManager, "ImportImage", kManageImages, kProjectsOwn},
    {kManager, "FetchImage", kManageImages, kProjectsOwn},
    // The image has what the instance's files say, and who may look at images may take it out.
    {kManager, "PublishImage", kManageImages, kProjectsOwn, Waits::Nothing, kAccessInstances},
    {kManager, "GetImage", kView, kProjectsOwn},
    {kManager, "ListImages", kView, kProjectsOwn},
    {kManager, "DescribeImages", kView, kAnybody},
    {kManager, "ListImageAliases", kView, kAnybody},
    {kManager, "CreateImageAlias", kManageImages, kProjectsOwn},
    {kManager, "UpdateImageAlias", kManageImages, kProjectsOwn},
    {kManager, "RenameImageAlias", kManageImages, kProjectsOwn},
    {kManager, "DeleteImageAlias", kManageImages, kProjectsOwn},
    {kManager, "CreateProfile", kManageProfiles, kProjectsOwn, Waits::ForAPerson},
    {kManager, "GetProfile", kView, kProjectsOwn},
    {kManager, "ListProfiles", kView, kProjectsOwn},
    {kManager, "DescribeProfiles", kView, kProjectsOwn},
    {kManager, "CreateProject", kManageProjects, kLocal},
    {kManager, "GetProject", kView, kProjectsOwn},
    {kManager, "ListProjects", kView, kProjectsOwn},
    {kManager, "DescribeProjects", kView, kProjectsOwn},
    {kManager, "AddCertificate", kManageTrust, kAnybody},
    {kManager, "CreateCertificateToken", kManageTrust, kLocal},
    {kManager, "GetCertificate", kView, kProjectsOwn},
    {kManager, "ListCertificates", kView, kProjectsOwn},
    {kManager, "DescribeCertificates", kView, kProjectsOwn},
    {kManager, "ListStoragePools", kView, kProjectsOwn},
    {kManager, "GetStoragePool", kView, kProjectsOwn},
    {kManager, "ListOperations", kView, kProjectsOwn},
    {kManager, "DescribeOperations", kView, kProjectsOwn},
    {kManager, "GetServerInfo", kView, kProjectsOwn},
    {kManager, "DescribeServer", kView, kProjectsOwn},
    {kManager, "DescribeResources", kView, kProjectsOwn},
    {kManager, "GetServerConfig", kView, kLocal},
    {kManager, "SetServerConfig", kConfigureServer, kLocal},
    {kManager, "Subscribe", kView, kProjectsOwn},

    {"org.berth.Berth1.Session", "AssumePeer", kKindDecides, kBridge},
    // Only what AssumePeer has bound has a peer to add to, which is asked there.
    {"org.berth.Berth1.Session", "AddPeer", kKindDecides, kind_bit(PrincipalKind::Local)},
    {"org.berth.Berth1.Session", "AssumeCertificate", kKindDecides, kBridge},
    {"org.berth.Berth1.Session", "GetListeners", kKindDecides, kBridge},

    {kInstance, "Start", kManageInstances, kProjectsOwn},
    {kInstance, "Stop", kManageInstances, kProjectsOwn},
    {kInstance, "Restart", kManageInstances, kProjectsOwn},
    {kInstance, "Freeze", kManageInstances, kProjectsOwn},
    {kInstance, "Unfreeze", kManageInstances, kProjectsOwn},
    {kInstance, "Rename", kManageInstances, kProjectsOwn},
    {kInstance, "Move", kManageInstances, kProjectsOwn, Waits::ForAPerson},
    {kInstance, "Delete", kManageInstances, kProjectsOwn},
    {kInstance, "GetConfig", kView, kProjectsOwn},
    {kInstance, "Update", kManageInstances, kProjectsOwn, Waits::ForAPerson},
    {kInstance, "GetState", kView, kProjectsOwn},
    {kInstance, "Exec", kAccessInstances, kProjectsOwn},
    {kInstance, "ExecTerminal", kAccessInstances, kProjectsOwn},
    {kInstance, "ExecDetached", kAccessInstances, kProjectsOwn},
    {kInstance, "OpenConsole", kAccessInstances, kProjectsOwn},
    {kInstance, "ListLogs", kView, kProjectsOwn},
    {kInstance, "OpenLog", kAccessInstances, kProjectsOwn},
    {kInstance, "RemoveLog", kAccessInstances, kProjectsOwn},
    {kInstance, "CreateSnapshot", kManageInstances, kProjectsOwn},
    {kInstance, "ListSnapshots", kView, kProjectsOwn},
    {kInstance, "DescribeSnapshots", kView, kProjectsOwn},
    {kInstance, "RestoreSnapshot", kManageInstances, kProjectsOwn, Waits::ForAPerson},
    {kInstance, "RenameSnapshot", kManageInstances, kProjectsOwn},
    {kInstance, "UpdateSnapshot", kManageInstances, kProjectsOwn},
    {kInstance, "DeleteSnapshot", kManageInstances, kProjectsOwn},
    {kInstance, "Export", kAccessInstances, kProjectsOwn},
    {kInstance, "CreateBackup", kAccessInstances, kProjectsOwn},
    {kInstance, "DescribeBackups", kView, kProjectsOwn},
    {kInstance, "RenameBackup", kManageInstances, kProjectsOwn},
    {kInstance, "DeleteBackup", kManageInstances, kProjectsOwn},
    {kInstance, "ExportBackup", kAccessInstances, kProjectsOwn},
    {kInstance, "OpenFile", kAccessInstances, kProjectsOwn, Waits::ForOthers},
    {kInstance, "WriteFile", kAccessInstances, kProjectsOwn},
    {kInstance, "RemoveFile", kAccessInstances, kProjectsOwn, Waits::ForOthers},
    {kInstance, "OpenSftp", kAccessInstances, kProjectsOwn},
    {kInstance, "GetMetadata", kView, kProjectsOwn},
    {kInstance, "SetMetadata", kManageInstances, kProjectsOwn},
    {kInstance, "ListTemplates", kView, kProjectsOwn},
    {kInstance, "OpenTemplate", kView, kProjectsOwn},
    {kInstance, "WriteTemplate", kManageInstances, kProjectsOwn, Waits::ForOthers},
    {kInstance, "RemoveTemplate", kManageInstances, kProjectsOwn},
    {kImage, "GetDetails", kView, kProjectsOwn},
    {kImage, "Update", kManageImages, kProjectsOwn},
    {kImage, "Delete", kManageImages, kProjectsOwn},
    {kImage, "Refresh", kManageImages, kProjectsOwn},
    {kImage, "CreateSecret", kManageImages, kProjectsOwn},
    {kImage, "Export", kView, kAnybody},

    {kProfile, "GetConfig", kView, kProjectsOwn},
    {kProfile, "Update", kManageProfiles, kProjectsOwn, Waits::ForAPerson},
    {kProfile, "Rename", kManageProfiles, kProjectsOwn},
    {kProfile, "Delete", kManageProfiles, kProjectsOwn},

    {kProject, "GetConfig", kView, kProjectsOwn},
    {kProject, "GetState", kView, kProjectsOwn},
    {kProject, "Update", kManageProjects, kLocal},
    {kProject, "Rename", kManageProjects, kLocal},
    {kProject, "Delete", kManageProjects, kLocal},

    {kStoragePool, "GetConfig", kView, kProjectsOwn},
    {kStoragePool, "GetResources", kView, kProjectsOwn},

    {kCertificate, "GetConfig", kView, kProjectsOwn},
    {kCertificate, "Update", kManageTrust, kProjectsOwn},
    {kCertificate, "Delete", kManageTrust, kProjectsOwn},

    {kOperation, "Begin", kAccessInstances, kProjectsOwn},
    {kOperation, "Cancel", kManageInstances, kProjectsOwn},
    {kOperation, "GetResult", kView, kProjectsOwn},
    {kOperation, "SendSignal", kAccessInstances, kProjectsOwn},
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
