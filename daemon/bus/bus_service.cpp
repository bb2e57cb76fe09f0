#include "daemon/bus/bus_service.hpp"

#include <utility>

#include "daemon/bus/object_names.hpp"
#include "daemon/domain/operation_document.hpp"

namespace berth::bus {

BusService::BusService(BusConnection& connection, ports::Authority& authority, services::WorkerPool& workers,
                       UseCases use_cases, EventStreams& streams, BusSettings settings)
    : connection_(connection),
      streams_(streams),
      principals_(connection, settings.bridge_uid),
      guard_(connection.loop(), principals_, authority, workers),
      index_(connection.loop(), workers, use_cases),
      objects_(connection),
      manager_(connection, guard_, use_cases, streams),
      session_(connection, guard_, principals_, use_cases, std::move(settings.rest_socket)),
      instances_(connection, guard_, use_cases, index_),
      images_(connection, guard_, use_cases, index_),
      profiles_(connection, guard_, use_cases, index_),
      projects_(connection, guard_, use_cases, index_),
      pools_(connection, guard_, use_cases, index_),
      certificates_(connection, guard_, use_cases),
      operations_(connection, guard_, use_cases, objects_),
      project_nodes_(connection, kProjectsPath, [this] { return index_.paths_in_projects(); }),
      pool_nodes_(connection, kPoolsPath, [this] { return index_.pool_paths(); }),
      certificate_nodes_(connection, kCertificatesPath,
                         [&trust = use_cases.trust] {
                           std::vector<std::string> paths;
                           for (const auto& fingerprint : trust.fingerprints()) paths.push_back(certificate_path(fingerprint));
                           return paths;
                         }),
      operation_nodes_(connection, kOperationsPath, [this] { return operations_.paths(); }) {
  principals_.on_trust({.examine = [&trust = use_cases.trust](std::string der) { return trust.examine(std::move(der)); },
                        .rights = [&trust = use_cases.trust](const ShownCertificate& shown) { return trust.rights(shown); }});
  principals_.on_gone([this](const std::string& name) { streams_.close_for(name); });
  streams_.on_event([this](const services::Event& event) { index_.note(event); });
  index_.on_status_changed([this](const std::string& path) { instances_.status_changed(path); });
}

void BusService::serve(std::function<void(Result<void>)> then) {
  index_.load([this, then = std::move(then)] {
    manager_.set_state("running");
    auto named = connection_.request_name(std::string(kBusName));
    named_ = named.has_value();
    then(std::move(named));
  });
}

void BusService::stop() {
  manager_.set_state("stopping");
  guard_.close();
  index_.close();
  if (std::exchange(named_, false)) connection_.release_name(std::string(kBusName));
}

void BusService::trust_changed() {
  (void)connection_.loop().post([this] { principals_.trust_changed(); });
}

void BusService::listeners_changed() {
  (void)connection_.loop().post([this] { session_.listeners_changed(); });
}

void BusService::operation_changed(const OperationView& changed) {
  auto view = changed;
  // Events go to everybody who may see that there is an operation; its owner reads the secret of a token from its object.
  if (view.kind == "token") view.metadata.erase("secret");
  (void)connection_.loop().post([this, view] { operations_.note(view); });
  streams_.publish(services::Event{.type = "operation",
                                   .at = view.updated_at,
                                   .project = view.project,
                                   .owner_uid = view.owner_uid,
                                   .metadata = operation_document(view)});
}

}  // namespace berth::bus
