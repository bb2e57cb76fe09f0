#include "daemon/bus/answers.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/object_names.hpp"
#include "daemon/bus/words.hpp"
#include "daemon/domain/operation_document.hpp"

namespace berth::bus {

ManagerAdaptor::ManagerAdaptor(BusConnection& connection, Guard& guard, UseCases use_cases, EventStreams& streams)
    : ManagerAdaptor(std::make_unique<ServedObject>(connection, std::string(kRootPath)), guard, use_cases, streams) {}

ManagerAdaptor::ManagerAdaptor(std::unique_ptr<ServedObject> object, Guard& guard,
                               UseCases use_cases, EventStreams& streams)
    : Manager_adaptor(*object), object_(std::move(object)), guard_(guard), use_cases_(use_cases),
      streams_(streams) {
  object_->finishRegistration();
}

void ManagerAdaptor::set_state(const std::string& state) {
  if (state == state_) return;
  state_ = state;
  object_->emit_properties_changed(object_->getObjectPath(), {"State"});
}

void ManagerAdaptor::ListStoragePools(sdbus::Result<Rows<Path, std::string, std::string, std::string>>&& reply, Options options) {
  guard_.run(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<Rows<Path, std::string, std::string, std::string>> {
               BERTH_CHECK(no_options(options));
               BERTH_TRY(const auto pools, use_cases_.server.pools(who));
               Rows<Path, std::string, std::string, std::string> rows;
               for (const auto& pool : pools)
                 rows.emplace_back(storage_pool_path(pool.name), pool.name.str(), pool.driver, pool.description);
               return rows;
             });
}

void ManagerAdaptor::GetStoragePool(sdbus::Result<Path>&& reply, std::string name) {
  guard_.run(call_about({}, name), std::move(reply), [this, name](const Principal& who) -> Result<Path> {
    BERTH_TRY(const auto pool, PoolName::parse(name));
    BERTH_CHECK(use_cases_.server.pool(who, pool));
    return Path(storage_pool_path(pool));
  });
}

void ManagerAdaptor::ListOperations(sdbus::Result<Rows<Path, std::string, std::string, std::string, std::string>>&& reply,
                                    std::string project, Options options) {
  using Answer = Rows<Path, std::string, std::string, std::string, std::string>;
  guard_.run(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<Answer> {
               BERTH_CHECK(no_options(options));
               BERTH_TRY(const auto filter, parse_project_filter(project));
               Answer rows;
               for (const auto& view : use_cases_.operations.list(who, filter))
                 rows.emplace_back(operation_path(view.id), view.id.str(), view.kind, view.description,
                                   lower_case(operation_status_word(view.status)));
               return rows;
             });
}

void ManagerAdaptor::DescribeOperations(sdbus::Result<sdbus::UnixFd>&& reply, std::string project, Options options) {
  guard_.run_on_loop(call_about(project), std::move(reply),
             [this, project, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               std::optional<std::vector<OperationId>> ids;
               OptionReader reader{options};
               reader.read("ids", ids);
               BERTH_CHECK(reader.finish());
               BERTH_TRY(const auto filter, parse_project_filter(project));
               std::vector<Document> rows;
               if (ids) {
                 for (const auto& id : *ids) {
                   BERTH_TRY(const auto view, use_cases_.operations.get(who, id));
                   if (filter && view.project != *filter) return Error{Code::NotFound, "There is no operation " + id.str()};
                   rows.push_back(operation_document(view));
                 }
               } else {
                 for (const auto& view : use_cases_.operations.list(who, filter)) rows.push_back(operation_document(view));
               }
               return rows_answer(std::move(rows));
             });
}

void ManagerAdaptor::GetServerInfo(sdbus::Result<Options>&& reply) {
  guard_.run(call_about({}), std::move(reply), [this](const Principal& who) -> Result<Options> {
    return document_answer(use_cases_.server.info(who));
  });
}

void ManagerAdaptor::DescribeServer(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  guard_.run_on_loop(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               BERTH_CHECK(no_options(options));
               return row_answer(use_cases_.server.describe(who));
             });
}

void ManagerAdaptor::DescribeResources(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  guard_.run(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               BERTH_CHECK(no_options(options));
               return rows_answer(std::vector<Document>{use_cases_.server.resources(who)});
             });
}

void ManagerAdaptor::GetServerConfig(sdbus::Result<std::map<std::string, std::string>>&& reply) {
  guard_.run(call_about({}), std::move(reply),
             [this](const Principal& who) -> Result<ConfigMap> { return use_cases_.server.config(who); });
}

void ManagerAdaptor::SetServerConfig(sdbus::Result<>&& reply, std::map<std::string, std::string> config, Options options) {
  guard_.run(call_about({}), std::move(reply),
             [this, config = std::move(config), options = std::move(options)](const Principal& who) -> Result<void> {
               bool replace = false;
               std::optional<std::uint64_t> if_revision;
               std::vector<std::string> keep;
               OptionReader reader{options};
               reader.read("replace", replace);
               reader.read("keep", keep);
               reader.read("if-revision", if_revision);
               BERTH_CHECK(reader.finish());
               return use_cases_.server.set_config(who, config, replace, if_revision, keep);
             });
}

void ManagerAdaptor::Subscribe(sdbus::Result<sdbus::UnixFd>&& reply, Options options) {
  guard_.run_on_loop(call_about({}), std::move(reply),
             [this, options = std::move(options)](const Principal& who) -> Result<sdbus::UnixFd> {
               EventFilter filter;
               std::vector<std::string> types;
               OptionReader reader{options};
               reader.read("types", types);
               reader.read("project", filter.project);
               for (const auto& type : types)
                 if (type != "operation" && type != "lifecycle" && type != "logging")
                   reader.refuse("types", "'" + type + "' is none of operation, lifecycle and logging");
               BERTH_CHECK(reader.finish());
               filter.types = {types.begin(), types.end()};
               return fd_answer(streams_.subscribe(who, std::move(filter)));
             });
}

}  // namespace berth::bus
