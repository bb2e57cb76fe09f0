#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "daemon/domain/principal.hpp"

namespace berth::bus {

/// The polkit actions, as polkit/org.berth.Berth1.policy declares them.
namespace action {
inline constexpr std::string_view kView = "org.berth.Berth1.view";
inline constexpr std::string_view kManageInstances = "org.berth.Berth1.manage-instances";
inline constexpr std::string_view kAccessInstances = "org.berth.Berth1.access-instances";
inline constexpr std::string_view kManageImages = "org.berth.Berth1.manage-images";
inline constexpr std::string_view kManageProfiles = "org.berth.Berth1.manage-profiles";
inline constexpr std::string_view kManageProjects = "org.berth.Berth1.manage-projects";
inline constexpr std::string_view kConfigureHostAccess = "org.berth.Berth1.configure-host-access";
inline constexpr std::string_view kManageTrust = "org.berth.Berth1.manage-trust";
inline constexpr std::string_view kConfigureServer = "org.berth.Berth1.configure-server";
/// Not polkit's: the kind of principal alone decides (Session, which only the bridge may call).
inline constexpr std::string_view kKindDecides = "";
}  // namespace action

/// A set of principal kinds.
using Kinds = std::uint8_t;
constexpr Kinds kind_bit(PrincipalKind kind) { return static_cast<Kinds>(1U << static_cast<unsigned>(kind)); }

/// What a handler may have to wait for. It gets a thread of its own then, so that nobody else waits with it.
enum class Waits : std::uint8_t {
  Nothing,
  ForAPerson,  ///< it asks about host access as well, and polkit may ask for a password
  ForOthers,   ///< for an instance's lock, or for what a guest or the caller brings
};

/// Who may call a member, and what polkit is asked about it. polkit judges processes of this host: a registered certificate
/// passes without it, and so do a restricted one and a guest where their kind is named.
struct AccessRow {
  std::string_view interface, member, action;
  Kinds kinds;
  Waits waits = Waits::Nothing;
  /// A second action that must be allowed, too; kKindDecides: none.
  std::string_view also = action::kKindDecides;
};

std::span<const AccessRow> access_table();

/// nullptr: the member has no row, and nobody may call it.
const AccessRow* find_access_row(std::string_view interface, std::string_view member);

}  // namespace berth::bus
