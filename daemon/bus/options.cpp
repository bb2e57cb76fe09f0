#include "daemon/bus/options.hpp"

#include <fcntl.h>

#include <cerrno>
#include <limits>

namespace berth::bus {

void OptionReader::refuse(const std::string& key, const std::string& why) {
  if (!error_) error_ = Error{Code::InvalidArgument, "Option '" + key + "': " + why};
}

void OptionReader::wrong_type(const std::string& key, const std::string& wanted) {
  refuse(key, "the D-Bus type must be " + wanted);
}

void OptionReader::read(const std::string& key, std::optional<Timestamp>& target) {
  std::optional<std::uint64_t> microseconds;
  read(key, microseconds);
  if (!microseconds) return;
  if (*microseconds > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return refuse(key, "not a time in microseconds since the epoch");
  target = Timestamp{std::chrono::microseconds{static_cast<std::int64_t>(*microseconds)}};
}

void OptionReader::read(const std::string& key, std::optional<UniqueFd>& target) {
  std::optional<sdbus::UnixFd> fd;
  read(key, fd);
  if (!fd || error_) return;
  take(key, take_fd(*std::move(fd)), target);
}

void OptionReader::read(const std::string& key, std::uint16_t& target) {
  std::optional<std::uint32_t> number;
  read(key, number);
  if (!number) return;
  if (*number > std::numeric_limits<std::uint16_t>::max()) return refuse(key, "must be at most 65535");
  target = static_cast<std::uint16_t>(*number);
}

Result<void> OptionReader::finish() {
  if (error_) return *std::move(error_);
  if (!options_.empty()) return Error{Code::InvalidArgument, "Unknown option '" + options_.begin()->first + "'"};
  return {};
}

Result<void> no_options(VariantMap options) { return OptionReader{std::move(options)}.finish(); }

Result<UniqueFd> take_fd(sdbus::UnixFd fd) {
  UniqueFd own{fd.release()};
  if (!own) return Error{Code::InvalidArgument, "no descriptor came with the call"};
  if (fcntl(own.get(), F_SETFD, FD_CLOEXEC) != 0) return system_error("cannot keep a descriptor", errno);
  return own;
}

}  // namespace berth::bus
