#pragma once

namespace berth::supervisor {

/// Tells what this liblxc can do, for `berth-supervisor --features`: one line `result VERSION NAME=true|false...` on
/// descriptor 3, as berth-helper reports (base/helper_process.hpp). berthd asks once; it does not link liblxc itself.
/// The names are LXD's of `environment.lxc_features`. True when the line was written.
bool tell_features();

}  // namespace berth::supervisor
