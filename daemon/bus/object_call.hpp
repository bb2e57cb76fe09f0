#pragma once

#include <string>
#include <type_traits>
#include <utility>

#include "daemon/bus/guard.hpp"
#include "daemon/bus/object_names.hpp"
#include "daemon/bus/served_object.hpp"

namespace berth::bus {

/// The call, with what polkit's details say of its object.
template <typename ObjectName>
Call about(Call call, const InProject<ObjectName>& names) {
  return std::move(call).about(names.project.str(), names.name.str());
}
inline Call about(Call call, const ProjectName& project) { return std::move(call).about(project.str(), project.str()); }
template <typename Tag>
Call about(Call call, const Name<Tag>& name) {
  return std::move(call).about({}, name.str());
}

/// Has the guard run `handler(who, names)` for the object whose method is called. `parse(path)` gives its names; when no object
/// can have that path, whoever may call gets that error. Loop thread; the handler runs where the guard runs them.
template <typename Parse, typename... Out, typename Handler>
void run_on_object(const ServedObject& object, Guard& guard, Parse parse, sdbus::Result<Out...>&& reply, Handler handler) {
  auto call = object.current_call();
  auto names = parse(call.path);
  using Names = std::decay_t<decltype(*names)>;
  using Answer = std::invoke_result_t<Handler, const Principal&, const Names&>;
  if (names) call = about(std::move(call), *names);
  guard.run(std::move(call), std::move(reply),
            [names = std::move(names), handler = std::move(handler)](const Principal& who) -> Answer {
              if (!names) return names.error();
              return handler(who, *names);
            });
}

}  // namespace berth::bus
