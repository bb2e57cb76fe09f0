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

/// The server and the filters of a list command.
struct Filters {
  Server* server = nullptr;
  Strings filters;
};
/// The arguments of a list command, whose first one may be a remote or begin with one.
Result<Filters> filters_of(Context& context, const Strings& arguments);

/// What `[remote:]name` and the two words `remote: name` say alike.
Result<Place> split_last(Context& context, const Strings& arguments);

/// The `edit` command of an object: shows the part that a PUT takes, puts back what the user makes of it.
Result<int> edit_object(Server& server, const std::string& path, Shape shown, Shape put, const std::string& help);

/// An instance as the user has to write it: with its remote, unless that is the default one.
std::string hinted_name(Context& context, const Place& place);
/// The error of an action, with how to see the instance's log.
Error with_hint(Error error, const std::string& hinted);

/// Sets one key of a map of texts.
void set_key(Json& map, const std::string& key, const std::string& value);
/// Errors: NotFound when there is no such key.
Result<void> unset_key(Json& map, const std::string& key);

}  // namespace berth::cli
