#pragma once

#include <vector>

#include "daemon/domain/document.hpp"
#include "daemon/domain/reference.hpp"
#include "daemon/domain/storage_pool.hpp"

namespace berth {

Document storage_pool_document(const StoragePool& pool, const std::vector<Reference>& used_by);

}  // namespace berth
