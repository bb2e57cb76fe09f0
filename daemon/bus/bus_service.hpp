#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "daemon/bus/bus_connection.hpp"
#include "daemon/bus/certificate_adaptor.hpp"
#include "daemon/bus/event_streams.hpp"
#include "daemon/bus/guard.hpp"
#include "daemon/bus/image_adaptor.hpp"
#include "daemon/bus/instance_adaptor.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/object_index.hpp"
#include "daemon/bus/operation_adaptor.hpp"
#include "daemon/bus/principals.hpp"
#include "daemon/bus/profile_adaptor.hpp"
#include "daemon/bus/project_adaptor.hpp"
#include "daemon/bus/served_object.hpp"
#include "daemon/bus/session_adaptor.hpp"
#include "daemon/bus/storage_pool_adaptor.hpp"
#include "daemon/bus/use_cases.hpp"
#include "daemon/ports/authority.hpp"
#include "daemon/services/worker_pool.hpp"

namespace berth::bus {

/// What of the bus depends on how this daemon was started.
struct BusSettings {
  std::optional<std::uint32_t> bridge_uid;  ///< none: no REST bridge
  std::string rest_socket;                  ///< the bridge's listener
};

/// Everything berthd serves on the bus: the objects, the guard before them, the index and the event streams behind them.
/// Loop thread only.
class BusService {
 public:
  BusService(BusConnection& connection, ports::Authority& authority, services::WorkerPool& workers, UseCases use_cases,
             EventStreams& streams, BusSettings settings);
  BusService(const BusService&) = delete;
  BusService& operator=(const BusService&) = delete;

  /// Reads what there is and takes the bus name; `then` comes on the loop with the outcome.
  void serve(std::function<void(Result<void>)> then);
  /// Gives the name back and refuses new calls; those under way are answered.
  void stop();
  /// For services::Operations::listen. Any thread.
  void operation_changed(const OperationView& view);
  /// For services::Trust::on_changed. Any thread.
  void trust_changed();
  /// For services::Https::on_changed. Any thread.
  void listeners_changed();
  Guard& guard() noexcept { return guard_; }

 private:
  BusConnection& connection_;
  EventStreams& streams_;
  Principals principals_;
  Guard guard_;
  ObjectIndex index_;
  ObjectManager objects_;
  ManagerAdaptor manager_;
  SessionAdaptor session_;
  InstanceAdaptor instances_;
  ImageAdaptor images_;
  ProfileAdaptor profiles_;
  ProjectAdaptor projects_;
  StoragePoolAdaptor pools_;
  CertificateAdaptor certificates_;
  OperationAdaptor operations_;
  NodeList project_nodes_;
  NodeList pool_nodes_;
  NodeList certificate_nodes_;
  NodeList operation_nodes_;
  bool named_ = false;
};

}  // namespace berth::bus
