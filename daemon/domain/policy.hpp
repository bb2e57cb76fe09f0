#pragma once

#include "daemon/domain/expand.hpp"

#include <map>
#include <string>
#include <vector>

namespace berth {

/// What in an expanded object reaches past the container: name (`raw.lxc`, `security.privileged`, `device disk1`) to
/// the value that does. Empty = an ordinary container. The one place that knows (rules 5 and 21 of the security rules);
/// it is given the final object, the very one that is then committed.
std::map<std::string, std::string> host_access(const Expanded& object);

/// The names in host_access(wanted) that host_access(committed) does not have with the same value: what a caller
/// without `configure-host-access` may not bring in. For a new object `committed` is empty. Sorted.
std::vector<std::string> new_host_access(const Expanded& committed, const Expanded& wanted);

}  // namespace berth
