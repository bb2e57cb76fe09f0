#include "cli/event_line.hpp"

#include "cli/output/text.hpp"

#include <algorithm>
#include <array>

namespace berth::cli {
namespace {

/// What is said of an event, in pieces.
struct Pieces {
  std::string level = "info";
  std::string message;
  Json details = Json::object();
};

Pieces pieces_of(const Json& event) {
  const auto& metadata = child_of(event, "metadata");
  const auto type = text_of(event, "type");
  Pieces pieces;
  if (type == "logging") {
    pieces.level = text_of(metadata, "level");
    pieces.message = text_of(metadata, "message");
    pieces.details = child_of(metadata, "context");
  } else if (type == "lifecycle") {
    pieces.message = "Action: " + text_of(metadata, "action") + ", Source: " + text_of(metadata, "source");
    pieces.details = child_of(metadata, "context");
    if (const auto& requestor = child_of(metadata, "requestor"); requestor.is_object())
      pieces.message += ", Requestor: " + text_of(requestor, "protocol") + '/' + text_of(requestor, "username");
  } else {
    pieces.message = "ID: " + text_of(metadata, "id") + ", Class: " + text_of(metadata, "class") +
                     ", Description: " + text_of(metadata, "description");
    pieces.details = {{"CreatedAt", text_of(metadata, "created_at")}, {"Err", text_of(metadata, "err")},
                      {"Location", text_of(metadata, "location")},    {"MayCancel", flag_of(metadata, "may_cancel")},
                      {"Metadata", child_of(metadata, "metadata")},   {"Resources", child_of(metadata, "resources")},
                      {"Status", text_of(metadata, "status")},        {"UpdatedAt", text_of(metadata, "updated_at")}};
  }
  return pieces;
}

/// A value of the details, in quotes where it is not one plain word.
std::string detail_text(const Json& value) {
  const auto text =
      value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
  const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           std::string_view("-._/@^+").find(static_cast<char>(c)) != std::string_view::npos;
  });
  if (plain && !text.empty()) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

std::string event_line(const Json& event) {
  const auto pieces = pieces_of(event);
  auto level = upper(pieces.level.substr(0, 7));
  level.resize(7, ' ');
  auto message = pieces.message;
  if (!pieces.details.empty() && message.size() < 44) message.resize(44, ' ');
  auto time = text_of(event, "timestamp");
  if (const auto point = time.find('.'); point != std::string::npos) time = time.substr(0, point) + time.back();
  auto line = level + '[' + time + "] " + message;
  if (pieces.details.is_object())
    for (const auto& [name, value] : pieces.details.items()) line += ' ' + name + '=' + detail_text(value);
  return printable(line) + '\n';
}

std::optional<int> log_level(const std::string& name) {
  constexpr std::array<std::pair<std::string_view, int>, 8> kLevels{
      {{"panic", 0}, {"fatal", 1}, {"error", 2}, {"warning", 3}, {"warn", 3}, {"info", 4}, {"debug", 5}, {"trace", 6}}};
  for (const auto& [word, level] : kLevels)
    if (word == name) return level;
  return std::nullopt;
}

bool is_logged(const Json& event, const std::string& level) {
  if (level.empty() || text_of(event, "type") != "logging") return true;
  const auto least = log_level(level);
  const auto said = log_level(text_of(child_of(event, "metadata"), "level"));
  return !least || !said || *said <= *least;
}

}  // namespace berth::cli
