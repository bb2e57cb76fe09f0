#pragma once

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"

namespace berth::testing_support {

/// Writes tar archives byte by byte, hostile ones included: no name is checked and nothing is put right.
class TarBuilder {
 public:
  struct Node {
    mode_t mode = 0644;
    unsigned uid = 0, gid = 0;
    long long mtime = 1700000000;
  };

  TarBuilder& file(const std::string& name, const std::string& content, Node node) {
    header(name, '0', content.size(), "", node);
    body(content);
    return *this;
  }
  TarBuilder& file(const std::string& name, const std::string& content) { return file(name, content, Node{}); }
  TarBuilder& folder(const std::string& name, Node node) {
    header(name, '5', 0, "", node);
    return *this;
  }
  TarBuilder& folder(const std::string& name) { return folder(name, Node{0755}); }
  TarBuilder& symlink(const std::string& name, const std::string& target) {
    header(name, '2', 0, target, Node{0777});
    return *this;
  }
  TarBuilder& hard_link(const std::string& name, const std::string& target) {
    header(name, '1', 0, target, Node{});
    return *this;
  }
  TarBuilder& character_device(const std::string& name, unsigned major, unsigned minor) {
    header(name, '3', 0, "", Node{0666}, major, minor);
    return *this;
  }
  TarBuilder& block_device(const std::string& name, unsigned major, unsigned minor) {
    header(name, '4', 0, "", Node{0660}, major, minor);
    return *this;
  }
  TarBuilder& fifo(const std::string& name) {
    header(name, '6', 0, "", Node{0644});
    return *this;
  }
  /// An extended attribute (or another pax record) of the member that comes next.
  TarBuilder& pax(const std::string& key, const std::string& value) {
    const std::string tail = " " + key + "=" + value + "\n";
    std::size_t length = tail.size() + 1;
    while (std::to_string(length).size() + tail.size() != length) ++length;
    pax_ += std::to_string(length) + tail;
    return *this;
  }
  TarBuilder& xattr(const std::string& key, const std::string& value) { return pax("SCHILY.xattr." + key, value); }
  /// A file of `size` bytes that has `content` at its end and is a hole before.
  TarBuilder& sparse_file(const std::string& name, unsigned long long size, const std::string& content) {
    std::array<char, 512> block = make_header(name, 'S', content.size(), "", Node{}, 0, 0);
    octal(block.data() + 386, 12, size - content.size());
    octal(block.data() + 398, 12, content.size());
    octal(block.data() + 483, 12, size);
    std::memcpy(block.data() + 257, "ustar  ", 8);
    seal(block);
    bytes_.append(block.data(), block.size());
    body(content);
    return *this;
  }
  /// metadata.yaml of a good image.
  TarBuilder& good_metadata() {
    return file("metadata.yaml",
                "architecture: x86_64\ncreation_date: 1700000000\nproperties:\n  os: Test\n  release: '1'\n");
  }

  std::string bytes() const { return bytes_ + std::string(1024, '\0'); }
  /// The archive without its end marks, cut after `size` bytes.
  std::string cut(std::size_t size) const { return bytes_.substr(0, size); }

 private:
  static void octal(char* at, int width, unsigned long long value) {
    if (value >> (3 * (width - 1)) != 0) {  // GNU's base-256 form
      for (int i = width - 1; i > 0; --i, value >>= 8) at[i] = static_cast<char>(value & 0xff);
      at[0] = static_cast<char>(0x80);
      return;
    }
    std::snprintf(at, static_cast<std::size_t>(width), "%0*llo", width - 1, value);
  }
  static void seal(std::array<char, 512>& block) {
    std::memset(block.data() + 148, ' ', 8);
    unsigned sum = 0;
    for (const char c : block) sum += static_cast<unsigned char>(c);
    std::snprintf(block.data() + 148, 7, "%06o", sum);
  }
  static std::array<char, 512> make_header(const std::string& name, char type, unsigned long long size,
                                           const std::string& target, Node node, unsigned major, unsigned minor) {
    std::array<char, 512> block{};
    std::memcpy(block.data(), name.data(), std::min<std::size_t>(name.size(), 100));
    octal(block.data() + 100, 8, node.mode);
    octal(block.data() + 108, 8, node.uid);
    octal(block.data() + 116, 8, node.gid);
    octal(block.data() + 124, 12, size);
    octal(block.data() + 136, 12, static_cast<unsigned long long>(node.mtime));
    block[156] = type;
    std::memcpy(block.data() + 157, target.data(), std::min<std::size_t>(target.size(), 100));
    std::memcpy(block.data() + 257, "ustar\00000", 8);
    octal(block.data() + 329, 8, major);
    octal(block.data() + 337, 8, minor);
    seal(block);
    return block;
  }
  void header(const std::string& name, char type, unsigned long long size, const std::string& target, Node node,
              unsigned major = 0, unsigned minor = 0) {
    std::string records = std::exchange(pax_, {});
    if (name.size() > 100) records += record("path", name);
    if (target.size() > 100) records += record("linkpath", target);
    if (!records.empty()) {
      const auto block = make_header("pax", 'x', records.size(), "", Node{}, 0, 0);
      bytes_.append(block.data(), block.size());
      body(records);
    }
    const auto block = make_header(name, type, size, target, node, major, minor);
    bytes_.append(block.data(), block.size());
  }
  static std::string record(const std::string& key, const std::string& value) {
    TarBuilder one;
    one.pax(key, value);
    return one.pax_;
  }
  void body(const std::string& content) {
    bytes_ += content;
    bytes_.append((512 - content.size() % 512) % 512, '\0');
  }

  std::string bytes_;
  std::string pax_;
};

/// `bytes` as a file descriptor at its start.
inline UniqueFd file_of(const std::string& bytes) {
  UniqueFd fd(memfd_create("archive", MFD_CLOEXEC));
  for (std::size_t at = 0; at < bytes.size();) {
    const ssize_t n = write(fd.get(), bytes.data() + at, bytes.size() - at);
    if (n <= 0) std::abort();
    at += static_cast<std::size_t>(n);
  }
  lseek(fd.get(), 0, SEEK_SET);
  return fd;
}

}  // namespace berth::testing_support
