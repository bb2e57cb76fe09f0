#include "rest-bridge/api/router.hpp"

namespace berth::rest {
namespace {

/// Routes of the API whose features Berth does not have: known, so that the answer names the feature.
constexpr Route kRoutes[] = {
    {"GET", "/1.0/cluster", "clustering", "", nullptr},
    {"PUT", "/1.0/cluster", "clustering", "", nullptr},
    {"GET", "/1.0/cluster/members", "clustering", "", nullptr},
    {"GET", "/1.0/cluster/members/{name}", "clustering", "", nullptr},
    {"POST", "/1.0/cluster/members/{name}", "clustering", "", nullptr},
    {"DELETE", "/1.0/cluster/members/{name}", "clustering", "", nullptr},
    {"GET", "/1.0/metrics", "metrics", "", nullptr},
    {"GET", "/1.0/warnings", "warnings", "", nullptr},
    {"GET", "/1.0/network-acls", "network ACLs", "", nullptr},
    {"GET", "/1.0/networks", "networks", "", nullptr},
    {"POST", "/1.0/networks", "networks", "", nullptr},
    {"GET", "/1.0/networks/{name}", "networks", "", nullptr},
    {"PUT", "/1.0/networks/{name}", "networks", "", nullptr},
    {"PATCH", "/1.0/networks/{name}", "networks", "", nullptr},
    {"POST", "/1.0/networks/{name}", "networks", "", nullptr},
    {"DELETE", "/1.0/networks/{name}", "networks", "", nullptr},
    {"GET", "/1.0/networks/{name}/state", "networks", "", nullptr},
    {"GET", "/1.0/networks/{name}/leases", "networks", "", nullptr},
    {"GET", "/1.0/storage-pools/{name}/volumes", "storage volumes", "", nullptr},
    {"POST", "/1.0/storage-pools/{name}/volumes", "storage volumes", "", nullptr},
    {"GET", "/1.0/storage-pools/{name}/volumes/{rest...}", "storage volumes", "", nullptr},
    {"PUT", "/1.0/storage-pools/{name}/volumes/{rest...}", "storage volumes", "", nullptr},
    {"PATCH", "/1.0/storage-pools/{name}/volumes/{rest...}", "storage volumes", "", nullptr},
    {"POST", "/1.0/storage-pools/{name}/volumes/{rest...}", "storage volumes", "", nullptr},
    {"DELETE", "/1.0/storage-pools/{name}/volumes/{rest...}", "storage volumes", "", nullptr},
};

}  // namespace

std::span<const Route> missing_routes() { return kRoutes; }

}  // namespace berth::rest
