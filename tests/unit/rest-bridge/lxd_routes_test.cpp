#include <gtest/gtest.h>

#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include "rest-bridge/api/router.hpp"
#include "rest-bridge/api/url.hpp"

namespace berth::rest {
namespace {

struct LxdRoute {
  std::string_view path;     ///< with names in place of parameters
  std::string_view methods;  ///< apart by blanks
};

/// The route table of LXD 3.11 under /1.0.
constexpr LxdRoute kLxdRoutes[] = {
    {"", "GET PUT PATCH"},
    {"/certificates", "GET POST"},
    {"/certificates/ab12", "GET PUT PATCH DELETE"},
    {"/cluster", "GET PUT"},
    {"/cluster/members", "GET"},
    {"/cluster/members/m", "GET POST DELETE"},
    {"/containers", "GET POST"},
    {"/containers/c", "GET PUT PATCH POST DELETE"},
    {"/containers/c/state", "GET PUT"},
    {"/containers/c/files", "GET POST DELETE"},
    {"/containers/c/snapshots", "GET POST"},
    {"/containers/c/snapshots/s", "GET PUT POST DELETE"},
    {"/containers/c/console", "GET POST DELETE"},
    {"/containers/c/exec", "POST"},
    {"/containers/c/logs", "GET"},
    {"/containers/c/logs/lxc.log", "GET DELETE"},
    {"/containers/c/metadata", "GET PUT"},
    {"/containers/c/metadata/templates", "GET POST PUT DELETE"},
    {"/containers/c/backups", "GET POST"},
    {"/containers/c/backups/b", "GET POST DELETE"},
    {"/containers/c/backups/b/export", "GET"},
    {"/events", "GET"},
    {"/images", "GET POST"},
    {"/images/ab12", "GET PUT PATCH DELETE"},
    {"/images/ab12/export", "GET"},
    {"/images/ab12/secret", "POST"},
    {"/images/ab12/refresh", "POST"},
    {"/images/aliases", "GET POST"},
    {"/images/aliases/a", "GET PUT PATCH POST DELETE"},
    {"/networks", "GET POST"},
    {"/networks/n", "GET PUT PATCH POST DELETE"},
    {"/networks/n/leases", "GET"},
    {"/networks/n/state", "GET"},
    {"/operations", "GET"},
    {"/operations/c0ffee00-0000-4000-8000-000000000000", "GET DELETE"},
    {"/operations/c0ffee00-0000-4000-8000-000000000000/wait", "GET"},
    {"/operations/c0ffee00-0000-4000-8000-000000000000/websocket", "GET"},
    {"/profiles", "GET POST"},
    {"/profiles/p", "GET PUT PATCH POST DELETE"},
    {"/projects", "GET POST"},
    {"/projects/p", "GET PUT PATCH POST DELETE"},
    {"/resources", "GET"},
    {"/storage-pools", "GET POST"},
    {"/storage-pools/p", "GET PUT PATCH DELETE"},
    {"/storage-pools/p/resources", "GET"},
    {"/storage-pools/p/volumes", "GET POST"},
    {"/storage-pools/p/volumes/custom", "GET POST"},
    {"/storage-pools/p/volumes/container/c", "GET PUT PATCH POST DELETE"},
    {"/storage-pools/p/volumes/custom/v", "GET PUT PATCH POST DELETE"},
    {"/storage-pools/p/volumes/image/ab12", "GET PUT PATCH POST DELETE"},
    {"/storage-pools/p/volumes/custom/v/snapshots", "GET POST"},
    {"/storage-pools/p/volumes/custom/v/snapshots/s", "GET PUT POST DELETE"},
};

TEST(TheRoutesOfLxd, AreServedOrSayWhichFeatureIsMissing) {
  std::size_t pairs = 0;
  std::size_t served = 0;
  for (const auto& route : kLxdRoutes) {
    const auto target = Target::parse("/1.0" + std::string(route.path));
    ASSERT_TRUE(target) << route.path;
    auto methods = route.methods;
    while (!methods.empty()) {
      const auto method = methods.substr(0, methods.find(' '));
      methods.remove_prefix(std::min(method.size() + 1, methods.size()));
      ++pairs;
      const auto match = find_route(method, target->segments);
      EXPECT_NE(match.route, nullptr) << method << ' ' << route.path;
      if (match.route == nullptr) continue;
      EXPECT_FALSE(match.route->call.empty()) << method << ' ' << route.path;
      if (match.route->handler) ++served;
    }
  }
  EXPECT_EQ(std::size(kLxdRoutes), 52U);
  EXPECT_EQ(pairs, 130U);
  std::cout << served << " of the " << pairs << " pairs of method and route that LXD 3.11 has are served\n";
  RecordProperty("served", std::to_string(served));
}

}  // namespace
}  // namespace berth::rest
