/* SPDX-License-Identifier: Apache-2.0 */
/*
 * must() states what only a bug can break. It is always on. Nothing that a
 * peer, a file or an operator can send may reach it: those get a struct err.
 */
#ifndef BASE_MUST_H
#define BASE_MUST_H

#include <stddef.h>
#include "base/attr.h"

#define must(x) \
	(LIKELY(x) ? (void)0 : must_failed(#x, __FILE__, __LINE__, __func__))
#define unreachable() \
	must_failed("unreachable", __FILE__, __LINE__, __func__)

void must_failed(const char *what, const char *file, int line,
    const char *func) NORETURN;

/*
 * Names the work in hand (connection, artifact position) for the crash report;
 * text is copied, NULL clears it. Costs one bounded copy: call it per event,
 * not per byte.
 */
void must_context(const char *text);

/* malloc family that never returns NULL: running out of memory aborts. For
 * sizes that we choose; sizes that a peer chooses are bounded first. */
void *xmalloc(size_t size) MUST_CHECK;
void *xcalloc(size_t count, size_t size) MUST_CHECK;
void *xrealloc(void *p, size_t size) MUST_CHECK;
char *xstrdup(const char *s) MUST_CHECK;

#endif
