#pragma once

#include <map>
#include <string>
#include <vector>

#include "daemon/bus/event_streams.hpp"
#include "daemon/bus/guard.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "dbus-interfaces/manager_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Manager at the root. Its members stand by noun: manager_instances.cpp, manager_images.cpp,
/// manager_profiles.cpp, manager_projects.cpp, manager_certificates.cpp, manager_server.cpp. Loop thread only.
class ManagerAdaptor final : public org::berth::Berth1::Manager_adaptor {
 public:
  ManagerAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, EventStreams& streams);

  /// `starting`, `running` or `stopping`.
  void set_state(const std::string& state);

 private:
  using Options = std::map<std::string, sdbus::Variant>;
  using Path = sdbus::ObjectPath;
  template <typename... Row>
  using Rows = std::vector<sdbus::Struct<Row...>>;

  ManagerAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases,
                 EventStreams& streams);
  Call call_about(std::string project, std::string name = {}) const {
    return object_->current_call().about(std::move(project), std::move(name));
  }

  void CreateInstance(sdbus::Result<Path>&& reply, std::string project, std::string name, Options options) override;
  void GetInstance(sdbus::Result<Path>&& reply, std::string project, std::string name) override;
  void GetInstanceByPID(sdbus::Result<Path>&& reply, uint32_t pid) override;
  void ListInstances(sdbus::Result<Rows<Path, std::string, std::string, std::string, std::string, std::string, bool, uint64_t, uint32_t>>&& reply,
                     std::string project, Options options) override;
  void DescribeInstances(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) override;
  void ChangeInstances(sdbus::Result<Path>&& reply, std::string project, std::string action, Options options) override;

  void ImportInstance(sdbus::Result<Path>&& reply, std::string project, sdbus::UnixFd backup, Options options) override;
  void ImportImage(sdbus::Result<Path>&& reply, std::string project, sdbus::UnixFd file, Options options) override;
  void FetchImage(sdbus::Result<Path>&& reply, std::string project, Options source, Options options) override;
  void PublishImage(sdbus::Result<Path>&& reply, std::string project, std::string instance, Options options) override;
  void GetImage(sdbus::Result<Path>&& reply, std::string project, std::string reference) override;
  void ListImages(sdbus::Result<Rows<Path, std::string, std::string, uint64_t, bool, uint64_t>>&& reply, std::string project,
                  Options options) override;
  void DescribeImages(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) override;
  void ListImageAliases(sdbus::Result<Rows<std::string, std::string, std::string, std::string>>&& reply,
                        std::string project) override;
  void CreateImageAlias(sdbus::Result<>&& reply, std::string project, std::string name, std::string target,
                        Options options) override;
  void UpdateImageAlias(sdbus::Result<>&& reply, std::string project, std::string name, Options changes) override;
  void RenameImageAlias(sdbus::Result<>&& reply, std::string project, std::string name, std::string new_name) override;
  void DeleteImageAlias(sdbus::Result<>&& reply, std::string project, std::string name) override;

  void CreateProfile(sdbus::Result<Path>&& reply, std::string project, std::string name, Options options) override;
  void GetProfile(sdbus::Result<Path>&& reply, std::string project, std::string name) override;
  void ListProfiles(sdbus::Result<Rows<Path, std::string, std::string>>&& reply, std::string project, Options options) override;
  void DescribeProfiles(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) override;

  void CreateProject(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void GetProject(sdbus::Result<Path>&& reply, std::string name) override;
  void ListProjects(sdbus::Result<Rows<Path, std::string, std::string>>&& reply, Options options) override;
  void DescribeProjects(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;

  void AddCertificate(sdbus::Result<Path>&& reply, std::string name, std::vector<std::uint8_t> certificate,
                      Options options) override;
  void CreateCertificateToken(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void GetCertificate(sdbus::Result<Path>&& reply, std::string reference) override;
  void ListCertificates(sdbus::Result<Rows<Path, std::string, std::string, std::string>>&& reply, Options options) override;
  void DescribeCertificates(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;

  void ListStoragePools(sdbus::Result<Rows<Path, std::string, std::string, std::string>>&& reply, Options options) override;
  void GetStoragePool(sdbus::Result<Path>&& reply, std::string name) override;
  void ListOperations(sdbus::Result<Rows<Path, std::string, std::string, std::string, std::string>>&& reply, std::string project,
                      Options options) override;
  void DescribeOperations(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) override;
  void GetServerInfo(sdbus::Result<Options>&& reply) override;
  void DescribeServer(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;
  void DescribeResources(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;
  void GetServerConfig(sdbus::Result<std::map<std::string, std::string>>&& reply) override;
  void SetServerConfig(sdbus::Result<>&& reply, std::map<std::string, std::string> config, Options options) override;
  void Subscribe(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;

  std::string Version() override { return BERTH_VERSION; }
  std::string State() override { return state_; }

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  const UseCases use_cases_;
  EventStreams& streams_;
  std::string state_ = "starting";
};

}  // namespace berth::bus
