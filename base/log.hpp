#pragma once

#include <initializer_list>
#include <string_view>
#include <utility>

namespace berth::log {

/// One structured field of a log line, e.g. {"BERTH_INSTANCE", "web"}: upper-case name, any text.
using Field = std::pair<std::string_view, std::string_view>;
using Fields = std::initializer_list<Field>;

/// Writes one line to the journal with its fields, or to standard error where no journal listens.
/// Library functions return errors; only the top of a call logs, once. Safe on any thread.
void debug(std::string_view message, Fields fields = {});
void info(std::string_view message, Fields fields = {});
void warning(std::string_view message, Fields fields = {});
void error(std::string_view message, Fields fields = {});

}  // namespace berth::log
