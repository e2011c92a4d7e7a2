/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hmap.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/rand.h"

struct hmap_slot {
	uint64_t hash;
	char *key;		/* NULL: free, or a tombstone when dead */
	size_t len;
	void *value;
	bool dead;
};

static uint64_t
rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1], v[1] = rotl(v[1], 13), v[1] ^= v[0], v[0] = rotl(v[0], 32);
	v[2] += v[3], v[3] = rotl(v[3], 16), v[3] ^= v[2];
	v[0] += v[3], v[3] = rotl(v[3], 21), v[3] ^= v[0];
	v[2] += v[1], v[1] = rotl(v[1], 17), v[1] ^= v[2], v[2] = rotl(v[2], 32);
}

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash: a fast short-input PRF"). */
uint64_t
hash_bytes(const void *p, size_t n)
{
	static uint64_t key[2];
	static bool keyed;
	uint64_t v[4], w = 0;
	const char *at = p;

	if (UNLIKELY(!keyed)) {
		rand_bytes(key, sizeof(key));
		keyed = true;
	}
	v[0] = key[0] ^ 0x736f6d6570736575u, v[1] = key[1] ^ 0x646f72616e646f6du;
	v[2] = key[0] ^ 0x6c7967656e657261u, v[3] = key[1] ^ 0x7465646279746573u;
	for (size_t left = n; left >= 8; left -= 8, at += 8) {
		memcpy(&w, at, 8);
		v[3] ^= w;
		sip_round(v);
		v[0] ^= w;
	}
	w = 0;
	if (n % 8)
		memcpy(&w, at, n % 8);
	w |= (uint64_t)n << 56;
	v[3] ^= w;
	sip_round(v);
	v[0] ^= w;
	v[2] ^= 0xFF;
	for (int i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

void
hmap_fini(struct hmap *m)
{
	for (size_t i = 0; i < m->cap; i++)
		free(m->slot[i].key);
	free(m->slot);
	*m = (struct hmap){ 0 };
}

static struct hmap_slot *
find(const struct hmap *m, struct str key, uint64_t hash)
{
	if (m->cap == 0)
		return NULL;
	for (size_t i = hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
		struct hmap_slot *s = &m->slot[i];

		if (!s->key && !s->dead)
			return NULL;
		if (s->key && s->hash == hash &&
		    str_eq((struct str){ s->key, s->len }, key))
			return s;
	}
}

static void
insert(struct hmap *m, struct hmap_slot new)
{
	size_t i = new.hash & (m->cap - 1);

	while (m->slot[i].key)
		i = (i + 1) & (m->cap - 1);
	if (!m->slot[i].dead)
		m->filled++;
	m->slot[i] = new;
	m->used++;
}

static void
rehash(struct hmap *m)
{
	struct hmap old = *m;

	m->cap = 8;
	while (m->cap < old.used * 4)
		m->cap *= 2;
	m->slot = xcalloc(m->cap, sizeof(*m->slot));
	m->used = m->filled = 0;
	for (size_t i = 0; i < old.cap; i++)
		if (old.slot[i].key)
			insert(m, old.slot[i]);
	free(old.slot);
}

void *
hmap_get(const struct hmap *m, struct str key)
{
	struct hmap_slot *s = m->used ?
	    find(m, key, hash_bytes(key.p, key.n)) : NULL;

	return s ? s->value : NULL;
}

void *
hmap_set(struct hmap *m, struct str key, void *value)
{
	uint64_t hash = hash_bytes(key.p, key.n);
	struct hmap_slot *s = find(m, key, hash);
	void *old;

	must(value != NULL);
	if (s) {
		old = s->value;
		s->value = value;
		return old;
	}
	if (m->filled * 4 >= m->cap * 3)
		rehash(m);
	insert(m, (struct hmap_slot){ .hash = hash, .value = value,
	    .key = str_dup(key.p ? key : STR("")), .len = key.n });
	return NULL;
}

void *
hmap_del(struct hmap *m, struct str key)
{
	struct hmap_slot *s = find(m, key, hash_bytes(key.p, key.n));
	void *old;

	if (!s)
		return NULL;
	old = s->value;
	free(s->key);
	*s = (struct hmap_slot){ .dead = true };
	m->used--;
	return old;
}

size_t
hmap_count(const struct hmap *m)
{
	return m->used;
}

bool
hmap_next(const struct hmap *m, size_t *at, struct str *key_out,
    void **value_out)
{
	while (*at < m->cap) {
		const struct hmap_slot *s = &m->slot[(*at)++];

		if (!s->key)
			continue;
		*key_out = (struct str){ s->key, s->len };
		*value_out = s->value;
		return true;
	}
	return false;
}
