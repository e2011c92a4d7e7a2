/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

/* A fixed sequence of numbers: a failure shows again at the next run. */
static uint32_t
next_number(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

enum { KEYS = 400 };

/* The naive map: value number i belongs to key number i, or is NULL. */
struct model {
	char key[KEYS][24];
	size_t len[KEYS];
	void *value[KEYS];
	size_t count;
};

static struct str
key_of(const struct model *m, size_t i)
{
	return (struct str){ m->key[i], m->len[i] };
}

static void
model_init(struct model *m)
{
	memset(m, 0, sizeof(*m));
	/* Number 0 is the empty key, some share a front, some hold a NUL. */
	for (size_t i = 1; i < KEYS; i++) {
		m->len[i] = (size_t)snprintf(m->key[i], sizeof(m->key[i]),
		    "%.*sk%zu", (int)(i % 14), "aaaaaaaaaaaaaa", i);
		if (i % 5 == 0)
			m->key[i][0] = '\0';
	}
}

static void
walk(const struct hmap *map, const struct model *m)
{
	bool seen[KEYS] = { false };
	size_t at = 0, n = 0, i;
	struct str key;
	void *value;

	while (hmap_next(map, &at, &key, &value)) {
		for (i = 0; i < KEYS; i++)
			if (str_eq(key, key_of(m, i)))
				break;
		assert_true(i < KEYS);
		assert_false(seen[i]);
		assert_ptr_equal(value, m->value[i]);
		seen[i] = true;
		n++;
	}
	assert_int_equal(n, m->count);
	assert_false(hmap_next(map, &at, &key, &value));
}

static void
against_model(uint32_t seed, unsigned steps, unsigned deletes)
{
	static struct model m;
	static char values[16];
	struct hmap map = { 0 };

	model_init(&m);
	for (unsigned i = 0; i < steps; i++) {
		size_t k = next_number(&seed) % KEYS;
		struct str key = key_of(&m, k);
		void *old = m.value[k];
		void *new = &values[next_number(&seed) % ARRAY_LEN(values)];

		assert_ptr_equal(hmap_get(&map, key), old);
		if (next_number(&seed) % 8 < deletes) {
			assert_ptr_equal(hmap_del(&map, key), old);
			m.value[k] = NULL;
			m.count -= old != NULL;
		} else {
			assert_ptr_equal(hmap_set(&map, key, new), old);
			m.value[k] = new;
			m.count += old == NULL;
		}
		assert_ptr_equal(hmap_get(&map, key), m.value[k]);
		assert_int_equal(hmap_count(&map), m.count);
		if (i % 1000 == 0)
			walk(&map, &m);
	}
	walk(&map, &m);
	hmap_fini(&map);
	assert_int_equal(hmap_count(&map), 0);
	assert_null(hmap_get(&map, key_of(&m, 1)));
	hmap_fini(&map);
}

static void
random_operations(void **state UNUSED)
{
	against_model(1, 20000, 2);
	against_model(2, 20000, 4);
	against_model(3, 20000, 7);
}

/* Coming and going leaves tombstones; they must neither pile up nor make a
 * lookup run for ever. */
static void
churn(void **state UNUSED)
{
	struct hmap map = { 0 };
	char key[24];
	int value;

	for (int i = 0; i < 20000; i++) {
		struct str k = { key, (size_t)snprintf(key, sizeof(key),
		    "connection-%d", i) };

		assert_null(hmap_set(&map, k, &value));
		assert_ptr_equal(hmap_del(&map, k), &value);
		assert_null(hmap_del(&map, k));
	}
	assert_int_equal(hmap_count(&map), 0);
	assert_true(map.cap <= 64);
	hmap_fini(&map);
}

static void
keys_are_copied(void **state UNUSED)
{
	struct hmap map = { 0 };
	char key[] = "name";
	int value;

	assert_null(hmap_set(&map, str_of(key), &value));
	memset(key, '?', 4);
	assert_ptr_equal(hmap_get(&map, STR("name")), &value);
	assert_null(hmap_get(&map, STR("????")));
	hmap_fini(&map);
}

/* An absent key is the empty one. */
static void
empty_and_absent(void **state UNUSED)
{
	struct hmap map = { 0 };
	int one, two;

	assert_null(hmap_get(&map, STR_NULL));
	assert_null(hmap_del(&map, STR_NULL));
	assert_null(hmap_set(&map, STR(""), &one));
	assert_ptr_equal(hmap_get(&map, STR_NULL), &one);
	assert_ptr_equal(hmap_set(&map, STR_NULL, &two), &one);
	assert_ptr_equal(hmap_del(&map, STR_NULL), &two);
	assert_null(hmap_set(&map, STR_NULL, &one));
	assert_ptr_equal(hmap_get(&map, STR("")), &one);
	hmap_fini(&map);
}

static void
hash_depends_on_all(void **state UNUSED)
{
	char text[40];
	uint64_t whole;

	memset(text, 'x', sizeof(text));
	for (size_t n = 0; n < sizeof(text); n++) {
		assert_true(hash_bytes(text, n) == hash_bytes(text, n));
		assert_true(hash_bytes(text, n) != hash_bytes(text, n + 1));
		whole = hash_bytes(text, n);
		for (size_t i = 0; i < n; i++) {
			text[i] ^= 1;
			assert_true(hash_bytes(text, n) != whole);
			text[i] ^= 1;
		}
	}
}

/* Low bits choose the slot: similar keys must spread. */
static void
hash_spreads(void **state UNUSED)
{
	unsigned hits[64] = { 0 };
	char key[24];

	for (int i = 0; i < 6400; i++) {
		size_t n = (size_t)snprintf(key, sizeof(key), "k%d", i);

		hits[hash_bytes(key, n) % 64]++;
	}
	for (size_t i = 0; i < ARRAY_LEN(hits); i++)
		assert_in_range(hits[i], 30, 250);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_operations),
		cmocka_unit_test(churn),
		cmocka_unit_test(keys_are_copied),
		cmocka_unit_test(empty_and_absent),
		cmocka_unit_test(hash_depends_on_all),
		cmocka_unit_test(hash_spreads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
