/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

/* Size classes of a pool, in bytes; beyond the last the heap serves. */
static const size_t classes[] = { 4096, 20480, 81920, 327680 };
enum { CLASSES = ARRAY_LEN(classes), FIRST_HEAP = 256 };

struct block {
	struct block *next;
};

struct bufpool {
	unsigned keep;
	struct {
		struct block *free;
		unsigned count;
	} class[CLASSES];
};

struct bufpool *
bufpool_new(unsigned keep)
{
	struct bufpool *pool = xcalloc(1, sizeof(*pool));

	pool->keep = keep;
	return pool;
}

void
bufpool_free(struct bufpool **pp)
{
	struct bufpool *pool = *pp;

	if (!pool)
		return;
	*pp = NULL;
	for (size_t i = 0; i < CLASSES; i++)
		while (pool->class[i].free) {
			struct block *b = pool->class[i].free;

			pool->class[i].free = b->next;
			free(b);
		}
	free(pool);
}

static size_t
class_for(size_t n)
{
	size_t i = 0;

	while (i < CLASSES && classes[i] < n)
		i++;
	return i;
}

static char *
pool_take(struct bufpool *pool, size_t n, size_t *cap_out)
{
	size_t i = class_for(n);
	struct block *b;

	if (i == CLASSES) {
		*cap_out = n + n / 2;
		return xmalloc(*cap_out);
	}
	*cap_out = classes[i];
	b = pool->class[i].free;
	if (!b || BUILT_WITH_ASAN)
		return xmalloc(classes[i]);
	pool->class[i].free = b->next;
	pool->class[i].count--;
	return (char *)b;
}

static void
pool_give(struct bufpool *pool, char *p, size_t cap)
{
	size_t i = class_for(cap);
	struct block *b = (struct block *)(void *)p;

	if (BUILT_WITH_ASAN || i == CLASSES || classes[i] != cap ||
	    pool->class[i].count >= pool->keep) {
		free(p);
		return;
	}
	b->next = pool->class[i].free;
	pool->class[i].free = b;
	pool->class[i].count++;
}

static void
release(struct buf *b)
{
	if (!b->p)
		return;
	if (b->pool)
		pool_give(b->pool, b->p, b->cap);
	else
		free(b->p);
	b->p = NULL;
	b->cap = 0;
}

void
buf_fini(struct buf *b)
{
	release(b);
	b->from = b->to = 0;
}

void
buf_clear(struct buf *b)
{
	if (b->pool)
		release(b);
	b->from = b->to = 0;
}

void
buf_grow(struct buf *b, size_t more)
{
	size_t len = buf_len(b), need = len + more, cap;
	char *p;

	must(need >= len && need < SIZE_MAX / 4);
	/* Move only what is no longer than what was consumed before it, and
	 * take twice what is there: so that many appends cost few moves. */
	if (b->p && need <= b->cap && b->from >= len) {
		memcpy(b->p, b->p + b->from, len);
		b->from = 0;
		b->to = len;
		return;
	}
	if (need < 2 * len)
		need = 2 * len;
	if (b->pool) {
		p = pool_take(b->pool, need, &cap);
	} else {
		cap = b->cap ? b->cap : FIRST_HEAP;
		while (cap < need)
			cap *= 2;
		p = xmalloc(cap);
	}
	if (len)
		memcpy(p, b->p + b->from, len);
	release(b);
	b->p = p;
	b->cap = cap;
	b->from = 0;
	b->to = len;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	if (n == 0)
		return;
	memcpy(buf_room(b, n), p, n);
	b->to += n;
}

void
buf_add_str(struct buf *b, struct str s)
{
	buf_add(b, s.p, s.n);
}

void
buf_addz(struct buf *b, const char *z)
{
	buf_add(b, z, strlen(z));
}

void
buf_putc(struct buf *b, char c)
{
	*buf_room(b, 1) = c;
	b->to++;
}

void
buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	must(n >= 0);
	vsnprintf(buf_room(b, (size_t)n + 1), (size_t)n + 1, fmt, ap);
	b->to += (size_t)n;
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

void
buf_consume(struct buf *b, size_t n)
{
	must(n <= buf_len(b));
	b->from += n;
	if (b->from == b->to)
		buf_clear(b);
}

void
buf_truncate(struct buf *b, size_t n)
{
	must(n <= buf_len(b));
	b->to = b->from + n;
}

char *
buf_cstr(struct buf *b)
{
	*buf_room(b, 1) = '\0';
	return buf_data(b);
}
