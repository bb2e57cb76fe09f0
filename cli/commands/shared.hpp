#pragma once

#include "cli/context.hpp"
#include "cli/output/listing.hpp"

#include <functional>
#include <string>
#include <string_view>

// What the commands of several nouns share.

namespace berth::cli {

/// Prints a listing in the format that was asked for.
Result<int> print_listing(const Listing& listing, const std::string& format);
/// The `-f,--format` flag of list commands.
Flag format_flag(std::string* format);

/// Reads an object, lets `change` work on the part that a PUT takes, and puts it back unless somebody else changed it
/// meanwhile.
Result<void> change_object(Server& server, const std::string& path, Shape put,
                           const std::function<Result<void>(Json&)>& change);

/// The `edit` command of an object: shows the part that a PUT takes, puts back what the user makes of it.
Result<int> edit_object(Context& context, const std::string& path, Shape shown, Shape put, const std::string& help);

/// Sets one key of a map of texts.
void set_key(Json& map, const std::string& key, const std::string& value);
/// Errors: NotFound when there is no such key.
Result<void> unset_key(Json& map, const std::string& key);

}  // namespace berth::cli
