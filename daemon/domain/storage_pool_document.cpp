#include "daemon/domain/storage_pool_document.hpp"

#include "daemon/domain/profile_document.hpp"

namespace berth {

Document storage_pool_document(const StoragePool& pool, const std::vector<Reference>& used_by) {
  return Document{
      {"name", pool.name.str()},
      {"driver", pool.driver},
      {"description", pool.description},
      {"config", pool.config},
      {"status", "Created"},
      {"locations", std::vector<std::string>{"none"}},
      {"revision", pool.revision},
      {"created_at", to_microseconds(pool.created_at)},
      {"used_by", reference_documents(used_by)},
  };
}

}  // namespace berth
