#include "base/log.hpp"

#include <sys/uio.h>
#include <syslog.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace berth::log {
namespace {

/// systemd sets JOURNAL_STREAM for services; without it the caller watches standard error.
bool journal_listens() {
  static const bool listens = std::getenv("JOURNAL_STREAM") != nullptr;
  return listens;
}

bool debug_wanted() {
  static const bool wanted = std::getenv("BERTH_DEBUG") != nullptr;
  return wanted;
}

/// A value that spans lines would forge further log lines on standard error.
std::string one_line(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  return out;
}

void write_journal(int priority, std::string_view message, Fields fields) {
  std::vector<std::string> entries{"MESSAGE=" + std::string(message), "PRIORITY=" + std::to_string(priority)};
  for (const auto& [name, value] : fields) entries.push_back(std::string(name) + "=" + std::string(value));
  std::vector<iovec> parts;
  parts.reserve(entries.size());
  for (auto& entry : entries) parts.push_back({entry.data(), entry.size()});
  (void)sd_journal_sendv(parts.data(), static_cast<int>(parts.size()));
}

void write_stderr(int priority, std::string_view message, Fields fields) {
  std::string line = "<" + std::to_string(priority) + ">" + one_line(message);
  for (const auto& [name, value] : fields) line += " " + std::string(name) + "=" + one_line(value);
  line += '\n';
  (void)!::write(STDERR_FILENO, line.data(), line.size());
}

void write_line(int priority, std::string_view message, Fields fields) {
  if (journal_listens())
    write_journal(priority, message, fields);
  else
    write_stderr(priority, message, fields);
}

}  // namespace

void debug(std::string_view message, Fields fields) {
  if (debug_wanted()) write_line(LOG_DEBUG, message, fields);
}
void info(std::string_view message, Fields fields) { write_line(LOG_INFO, message, fields); }
void warning(std::string_view message, Fields fields) { write_line(LOG_WARNING, message, fields); }
void error(std::string_view message, Fields fields) { write_line(LOG_ERR, message, fields); }

}  // namespace berth::log
