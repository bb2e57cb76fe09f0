#pragma once

#include <string_view>

#include "rest-bridge/api/call.hpp"

namespace berth::rest::openapi {

/// A type in the notation of schemas.cpp, as a schema of OpenAPI 3.0:
///
///     text time url number real flag object any    what JSON has, by the words of this project
///     (a|b)                                        one of these texts
///     [T]  {T}                                     a list of T; an object whose members are T
///     A|B                                          one or the other
///     T?                                           or null
///     Instance                                     a schema of that name
///
/// What is none of these is taken for a name, which no schema has: a test looks for such references.
Json schema_of(std::string_view type);

/// The named schemas of a text. A line that begins at the margin begins a schema: `Name: what it is`, or
/// `Name < Base: what it is` for one that has the fields of an earlier one, too. Each indented line is a field: its name (with
/// a `?` behind it when it may be missing), its type, and what it means.
/// A `Name?:` may be null itself.
Json schemas_in(std::string_view text);

}  // namespace berth::rest::openapi
