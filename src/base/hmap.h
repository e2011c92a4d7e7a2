/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A map from byte strings to pointers, with a keyed hash (SipHash-1-3 with a
 * random key per process), so that a peer who chooses keys cannot make it
 * slow. Keys are copied.
 */
#ifndef BASE_HMAP_H
#define BASE_HMAP_H

#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/str.h"

struct hmap_slot;

/* { 0 } is an empty map. */
struct hmap {
	struct hmap_slot *slot;
	size_t cap, used, filled;	/* filled counts tombstones too */
};

void hmap_fini(struct hmap *);
/* NULL when there is none. */
void *hmap_get(const struct hmap *, struct str key);
/* Sets key to value (not NULL); returns the value it replaces, or NULL. */
void *hmap_set(struct hmap *, struct str key, void *value);
/* Returns what was there, or NULL. */
void *hmap_del(struct hmap *, struct str key);
size_t hmap_count(const struct hmap *);
/* Steps through all entries: *at starts at 0; false at the end. The map must
 * not change meanwhile. */
bool hmap_next(const struct hmap *, size_t *at, struct str *key_out,
    void **value_out);

uint64_t hash_bytes(const void *p, size_t n);

#endif
