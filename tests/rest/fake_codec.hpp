#pragma once

// How the stand-in for berthd reads and writes D-Bus messages, and what the contract says of their signatures.
#include <fcntl.h>
#include <pty.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iostream>
#include <list>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/names.hpp"
#include "base/object_path.hpp"
#include "base/unique_fd.hpp"

namespace berth::fake {

using Json = nlohmann::json;

struct Failure {
  std::string code;
  std::string message;
};

[[noreturn]] inline void fail(const std::string& code, const std::string& message) { throw Failure{code, message}; }

inline std::uint64_t now() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch()).count());
}

/// The contract: "Interface.Member" to its signatures.
struct Signature {
  std::string in, out;
};
inline std::map<std::string, Signature> load_contract(const std::vector<std::string>& files) {
  std::map<std::string, Signature> contract;
  for (const auto& file : files) {
    std::ifstream stream(file);
    std::string line, interface, method;
    const std::regex name("name=\"([^\"]+)\""), type("type=\"([^\"]+)\"");
    while (std::getline(stream, line)) {
      std::smatch match;
      if (line.find("<interface ") != std::string::npos && std::regex_search(line, match, name)) interface = match[1];
      if (line.find("<method ") != std::string::npos && std::regex_search(line, match, name)) {
        method = interface + "." + match[1].str();
        contract[method];
      }
      if (line.find("<arg ") != std::string::npos && std::regex_search(line, match, type))
        (line.find("direction=\"in\"") != std::string::npos ? contract[method].in : contract[method].out) += match[1].str();
    }
  }
  return contract;
}

inline Json read_value(sd_bus_message* m, std::vector<UniqueFd>& fds, bool& end) {
  char type = 0;
  const char* contents = nullptr;
  end = sd_bus_message_peek_type(m, &type, &contents) <= 0;
  if (end) return nullptr;
  bool inner = false;
  switch (type) {
    case 's':
    case 'o': {
      const char* text = nullptr;
      sd_bus_message_read_basic(m, type, &text);
      return text;
    }
    case 'b': {
      int value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value != 0;
    }
    case 'y': {
      std::uint8_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 'i': {
      std::int32_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 'u': {
      std::uint32_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 'x': {
      std::int64_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 't': {
      std::uint64_t value = 0;
      sd_bus_message_read_basic(m, type, &value);
      return value;
    }
    case 'h': {
      int fd = -1;
      sd_bus_message_read_basic(m, type, &fd);
      fds.emplace_back(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
      return fds.size() - 1;
    }
    case 'v': {
      const std::string inside = contents;
      sd_bus_message_enter_container(m, 'v', inside.c_str());
      auto value = read_value(m, fds, inner);
      sd_bus_message_exit_container(m);
      return value;
    }
    case 'a': {
      const std::string inside = contents;
      const bool dictionary = inside[0] == '{';
      auto result = dictionary ? Json::object() : Json::array();
      sd_bus_message_enter_container(m, 'a', inside.c_str());
      for (;;) {
        if (dictionary) {
          if (sd_bus_message_enter_container(m, 'e', inside.substr(1, inside.size() - 2).c_str()) <= 0) break;
          const auto key = read_value(m, fds, inner).get<std::string>();
          result[key] = read_value(m, fds, inner);
          sd_bus_message_exit_container(m);
        } else {
          auto value = read_value(m, fds, inner);
          if (inner) break;
          result.push_back(std::move(value));
        }
      }
      sd_bus_message_exit_container(m);
      return result;
    }
    default: fail("Internal", "type not known here");
  }
}

/// The type a value has as a variant.
inline std::string variant_type(const Json& value) {
  if (value.is_string()) return "s";
  if (value.is_boolean()) return "b";
  if (value.is_number()) return value < 0 ? "x" : "t";
  if (value.is_array()) return "as";
  for (const auto& [key, inner] : value.items())
    if (!inner.is_string()) return "a{sv}";
  return "a{ss}";
}

/// Adds one complete type from the front of `signature`.
inline void append(sd_bus_message* m, std::string_view& signature, const Json& value) {
  const char type = signature[0];
  if (type == 'a' && signature.starts_with("a{sv}")) {
    signature.remove_prefix(5);
    sd_bus_message_open_container(m, 'a', "{sv}");
    for (const auto& [key, inner] : value.items()) {
      sd_bus_message_open_container(m, 'e', "sv");
      sd_bus_message_append_basic(m, 's', key.c_str());
      const auto inside = variant_type(inner);
      sd_bus_message_open_container(m, 'v', inside.c_str());
      std::string_view rest = inside;
      append(m, rest, inner);
      sd_bus_message_close_container(m);
      sd_bus_message_close_container(m);
    }
    sd_bus_message_close_container(m);
    return;
  }
  if (type == 'a') {
    // The element ends where its brackets do.
    std::size_t length = 1;
    if (signature[1] == '(' || signature[1] == '{') {
      int depth = 0;
      do {
        if (signature[length] == '(' || signature[length] == '{') ++depth;
        if (signature[length] == ')' || signature[length] == '}') --depth;
        ++length;
      } while (depth > 0);
    } else {
      ++length;
    }
    const std::string element(signature.substr(1, length - 1));
    signature.remove_prefix(length);
    sd_bus_message_open_container(m, 'a', element.c_str());
    if (element[0] == '{') {
      for (const auto& [key, inner] : value.items()) sd_bus_message_append(m, element.c_str(), key.c_str(), inner.get<std::string>().c_str());
    } else {
      for (const auto& inner : value) {
        std::string_view rest = element;
        append(m, rest, inner);
      }
    }
    sd_bus_message_close_container(m);
    return;
  }
  if (type == '(') {
    const std::string inside(signature.substr(1, signature.find(')') - 1));
    signature.remove_prefix(inside.size() + 2);
    sd_bus_message_open_container(m, 'r', inside.c_str());
    std::string_view rest = inside;
    for (const auto& field : value) append(m, rest, field);
    sd_bus_message_close_container(m);
    return;
  }
  signature.remove_prefix(1);
  switch (type) {
    case 's':
    case 'o': sd_bus_message_append_basic(m, type, value.get<std::string>().c_str()); return;
    case 'b': {
      const int flag = value.get<bool>() ? 1 : 0;
      sd_bus_message_append_basic(m, type, &flag);
      return;
    }
    case 'h': {
      const int fd = value.get<int>();
      sd_bus_message_append_basic(m, type, &fd);
      return;
    }
    case 'x': {
      const auto number = value.get<std::int64_t>();
      sd_bus_message_append_basic(m, type, &number);
      return;
    }
    case 't': {
      const auto number = value.get<std::uint64_t>();
      sd_bus_message_append_basic(m, type, &number);
      return;
    }
    case 'u': {
      const auto number = value.get<std::uint32_t>();
      sd_bus_message_append_basic(m, type, &number);
      return;
    }
    default: fail("Internal", "cannot answer with this type");
  }
}

inline UniqueFd sealed(const std::string& text) {
  UniqueFd fd(::memfd_create("rows", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) fail("Internal", "memfd");
  ::fcntl(fd.get(), F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
  return fd;
}

}  // namespace berth::fake
