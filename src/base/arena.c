/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"

struct chunk {
	struct chunk *next;
	size_t cap;
	alignas(max_align_t) char data[];
};

struct cleanup {
	struct cleanup *next;
	void (*fn)(void *ctx);
	void *ctx;
};

struct arena {
	char *at, *end;			/* free room of the first chunk */
	struct chunk *chunks;		/* newest first; the last one is kept */
	struct cleanup *cleanups;
	size_t chunk_size, used;
};

static struct chunk *
chunk_new(struct arena *a, size_t cap)
{
	struct chunk *c;

	must(cap < SIZE_MAX - sizeof(*c));
	c = xmalloc(sizeof(*c) + cap);
	c->cap = cap;
	c->next = a->chunks;
	a->chunks = c;
	return c;
}

struct arena *
arena_new(size_t chunk_size)
{
	struct arena *a = xcalloc(1, sizeof(*a));

	a->chunk_size = chunk_size ? chunk_size : 4096;
	return a;
}

static void *
alloc_slow(struct arena *a, size_t n)
{
	struct chunk *c;

	if (BUILT_WITH_ASAN)
		return chunk_new(a, n)->data;
	if (n > a->chunk_size / 4 && a->chunks) {
		/* Large: a chunk of its own behind the one in use. */
		struct chunk *first = a->chunks;

		a->chunks = first->next;
		c = chunk_new(a, n);
		first->next = c;
		a->chunks = first;
		return c->data;
	}
	c = chunk_new(a, n > a->chunk_size ? n : a->chunk_size);
	a->at = c->data + n;
	a->end = c->data + c->cap;
	return c->data;
}

void *
arena_alloc(struct arena *a, size_t n)
{
	size_t want;
	char *p = a->at;

	must(n < SIZE_MAX / 2);
	want = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	a->used += want;
	if (BUILT_WITH_ASAN)
		return alloc_slow(a, n ? n : 1);
	if (LIKELY(p && want <= (size_t)(a->end - p))) {
		a->at = p + want;
		return p;
	}
	return alloc_slow(a, want);
}

void *
arena_zalloc(struct arena *a, size_t n)
{
	return memset(arena_alloc(a, n), 0, n);
}

struct str
arena_str(struct arena *a, struct str s)
{
	char *p;

	if (!s.p)
		return s;
	p = arena_alloc(a, s.n + 1);
	if (s.n)
		memcpy(p, s.p, s.n);
	p[s.n] = '\0';
	return (struct str){ p, s.n };
}

char *
arena_strdup(struct arena *a, const char *z)
{
	size_t n = strlen(z) + 1;

	return memcpy(arena_alloc(a, n), z, n);
}

struct str
arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *p;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, again);
	va_end(again);
	must(n >= 0);
	p = arena_alloc(a, (size_t)n + 1);
	vsnprintf(p, (size_t)n + 1, fmt, ap);
	return (struct str){ p, (size_t)n };
}

struct str
arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	struct str s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

void
arena_on_reset(struct arena *a, void (*fn)(void *ctx), void *ctx)
{
	struct cleanup *c = arena_alloc(a, sizeof(*c));

	*c = (struct cleanup){ .next = a->cleanups, .fn = fn, .ctx = ctx };
	a->cleanups = c;
}

static void
run_cleanups(struct arena *a)
{
	while (a->cleanups) {
		struct cleanup *c = a->cleanups;

		a->cleanups = c->next;
		c->fn(c->ctx);
	}
}

void
arena_reset(struct arena *a)
{
	struct chunk *keep = NULL;

	run_cleanups(a);
	while (a->chunks) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		if (!BUILT_WITH_ASAN && !keep && c->cap == a->chunk_size)
			keep = c;
		else
			free(c);
	}
	a->used = 0;
	a->at = a->end = NULL;
	if (keep) {
		keep->next = NULL;
		a->chunks = keep;
		a->at = keep->data;
		a->end = keep->data + keep->cap;
	}
}

void
arena_free(struct arena **ap)
{
	struct arena *a = *ap;

	if (!a)
		return;
	*ap = NULL;
	run_cleanups(a);
	while (a->chunks) {
		struct chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	free(a);
}

size_t
arena_used(const struct arena *a)
{
	return a->used;
}
