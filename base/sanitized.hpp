#pragma once

// GCC and clang each say in their own way that they build for a sanitizer. BERTH_ADDRESS_SANITIZED: AddressSanitizer, whose
// shadow takes terabytes of addresses; BERTH_MEMORY_WATCHED: that or ThreadSanitizer, both of which see each byte that is read.
#if defined(__clang__)
#if __has_feature(address_sanitizer)
#define BERTH_ADDRESS_SANITIZED
#elif __has_feature(thread_sanitizer)
#define BERTH_MEMORY_WATCHED
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define BERTH_ADDRESS_SANITIZED
#elif defined(__SANITIZE_THREAD__)
#define BERTH_MEMORY_WATCHED
#endif
#ifdef BERTH_ADDRESS_SANITIZED
#define BERTH_MEMORY_WATCHED
#endif
