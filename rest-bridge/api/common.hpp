#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/names.hpp"
#include "rest-bridge/api/call.hpp"
#include "rest-bridge/api/envelope.hpp"
#include "rest-bridge/api/fields.hpp"
#include "rest-bridge/api/router.hpp"

namespace berth::rest {

/// What the handlers of several resources share.

/// The request's JSON object; an upload where none is expected is InvalidArgument.
Result<Json> body_of(const Context& context);

/// A call on the Manager.
Call manager_call(std::string member, std::vector<Argument> arguments);
/// A call on the instance `{name}` of the route. A name that no instance can have is NotFound.
Result<Call> instance_call(const Context& context, std::string member, std::vector<Argument> arguments);

/// The URLs of the route's instance's snapshots or backups (`kind`), from their objects.
Json urls_below_instance(const Context& context, std::string_view kind, const Json& objects);

/// 202 for the operation at an object path.
Answer accepted(Context& context, std::string operation_path);
/// Makes `call`, whose answer is an operation's path, and answers 202.
Answer run_operation(Context& context, Call call);
/// Makes `call`, waits for the operation to end, and answers 200 or its error. `content` is a descriptor that the call
/// hands over: it is closed once the daemon has its own, so that whoever writes to it learns when nobody reads.
Answer run_to_the_end(Context& context, Call call, UniqueFd content = {});
/// Makes `call`, whose answer does not matter.
Answer run_sync(Context& context, Call call);

/// The daemon's row of an operation. Errors: NotFound.
Task<Result<Json>> operation_row(Context& context, std::string id);
/// The row in the API's form, with its secrets when the asker is the owner.
Json shown_operation(const Context& context, Json row);
/// An operation that is in the API's form already, as an event has it, with the same secrets.
Json with_sockets(const Context& context, Json operation);
/// The id in an operation's object path.
Result<std::string> operation_id_of(const std::string& path);

/// Compares If-Match, when the request has one, with the object's tag. Errors: RevisionMismatch.
Result<void> check_tag(const Context& context, const std::string& etag);
/// Compares If-Match with the object's tag. The revision to be passed as `if-revision`, or nothing when the request
/// has no If-Match. Errors: RevisionMismatch.
Result<std::optional<std::uint64_t>> checked_revision(const Context& context, const std::string& etag, const Json& row);

/// The changes of a PUT or PATCH that instances and profiles have in common: `config`, `devices`, `description`.
/// PUT means all of them, PATCH those that are there.
Result<Options> common_changes(const Json& body, bool whole);

/// Keeps what passes the request's `filter=`.
Result<Json> filtered(const Context& context, Json objects);

}  // namespace berth::rest
