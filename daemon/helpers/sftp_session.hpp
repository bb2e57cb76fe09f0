#pragma once

#include <dirent.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/unique_fd.hpp"
#include "daemon/helpers/sftp_files.hpp"
#include "daemon/helpers/sftp_wire.hpp"

namespace berth::helpers::sftp {

/// One client's conversation about the files below one folder: packets in, packets out, no socket. Open handles are
/// bounded. Whatever the client sends, it reaches nothing but that folder, and what cannot be read as a packet is
/// answered or ends the session.
class Session {
 public:
  /// `root`: an O_PATH descriptor of the folder; it stays the caller's.
  explicit Session(int root) : files_(root) {}

  /// Appends the answers to one packet (without its length) to `out`. False when the client does not speak SFTP: nothing
  /// more is to be read from it.
  bool answer(std::string_view packet, std::string& out);

  static constexpr std::size_t kMaxHandles = 1000;

 private:
  struct CloseFolder {
    void operator()(DIR* folder) const noexcept { closedir(folder); }
  };
  struct Handle {
    UniqueFd file;
    std::unique_ptr<DIR, CloseFolder> folder;
  };
  struct Request;
  using Verb = void (Session::*)(Request&);

  static Verb verb_of(Type type);
  void open(Request& request);
  void close(Request& request);
  void read(Request& request);
  void write(Request& request);
  void look(Request& request);
  void look_at_link(Request& request);
  void look_at_handle(Request& request);
  void change(Request& request);
  void change_handle(Request& request);
  void open_folder(Request& request);
  void read_folder(Request& request);
  void remove(Request& request);
  void remove_folder(Request& request);
  void make_folder(Request& request);
  void real_path(Request& request);
  void rename(Request& request);
  void read_link(Request& request);
  void make_link(Request& request);
  void extended(Request& request);
  void statistics(Request& request, int file);

  void give_handle(Request& request, Handle handle);
  /// None for a handle that is not one.
  Handle* handle_of(std::string_view name);
  /// The descriptor of a handle to a file; -1 when it is none.
  int file_of(std::string_view name);

  Files files_;
  bool begun_ = false;
  std::uint32_t last_handle_ = 0;
  std::map<std::uint32_t, Handle> handles_;
};

}  // namespace berth::helpers::sftp
