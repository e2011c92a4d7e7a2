/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base knows C, libc and POSIX, and nothing of wsgw. Whatever is useful to two
 * folders and belongs to neither lives here; nothing here includes upwards.
 *
 * attr.h is the only place where compiler extensions are spelled out.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, args) __attribute__((format(printf, fmt, args)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))
#define LIKELY(x) __builtin_expect(!!(x), 1)
#define UNLIKELY(x) __builtin_expect(!!(x), 0)
/* Number of the lowest bit that is set; x is an unsigned int, not 0. */
#define LOWEST_BIT(x) ((unsigned)__builtin_ctz(x))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define container_of(ptr, type, member) \
	((type *)(void *)((char *)(ptr) - offsetof(type, member)))

/* For handing a const object to a library that forgot to say const. */
#define UNCONST(ptr) ((void *)(size_t)(const void *)(ptr))

#if defined(__SANITIZE_ADDRESS__)
#define BUILT_WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define BUILT_WITH_ASAN 1
#endif
#endif
#ifndef BUILT_WITH_ASAN
#define BUILT_WITH_ASAN 0
#endif

#endif
