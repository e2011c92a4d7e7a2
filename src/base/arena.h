/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bump allocator: everything taken from it goes at once, by arena_reset().
 * Under AddressSanitizer each allocation is one malloc of the exact size, so
 * that overruns and uses after reset are seen.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stdarg.h>
#include <stddef.h>
#include "base/attr.h"
#include "base/str.h"

struct arena;

/* chunk_size: what is taken from the heap at a time (0 = 4096). One chunk is
 * kept over a reset. */
struct arena *arena_new(size_t chunk_size) MUST_CHECK;
/* Runs the cleanups and frees all; *a becomes NULL. NULL is accepted. */
void arena_free(struct arena **a);
/* Runs the cleanups (last added first) and takes everything back. */
void arena_reset(struct arena *);

/* Aligned for any type, never NULL, not zeroed / zeroed. */
void *arena_alloc(struct arena *, size_t) MUST_CHECK;
void *arena_zalloc(struct arena *, size_t) MUST_CHECK;
/* Copies end in NUL (not counted). An absent slice stays absent. */
struct str arena_str(struct arena *, struct str) MUST_CHECK;
char *arena_strdup(struct arena *, const char *) MUST_CHECK;
struct str arena_printf(struct arena *, const char *fmt, ...)
    PRINTF_LIKE(2, 3) MUST_CHECK;
struct str arena_vprintf(struct arena *, const char *fmt, va_list)
    PRINTF_LIKE(2, 0) MUST_CHECK;

/* Calls fn(ctx) at the next reset or free: for what a library allocated. */
void arena_on_reset(struct arena *, void (*fn)(void *ctx), void *ctx);

/* Bytes handed out since the last reset, for memory budgets. */
size_t arena_used(const struct arena *);

#endif
