#pragma once

#include <string>
#include <string_view>

namespace berth {

/// The length of the UTF-8 character that `text` begins with; 0 when there is none that a D-Bus text may have (libsystemd
/// refuses surrogates and Unicode's noncharacters as well).
std::size_t character_length(std::string_view text) noexcept;

/// True when D-Bus and JSON can carry `text` as it is: UTF-8 without a NUL.
bool is_text(std::string_view text) noexcept;

/// `text` with a `?` for each byte that is_text() would refuse.
std::string as_text(std::string_view text);

/// Whether two texts are the same but for the case of ASCII letters, as the names of headers and the words of protocols are.
bool same_word(std::string_view a, std::string_view b) noexcept;

}  // namespace berth
