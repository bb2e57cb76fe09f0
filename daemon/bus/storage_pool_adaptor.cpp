#include "daemon/bus/storage_pool_adaptor.hpp"

#include "daemon/bus/answers.hpp"

namespace berth::bus {
namespace {

Result<PoolName> pool_of(std::string_view path) { return parse_last<PoolName>(path, kPoolsPath); }

}  // namespace

StoragePoolAdaptor::StoragePoolAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, const ObjectIndex& index)
    : StoragePoolAdaptor(std::make_unique<ServedObject>(
                             connection, kPoolsPath,
                             [&index](std::string_view path) { return index.pool_driver(path) != nullptr; }),
                         guard, use_cases, index) {}

StoragePoolAdaptor::StoragePoolAdaptor(std::unique_ptr<ServedObject> object, Guard& guard, UseCases use_cases,
                                       const ObjectIndex& index)
    : StoragePool_adaptor(*object), object_(std::move(object)), guard_(guard), use_cases_(use_cases), index_(index) {
  object_->finishRegistration();
}

template <typename... Out, typename Handler>
void StoragePoolAdaptor::run(sdbus::Result<Out...>&& reply, Handler handler) {
  run_on_object(*object_, guard_, pool_of, std::move(reply), std::move(handler));
}

void StoragePoolAdaptor::GetConfig(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const PoolName& pool) -> Result<Options> {
    return document_answer(use_cases_.server.pool(who, pool));
  });
}

void StoragePoolAdaptor::GetResources(sdbus::Result<Options>&& reply) {
  run(std::move(reply), [this](const Principal& who, const PoolName& pool) -> Result<Options> {
    return document_answer(use_cases_.server.pool_resources(who, pool));
  });
}

std::string StoragePoolAdaptor::Name() { return value_or_throw(pool_of(object_->current_path())).str(); }

std::string StoragePoolAdaptor::Driver() {
  const auto* driver = index_.pool_driver(object_->current_path());
  if (driver == nullptr) throw to_bus_error(Error{Code::NotFound, "There is no object " + object_->current_path()});
  return *driver;
}

}  // namespace berth::bus
