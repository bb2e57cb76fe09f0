#pragma once

#include "base/sanitized.hpp"

// RapidJSON as Berth uses it: with the instructions that every x86-64 has. Those read aligned blocks, past a text's end but
// never into another page, which a sanitizer cannot know. Nor can clang's that its empty stack adds to a null pointer.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((no_sanitize("pointer-overflow"))), apply_to = function)
#endif
#if defined(__SSE2__) && !defined(BERTH_MEMORY_WATCHED)
#define RAPIDJSON_SSE2
#endif

#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#if defined(__clang__)
#pragma clang attribute pop
#endif
