#pragma once

#include <string>

#include "daemon/domain/document.hpp"

namespace berth {

/// The document as one line of JSON (no newline), times as integers.
std::string to_json(const Document& document);
/// Its members alone, without the braces.
std::string to_json_members(const Document& document);
/// A JSON array of documents: the content of a list's memfd.
std::string to_json(const std::vector<Document>& rows);

}  // namespace berth
