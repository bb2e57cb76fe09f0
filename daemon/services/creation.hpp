#pragma once

#include <vector>

#include "base/result.hpp"
#include "daemon/domain/expand.hpp"
#include "daemon/domain/instance.hpp"
#include "daemon/domain/snapshot.hpp"
#include "daemon/services/context.hpp"
#include "daemon/services/creation_undo.hpp"

namespace berth::services {

/// The beginning of every creation, before a tree of it is there: from now on reconcile drops the instance's trees, and those
/// of the snapshots named by uuid, unless its row is committed. The intent's id.
Result<Uuid> begin_creation(Context& context, const Instance& row, const std::vector<std::string>& snapshots = {});

/// The end of every creation, once the trees are there: the project admits the instance as its profiles make it now, it gets its
/// id map, row, snapshots' rows and manifest, and the intent ends. `judged` is what its maker was allowed. From success on there
/// is nothing to undo. Errors: FailedPrecondition when the profiles now reach the host in another way, check_final()'s,
/// admit_instance()'s, the store's.
Result<void> commit_creation(Context& context, Instance row, const Expanded& judged, const std::vector<Snapshot>& snapshots,
                             const Uuid& intent, CreationUndo& undo);

}  // namespace berth::services
