/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints on the scoreboard: open addressing by name, never rehashed. */
#include "ipc/board.h"

#include <string.h>

enum { PROBES = 64 };

/* FNV-1a; the names are the artifacts', so nobody outside chooses them. */
static uint64_t
key_of(struct str name)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ (unsigned char)name.p[i]) * UINT64_C(0x100000001b3);
	return h ? h : 1;
}

/* Whoever finds it without a name writes it: all write the same. */
static void
write_name(struct board_endpoint *e, struct str name)
{
	if (atomic_load_explicit(&e->named, memory_order_acquire))
		return;
	for (size_t i = 0; i < BOARD_NAME_WORDS && i * 8 < name.n; i++) {
		struct str part = str_head(str_from(name, i * 8), 8);
		uint64_t w = 0;

		memcpy(&w, part.p, part.n);
		atomic_store_explicit(&e->name[i], w, memory_order_relaxed);
	}
	atomic_store_explicit(&e->named, 1, memory_order_release);
}

static struct board_endpoint *
claim(struct board_endpoint *e, uint64_t key, struct str name)
{
	uint64_t found = 0;

	if (!atomic_compare_exchange_strong(&e->key, &found, key) &&
	    found != key)
		return NULL;
	write_name(e, name);
	return e;
}

struct board_endpoint *
board_endpoint(struct board *b, struct str name, enum board_want want)
{
	uint64_t key = key_of(name);

	for (uint64_t i = 0; i < PROBES; i++) {
		struct board_endpoint *e =
		    &b->endpoint[(key + i) % BOARD_ENDPOINTS];
		uint64_t found = atomic_load_explicit(&e->key,
		    memory_order_relaxed);

		if (found == key && want == BOARD_MAKE)
			write_name(e, name);
		if (found == key)
			return e;
		if (found)
			continue;
		if (want == BOARD_FIND)
			return NULL;
		/* Somebody may have taken it meanwhile, even for this one. */
		e = claim(e, key, name);
		if (e)
			return e;
	}
	return NULL;
}

size_t
board_endpoint_name(const struct board_endpoint *e, char *out)
{
	size_t n = BOARD_NAME_WORDS * 8;

	if (!atomic_load_explicit(&e->named, memory_order_acquire))
		return 0;
	for (size_t i = 0; i < BOARD_NAME_WORDS; i++) {
		uint64_t w = atomic_load_explicit(&e->name[i],
		    memory_order_relaxed);

		memcpy(out + i * 8, &w, 8);
	}
	while (n > 0 && out[n - 1] == '\0')
		n--;
	return n;
}

bool
board_endpoint_used(const struct board_endpoint *e)
{
	return atomic_load_explicit(&e->key, memory_order_relaxed) != 0;
}

uint64_t
board_endpoint_state(const struct board_endpoint *e)
{
	return atomic_load_explicit(&e->state, memory_order_relaxed);
}

void
board_endpoint_changed(struct board *b)
{
	atomic_fetch_add_explicit(&b->endpoint_changes, 1,
	    memory_order_release);
}

uint64_t
board_endpoint_changes(const struct board *b)
{
	return atomic_load_explicit(&b->endpoint_changes,
	    memory_order_acquire);
}

bool
board_endpoint_swap(struct board *b, struct board_endpoint *e, uint64_t *old,
    uint64_t state)
{
	if (!atomic_compare_exchange_strong_explicit(&e->state, old, state,
	    memory_order_release, memory_order_relaxed))
		return false;
	board_endpoint_changed(b);
	return true;
}

uint64_t
board_endpoint_count(struct board_endpoint *e)
{
	return atomic_fetch_add_explicit(&e->number, 1, memory_order_relaxed);
}

uint64_t
board_endpoint_number(const struct board_endpoint *e)
{
	return atomic_load_explicit(&e->number, memory_order_relaxed);
}

void
board_endpoint_set_number(struct board_endpoint *e, uint64_t v)
{
	atomic_store_explicit(&e->number, v, memory_order_relaxed);
}
