#include "daemon/services/instance_bulk.hpp"

#include <algorithm>
#include <array>
#include <functional>
#include <string_view>
#include <utility>

namespace berth::services {
namespace {

using Change = Result<OperationId> (*)(InstanceLifecycle&, const Principal&, const Instance&, const StopRequest&);

struct Action {
  std::string_view word, description;
  bool (*fits)(InstanceStatus status);
  Change change;
};

constexpr std::array kActions{
    Action{"start", "Starting instance", [](InstanceStatus status) { return status == InstanceStatus::Stopped; },
           [](InstanceLifecycle& of, const Principal& who, const Instance& it, const StopRequest&) { return of.start(who, it.project, it.name); }},
    Action{"stop", "Stopping instance", [](InstanceStatus status) { return status != InstanceStatus::Stopped; },
           [](InstanceLifecycle& of, const Principal& who, const Instance& it, const StopRequest& how) { return of.stop(who, it.project, it.name, how); }},
    Action{"restart", "Restarting instance", [](InstanceStatus status) { return status != InstanceStatus::Stopped; },
           [](InstanceLifecycle& of, const Principal& who, const Instance& it, const StopRequest& how) { return of.restart(who, it.project, it.name, how); }},
    Action{"freeze", "Freezing instance", [](InstanceStatus status) { return status == InstanceStatus::Running; },
           [](InstanceLifecycle& of, const Principal& who, const Instance& it, const StopRequest&) { return of.freeze(who, it.project, it.name); }},
    Action{"unfreeze", "Unfreezing instance", [](InstanceStatus status) { return status == InstanceStatus::Frozen; },
           [](InstanceLifecycle& of, const Principal& who, const Instance& it, const StopRequest&) { return of.unfreeze(who, it.project, it.name); }},
};

/// LXD's text.
class Failures {
 public:
  void add(const Instance& instance, const Error& error) {
    text_ += (text_.empty() ? "The following instances failed to update state:" : "") + std::string("\n - Instance: ") + instance.name.str() +
             ": " + error.message;
  }
  Result<Document> outcome() const {
    if (text_.empty()) return Document{};
    return Error{Code::FailedPrecondition, text_};
  }

 private:
  std::string text_;
};

}  // namespace

Result<OperationId> InstanceBulk::change(const Principal& who, const ProjectName& project, const std::string& word, StopRequest request) {
  const auto* const action = std::find_if(kActions.begin(), kActions.end(), [&word](const Action& one) { return one.word == word; });
  if (action == kActions.end()) return Error{Code::InvalidArgument, "Unknown action: '" + word + "'"};
  BERTH_CHECK(context_.store.project(who, project));
  BERTH_TRY(auto instances, context_.store.instances(who, project));
  std::erase_if(instances, [&](const Instance& one) { return !action->fits(context_.runtime.status(one.uuid)); });
  std::vector<std::string> names;
  for (const auto& instance : instances) names.push_back(instance.name.str());
  OperationSpec spec{.description = std::string(action->description), .project = project, .owner = who, .resources = {{"instances", std::move(names)}}};
  return context_.operations.start(std::move(spec), [&context = context_, who, action, request, instances = std::move(instances)](
                                                        OperationContext& operation) -> Result<Document> {
    Failures failures;
    std::vector<std::pair<Instance, OperationEnd>> begun;
    InstanceLifecycle lifecycle(context);
    for (const auto& instance : instances) {
      const auto id = action->change(lifecycle, who, instance, request);
      if (id)
        begun.emplace_back(instance, context.operations.end_of(*id));
      else
        failures.add(instance, id.error());
    }
    for (const auto& [instance, end] : begun) {
      const auto view = end.wait([&operation] { return operation.cancelled(); });
      if (!view) return view.error();
      if (view->error) failures.add(instance, *view->error);
    }
    return failures.outcome();
  });
}

}  // namespace berth::services
