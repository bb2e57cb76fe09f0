#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"
#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/message.hpp"

namespace berth::rest {

/// The JSON envelopes of the API: every answer has the same seven members and ends in a newline.
Response sync_answer(const Json& metadata);
/// The same for metadata that is JSON text already.
Response sync_text_answer(std::string_view metadata);
/// `metadata: {}`: done, nothing to tell.
Response empty_answer();
/// 201 with a Location and `metadata: null`.
Response created_answer(std::string location);
/// 202 for an operation, given in the API's form.
Response async_answer(const Json& operation);
/// The error envelope with the status of the error's code.
Response error_answer(const Error& error);
/// The same with another status, where the API answers differently.
Response error_answer(int status, std::string_view message);
/// Bytes as they are.
Response raw_answer(UniqueFd fd, std::string_view content_type);

/// JSON as text; bytes that are not UTF-8 are replaced.
std::string dump(const Json& json);
/// Adds `ETag: "<etag>"`.
Response with_etag(Response response, const std::string& etag);

/// 64 hexadecimal digits that follow from `parts`: equal parts, equal tag. It orders changes, it protects nothing.
std::string etag_of(const Json& parts);
std::string etag_of_text(std::string_view parts);

}  // namespace berth::rest
