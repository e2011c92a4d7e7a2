/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growable bytes with a consumed front. Caller's storage; { 0 } is an empty
 * buf. Growth aborts only when memory is really out: whoever lets a peer
 * decide the size checks a limit first.
 *
 * A bufpool lends memory to bufs that are empty most of the time (the output
 * of a connection), so that an idle buf owns nothing and a busy one does not
 * ask the heap each time.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/str.h"

struct bufpool;

struct buf {
	char *p;		/* base of the memory */
	size_t from, to;	/* content is p[from .. to) */
	size_t cap;
	struct bufpool *pool;	/* lender, or NULL */
};

/* Gives the memory back; the buf stays usable and keeps its pool. */
void buf_fini(struct buf *);
/* Forgets the content; with a pool, gives the memory back. */
void buf_clear(struct buf *);

static inline size_t
buf_len(const struct buf *b)
{
	return b->to - b->from;
}

static inline char *
buf_data(const struct buf *b)
{
	return b->p + b->from;
}

static inline struct str
buf_str(const struct buf *b)
{
	return (struct str){ b->p ? b->p + b->from : "", b->to - b->from };
}

void buf_grow(struct buf *, size_t more);

/* Room for n bytes at the end; write there, then buf_added(). The pointer is
 * good until the next call that may grow. */
static inline char *
buf_room(struct buf *b, size_t n)
{
	if (UNLIKELY(n > b->cap - b->to))
		buf_grow(b, n);
	return b->p + b->to;
}

static inline void
buf_added(struct buf *b, size_t n)
{
	b->to += n;
}

void buf_add(struct buf *, const void *p, size_t n);
void buf_add_str(struct buf *, struct str);
void buf_addz(struct buf *, const char *z);
void buf_putc(struct buf *, char c);
void buf_printf(struct buf *, const char *fmt, ...) PRINTF_LIKE(2, 3);
void buf_vprintf(struct buf *, const char *fmt, va_list) PRINTF_LIKE(2, 0);
/* Drops n bytes from the front; when nothing is left, acts as buf_clear(). */
void buf_consume(struct buf *, size_t n);
/* Cuts the content to n bytes (n at most buf_len). */
void buf_truncate(struct buf *, size_t n);
/* Content ending in NUL (which is not counted). */
char *buf_cstr(struct buf *);

/* keep: how many blocks of each size class stay for reuse. */
struct bufpool *bufpool_new(unsigned keep) MUST_CHECK;
/* Every buf that borrowed from it must have been cleared. */
void bufpool_free(struct bufpool **);

#endif
