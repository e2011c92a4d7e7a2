/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#if BUILT_WITH_ASAN
#include <sanitizer/asan_interface.h>
#endif

static const size_t chunk_sizes[] = { 0, 1, 16, 100, 4096 };

static bool
aligned(const void *p)
{
	return (uintptr_t)p % alignof(max_align_t) == 0;
}

/* Nothing overlaps, whatever the sizes and the chunks: each piece keeps the
 * pattern written into it. */
static void
pieces_are_apart(void **state UNUSED)
{
	enum { PIECES = 300 };
	struct { unsigned char *p; size_t n; } piece[PIECES];

	for (size_t c = 0; c < ARRAY_LEN(chunk_sizes); c++) {
		struct arena *a = arena_new(chunk_sizes[c]);

		for (int round = 0; round < 3; round++) {
			for (size_t i = 0; i < PIECES; i++) {
				size_t n = i * i * 7 % 1500 + (i % 5 == 0) *
				    (i * 50);

				piece[i].n = n;
				piece[i].p = arena_alloc(a, n);
				assert_non_null(piece[i].p);
				assert_true(aligned(piece[i].p));
				memset(piece[i].p, (int)(i & 0xFF), n);
			}
			for (size_t i = 0; i < PIECES; i++)
				for (size_t k = 0; k < piece[i].n; k++)
					if (piece[i].p[k] != (i & 0xFF))
						fail_msg("piece %zu at %zu", i,
						    k);
			arena_reset(a);
		}
		arena_free(&a);
		assert_null(a);
	}
}

static void
used_is_counted(void **state UNUSED)
{
	struct arena *a = arena_new(64);
	size_t asked = 0, pieces = 0;

	assert_int_equal(arena_used(a), 0);
	for (size_t n = 0; n < 500; n += 7) {
		(void)!arena_alloc(a, n);
		asked += n;
		pieces++;
		assert_true(arena_used(a) >= asked);
		assert_true(arena_used(a) <=
		    asked + pieces * alignof(max_align_t));
	}
	arena_reset(a);
	assert_int_equal(arena_used(a), 0);
	arena_free(&a);
}

static void
zeroed(void **state UNUSED)
{
	struct arena *a = arena_new(256);

	for (int round = 0; round < 4; round++) {
		for (size_t n = 1; n < 400; n += 13) {
			unsigned char *p = arena_zalloc(a, n);

			for (size_t i = 0; i < n; i++)
				assert_int_equal(p[i], 0);
			memset(p, 0xAA, n);
		}
		arena_reset(a);
	}
	arena_free(&a);
}

static void
copies(void **state UNUSED)
{
	struct arena *a = arena_new(32);
	char source[] = "some text";
	struct str s = arena_str(a, (struct str){ source, 4 });
	struct str none = arena_str(a, STR_NULL);
	struct str empty = arena_str(a, STR(""));
	char *z = arena_strdup(a, source);

	memset(source, '?', sizeof(source) - 1);
	assert_int_equal(s.n, 4);
	assert_string_equal(s.p, "some");
	assert_null(none.p);
	assert_int_equal(none.n, 0);
	assert_non_null(empty.p);
	assert_int_equal(empty.n, 0);
	assert_string_equal(empty.p, "");
	assert_string_equal(z, "some text");
	arena_free(&a);
}

static void
printed(void **state UNUSED)
{
	struct arena *a = arena_new(32);
	struct str s = arena_printf(a, "%d %s", 42, "things");
	struct str longer = arena_printf(a, "%0500d|", 7);
	struct str empty = arena_printf(a, "%s", "");

	assert_int_equal(s.n, 9);
	assert_string_equal(s.p, "42 things");
	assert_int_equal(longer.n, 501);
	assert_int_equal(strlen(longer.p), 501);
	assert_memory_equal(longer.p + 498, "07|", 3);
	assert_int_equal(empty.n, 0);
	assert_string_equal(empty.p, "");
	arena_free(&a);
}

static int trail;

static void
leave_trail(void *ctx)
{
	trail = trail * 10 + *(const int *)ctx;
}

static void
last_cleanup_first(void **state UNUSED)
{
	struct arena *a = arena_new(0);
	int one = 1, two = 2, three = 3;

	trail = 0;
	arena_on_reset(a, leave_trail, &one);
	arena_on_reset(a, leave_trail, &two);
	assert_int_equal(trail, 0);
	arena_reset(a);
	assert_int_equal(trail, 21);
	arena_reset(a);
	assert_int_equal(trail, 21);
	arena_on_reset(a, leave_trail, &three);
	arena_free(&a);
	assert_int_equal(trail, 213);
	arena_free(&a);
}

struct late {
	struct arena *a;
	int *number;
	int left;
};

/* What a cleanup reads is still there, and it may ask for more of both. */
static void
read_and_add(void *ctx)
{
	struct late *l = ctx;

	trail += *l->number;
	(void)!arena_alloc(l->a, 0);
	(void)!arena_alloc(l->a, 5000);
	if (l->left-- > 0)
		arena_on_reset(l->a, read_and_add, l);
}

static void
cleanup_sees_the_arena(void **state UNUSED)
{
	for (int how = 0; how < 2; how++) {
		struct arena *a = arena_new(128);
		struct late l = { .a = a, .left = 2 };

		l.number = arena_alloc(a, sizeof(*l.number));
		*l.number = 7;
		trail = 0;
		arena_on_reset(l.a, read_and_add, &l);
		if (how)
			arena_reset(a);
		arena_free(&a);
		assert_int_equal(trail, 21);
	}
}

#if BUILT_WITH_ASAN
/* The promise of arena.h: overruns by one byte and uses after a reset are
 * seen by the sanitizer. */
static void
poisoned(void **state UNUSED)
{
	struct arena *a = arena_new(4096);
	char *p = arena_alloc(a, 13), *q = arena_alloc(a, 1);

	assert_null(__asan_region_is_poisoned(p, 13));
	assert_int_equal(__asan_address_is_poisoned(p + 13), 1);
	assert_int_equal(__asan_address_is_poisoned(q + 1), 1);
	arena_reset(a);
	assert_int_equal(__asan_address_is_poisoned(p), 1);
	assert_int_equal(__asan_address_is_poisoned(q), 1);
	arena_free(&a);
}
#else
/* One chunk stays over a reset: the steady state asks the heap for nothing. */
static void
chunk_is_kept(void **state UNUSED)
{
	struct arena *a = arena_new(1024);
	void *first = NULL;

	(void)!arena_alloc(a, 5000);
	(void)!arena_alloc(a, 900);
	arena_reset(a);
	for (int i = 0; i < 100; i++) {
		void *p = arena_alloc(a, 100);

		(void)!arena_alloc(a, 800);
		arena_reset(a);
		if (i == 0)
			first = p;
		assert_ptr_equal(p, first);
	}
	arena_free(&a);
}
#endif

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_apart),
		cmocka_unit_test(used_is_counted),
		cmocka_unit_test(zeroed),
		cmocka_unit_test(copies),
		cmocka_unit_test(printed),
		cmocka_unit_test(last_cleanup_first),
		cmocka_unit_test(cleanup_sees_the_arena),
#if BUILT_WITH_ASAN
		cmocka_unit_test(poisoned),
#else
		cmocka_unit_test(chunk_is_kept),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
