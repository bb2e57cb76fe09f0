#include "daemon/bus/storage_pool_adaptor.hpp"

#include "daemon/bus/answers.hpp"

namespace berth::bus {
namespace {

Result<PoolName> pool_of(std::string_view path) {
  BERTH_TRY(const auto name, last_element(path, kPoolsPath));
  auto pool = PoolName::parse(name);
  if (!pool) return Error{Code::NotFound, "There is no object " + std::string(path)};
  return pool;
}

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
  using Answer = std::invoke_result_t<Handler, const Principal&, const PoolName&>;
  auto call = object_->current_call();
  auto pool = pool_of(call.path);
  const auto name = pool ? pool->str() : std::string();
  guard_.run(std::move(call).about({}, name), std::move(reply),
             [pool = std::move(pool), handler = std::move(handler)](const Principal& who) -> Answer {
               if (!pool) return pool.error();
               return handler(who, *pool);
             });
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
