#pragma once

// RapidJSON as Berth uses it: with the instructions that every x86-64 has. Those read aligned blocks, past a text's end but
// never into another page, which a sanitizer cannot know.
#if defined(__SSE2__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define RAPIDJSON_SSE2
#endif

#include <rapidjson/reader.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
