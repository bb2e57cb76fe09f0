#pragma once

#include <string>

namespace berth::bus {

/// One method call as the guard judges it: who sent it, what it asks for, and what it is about.
struct Call {
  std::string sender;  ///< unique name, set by the bus
  std::string path, interface, member;
  bool interactive = false;  ///< the message header allows a password prompt
  std::string project;       ///< for polkit's details; empty = none or all
  std::string object;        ///< for polkit's details: the object's name

  Call about(std::string its_project, std::string its_object = {}) && {
    project = std::move(its_project);
    object = std::move(its_object);
    return std::move(*this);
  }
};

}  // namespace berth::bus
