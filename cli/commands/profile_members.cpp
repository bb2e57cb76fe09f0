#include "cli/commands/profile_members.hpp"

#include "cli/commands/shared.hpp"
#include "cli/names.hpp"
#include "cli/output/text.hpp"

#include <algorithm>

namespace berth::cli {
namespace {

/// Lets `change` work on the profiles of an instance.
Result<void> change_profiles(Server& server, const std::string& instance,
                             const std::function<Result<void>(Json& profiles)>& change) {
  return change_object(server, api_path("instances", instance), kInstancePut, [&](Json& object) -> Result<void> {
    auto& profiles = object["profiles"];
    if (!profiles.is_array()) profiles = Json::array();
    return change(profiles);
  });
}

Command base(std::string name, std::string arguments, std::string summary, std::string examples) {
  Command command;
  command.name = std::move(name);
  command.arguments = "[<remote>:]<instance> " + std::move(arguments);
  command.summary = std::move(summary);
  command.examples = std::move(examples);
  command.least = command.most = 2;
  return command;
}

}  // namespace

Command add_profile() {
  auto command = base("add", "<profile>", "Add profiles to instances", "berth profile add web limits");
  command.run = [](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, context.named(arguments[0], "instance"));
    BERTH_CHECK(change_profiles(*place.server, place.name, [&](Json& profiles) -> Result<void> {
      profiles.push_back(arguments[1]);
      return {};
    }));
    context.tell("Profile " + arguments[1] + " added to " + place.name);
    return 0;
  };
  return command;
}

Command remove_profile() {
  auto command = base("remove", "<profile>", "Remove profiles from instances", "berth profile remove web limits");
  command.run = [](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, context.named(arguments[0], "instance"));
    BERTH_CHECK(change_profiles(*place.server, place.name, [&](Json& profiles) -> Result<void> {
      const auto found = std::find(profiles.begin(), profiles.end(), arguments[1]);
      if (found == profiles.end())
        return Error{Code::NotFound, "Profile " + arguments[1] + " isn't currently applied to " + place.name};
      profiles.erase(found);
      return {};
    }));
    context.tell("Profile " + arguments[1] + " removed from " + place.name);
    return 0;
  };
  return command;
}

Command assign_profiles() {
  auto command = base(
      "assign", "<profiles>", "Assign sets of profiles to instances",
      "berth profile assign web default,limits\n    Set the profiles for \"web\" to \"default\" and \"limits\".\n\n"
      "berth profile assign web ''\n    Remove all profile from \"web\"");
  command.aliases = {"apply"};
  command.run = [](Context& context, const Strings& arguments) -> Result<int> {
    BERTH_TRY(const auto place, context.named(arguments[0], "instance"));
    auto names = split(arguments[1], ',');
    std::erase(names, std::string());
    BERTH_CHECK(change_profiles(*place.server, place.name, [&](Json& profiles) -> Result<void> {
      profiles = names;
      return {};
    }));
    context.tell("Profiles " + (names.empty() ? std::string("(none)") : join(names, ",")) + " applied to " +
                 place.name);
    return 0;
  };
  return command;
}

}  // namespace berth::cli
