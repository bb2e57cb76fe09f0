#pragma once

#include "base/result.hpp"

#include <functional>
#include <string>

namespace berth::cli {

/// What an `edit` command does. With standard input that is no terminal, its text is applied once. On a terminal
/// `text`, with `help` above it as comments, is opened in the user's editor ($VISUAL, $EDITOR, or one that is there);
/// what `apply` refuses is told and opened again for as long as the user wants. Nothing happens when nothing was
/// changed.
Result<void> edit(const std::string& help, const std::string& text,
                  const std::function<Result<void>(const std::string&)>& apply);

/// `text` as the user leaves it in the editor. Errors: Cancelled when the editor failed.
Result<std::string> edited_text(const std::string& text);

}  // namespace berth::cli
