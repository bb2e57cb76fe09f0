#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/object_index.hpp"
#include "daemon/bus/object_call.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/use_cases.hpp"
#include "dbus-interfaces/instance_adaptor.hpp"

namespace berth::bus {

/// org.berth.Berth1.Instance for every instance: the path of a call says which. Loop thread only.
class InstanceAdaptor final : public org::berth::Berth1::Instance_adaptor {
 public:
  InstanceAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index);
  /// Tells of a new status of the instance at `path`.
  void status_changed(const std::string& path) { object_->emit_properties_changed(path, {"Status"}); }

 private:
  using Options = std::map<std::string, sdbus::Variant>;
  using Path = sdbus::ObjectPath;
  using Names = InProject<InstanceName>;

  InstanceAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases, const ObjectIndex& index);
  /// Judges the call about the instance of its path, then gives `handler(who, names)` both on a worker.
  template <typename... Out, typename Handler>
  void run(sdbus::Result<Out...>&& reply, Handler handler);
  const std::string& status_here() const;

  void Start(sdbus::Result<Path>&& reply, Options options) override;
  void Stop(sdbus::Result<Path>&& reply, Options options) override;
  void Restart(sdbus::Result<Path>&& reply, Options options) override;
  void Freeze(sdbus::Result<Path>&& reply, Options options) override;
  void Unfreeze(sdbus::Result<Path>&& reply, Options options) override;
  void Rename(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void Move(sdbus::Result<Path>&& reply, std::string project, std::string name, Options options) override;
  void Delete(sdbus::Result<Path>&& reply, Options options) override;
  void GetConfig(sdbus::Result<Options>&& reply) override;
  void Update(sdbus::Result<Path>&& reply, Options changes, Options options) override;
  void GetState(sdbus::Result<Options>&& reply, Options options) override;
  void Exec(sdbus::Result<Path, sdbus::UnixFd, sdbus::UnixFd, sdbus::UnixFd>&& reply, std::vector<std::string> command,
            Options options) override;
  void ExecTerminal(sdbus::Result<Path, sdbus::UnixFd>&& reply, std::vector<std::string> command, Options options) override;
  void ExecDetached(sdbus::Result<Path>&& reply, std::vector<std::string> command, Options options) override;
  void OpenConsole(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;
  void ListLogs(sdbus::Result<std::vector<std::string>>&& reply) override;
  void OpenLog(sdbus::Result<sdbus::UnixFd>&& reply, std::string name, Options options) override;
  void RemoveLog(sdbus::Result<>&& reply, std::string name, Options options) override;
  void CreateSnapshot(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void ListSnapshots(sdbus::Result<std::vector<sdbus::Struct<std::string, uint64_t, uint64_t>>>&& reply) override;
  void DescribeSnapshots(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;
  void RestoreSnapshot(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void RenameSnapshot(sdbus::Result<Path>&& reply, std::string name, std::string to, Options options) override;
  void UpdateSnapshot(sdbus::Result<Path>&& reply, std::string name, Options changes, Options options) override;
  void DeleteSnapshot(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void Export(sdbus::Result<Path>&& reply, sdbus::UnixFd target, Options options) override;
  void CreateBackup(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void DescribeBackups(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;
  void RenameBackup(sdbus::Result<Path>&& reply, std::string name, std::string to, Options options) override;
  void DeleteBackup(sdbus::Result<Path>&& reply, std::string name, Options options) override;
  void ExportBackup(sdbus::Result<uint64_t>&& reply, std::string name, sdbus::UnixFd target, Options options) override;
  void OpenFile(sdbus::Result<sdbus::UnixFd, Options>&& reply, std::string path, Options options) override;
  void WriteFile(sdbus::Result<Path>&& reply, std::string path, sdbus::UnixFd content, Options options) override;
  void RemoveFile(sdbus::Result<>&& reply, std::string path, Options options) override;
  void OpenSftp(sdbus::Result<sdbus::UnixFd>&& reply, Options options) override;
  void GetMetadata(sdbus::Result<Options>&& reply) override;
  void SetMetadata(sdbus::Result<>&& reply, Options metadata, Options options) override;
  void ListTemplates(sdbus::Result<std::vector<std::string>>&& reply) override;
  void OpenTemplate(sdbus::Result<sdbus::UnixFd>&& reply, std::string name, Options options) override;
  void WriteTemplate(sdbus::Result<>&& reply, std::string name, sdbus::UnixFd text, Options options) override;
  void RemoveTemplate(sdbus::Result<>&& reply, std::string name, Options options) override;

  std::string Name() override;
  std::string Project() override;
  std::string Type() override;
  std::string Status() override;

  std::unique_ptr<ServedObject> object_;
  Guard& guard_;
  const UseCases use_cases_;
  const ObjectIndex& index_;
};

template <typename... Out, typename Handler>
void InstanceAdaptor::run(sdbus::Result<Out...>&& reply, Handler handler) {
  run_on_object(*object_, guard_, [](std::string_view path) { return parse_path<InstanceName>(path, "instance"); }, std::move(reply), std::move(handler));
}

}  // namespace berth::bus
