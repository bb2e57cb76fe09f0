#pragma once

#include "cli/command.hpp"

#include <map>

namespace berth::cli {

/// The words of a command line with the user's alias at their beginning replaced, once; flags in front of it stay where
/// they are. What is typed behind an alias comes behind its target, or where the target says @ARGS@.
Strings expand_aliases(const std::map<std::string, std::string>& aliases, const Strings& words);

/// The words of a text, at blanks that stand in no quotes ("a b", 'a b', a\ b).
Strings quoted_words(std::string_view text);

}  // namespace berth::cli
