/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/must.h"

/* A fixed sequence of numbers: a failure shows again at the next run. */
static uint32_t
next_number(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

static void
same(const struct buf *b, const char *model, size_t n)
{
	assert_int_equal(buf_len(b), n);
	assert_int_equal(buf_str(b).n, n);
	assert_non_null(buf_str(b).p);
	if (n)
		assert_memory_equal(buf_str(b).p, model, n);
	assert_true(b->from <= b->to);
	assert_true(b->to <= b->cap);
}

enum { MODEL_MAX = 1 << 20 };

static void
against_model(struct buf *b, uint32_t seed, size_t most, unsigned steps)
{
	char *model = xmalloc(MODEL_MAX), *piece = xmalloc(most + 1);
	size_t n = 0, k;

	for (unsigned i = 0; i < steps; i++) {
		size_t len = next_number(&seed) % (most + 1);

		memset(piece, (int)('a' + i % 26), len);
		switch (next_number(&seed) % 8) {
		case 0:
		case 1:
		case 2:
			if (n + len > MODEL_MAX)
				break;
			buf_add(b, piece, len);
			memcpy(model + n, piece, len);
			n += len;
			break;
		case 3:
			if (n + len > MODEL_MAX || len == 0)
				break;
			memcpy(buf_room(b, len), piece, len);
			buf_added(b, len);
			memcpy(model + n, piece, len);
			n += len;
			break;
		case 4:
			if (n == MODEL_MAX)
				break;
			buf_putc(b, 'Z');
			model[n++] = 'Z';
			break;
		case 5:
			k = next_number(&seed) % (n + 1);
			buf_consume(b, k);
			memmove(model, model + k, n - k);
			n -= k;
			break;
		case 6:
			k = n - next_number(&seed) % (n / 8 + 1);
			buf_truncate(b, k);
			n = k;
			break;
		default:
			if (next_number(&seed) % 16 == 0) {
				buf_clear(b);
				n = 0;
			} else if (n) {
				assert_memory_equal(buf_cstr(b), model, n);
				assert_int_equal(buf_data(b)[n], '\0');
			}
			break;
		}
		same(b, model, n);
	}
	buf_fini(b);
	same(b, model, 0);
	assert_null(b->p);
	free(model), free(piece);
}

static const struct {
	size_t most;
	unsigned steps;
} patterns[] = { { 3, 5000 }, { 300, 3000 }, { 5000, 2000 }, { 90000, 200 } };

static void
random_on_the_heap(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		struct buf b = { 0 };

		against_model(&b, (uint32_t)i, patterns[i].most,
		    patterns[i].steps);
	}
}

static void
random_with_pool(void **state UNUSED)
{
	for (unsigned keep = 0; keep < 3; keep++) {
		struct bufpool *pool = bufpool_new(keep);

		for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
			struct buf b = { .pool = pool };

			against_model(&b, (uint32_t)i + 77, patterns[i].most,
			    patterns[i].steps);
			assert_ptr_equal(b.pool, pool);
		}
		bufpool_free(&pool);
		assert_null(pool);
		bufpool_free(&pool);
	}
}

/* An idle buf of a pool owns nothing. */
static void
empty_owns_nothing(void **state UNUSED)
{
	struct bufpool *pool = bufpool_new(4);
	struct buf b = { .pool = pool }, heap = { 0 };

	buf_addz(&b, "something");
	assert_non_null(b.p);
	buf_consume(&b, 9);
	assert_null(b.p);
	assert_int_equal(b.cap, 0);
	buf_addz(&b, "again");
	buf_clear(&b);
	assert_null(b.p);
	bufpool_free(&pool);
	buf_addz(&heap, "something");
	buf_consume(&heap, 9);
	assert_non_null(heap.p);
	assert_int_equal(heap.from, 0);
	buf_fini(&heap);
}

static void
capacity_by_class(void **state UNUSED)
{
	static const struct {
		size_t n, cap;
	} rows[] = { { 1, 4096 }, { 4096, 4096 }, { 4097, 20480 },
		{ 20480, 20480 }, { 20481, 81920 }, { 81921, 327680 },
		{ 327680, 327680 }, { 327681, 0 } };
	struct bufpool *pool = bufpool_new(2);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { .pool = pool };

		memset(buf_room(&b, rows[i].n), 1, rows[i].n);
		buf_added(&b, rows[i].n);
		if (rows[i].cap)
			assert_int_equal(b.cap, rows[i].cap);
		else
			assert_true(b.cap >= rows[i].n);
		buf_clear(&b);
	}
	bufpool_free(&pool);
}

#if !BUILT_WITH_ASAN
/* Under the sanitizer blocks go through the heap, so that it sees misuse. */
static void
blocks_come_back(void **state UNUSED)
{
	struct bufpool *pool = bufpool_new(1);
	struct buf a = { .pool = pool }, b = { .pool = pool };
	const char *block;

	buf_putc(&a, 'a');
	block = a.p;
	buf_clear(&a);
	buf_putc(&b, 'b');
	assert_ptr_equal(b.p, block);
	buf_clear(&b);
	bufpool_free(&pool);
}
#endif

/*
 * A long queue that is filled and drained a little at a time must not be
 * moved at each step. Counted in moves, not in time: memory that moved has
 * another address or another front.
 */
static void
few_moves(struct bufpool *pool, size_t backlog)
{
	struct buf b = { .pool = pool };
	size_t moves = 0, steps = 20000;

	while (buf_len(&b) < backlog)
		buf_putc(&b, 'x');
	/* The worst start: the memory is full to the brim. */
	while (b.to < b.cap)
		buf_putc(&b, 'x');
	for (size_t i = 0; i < steps; i++) {
		const char *at;

		buf_consume(&b, 1);
		at = buf_data(&b);
		buf_putc(&b, 'y');
		moves += buf_data(&b) != at;
	}
	if (moves > steps / 1000 + 5)
		fail_msg("backlog %zu: moved %zu times in %zu steps", backlog,
		    moves, steps);
	buf_fini(&b);
}

static void
queue_is_not_moved_each_time(void **state UNUSED)
{
	struct bufpool *pool = bufpool_new(2);

	few_moves(NULL, 5000);
	few_moves(NULL, 60000);
	few_moves(pool, 5000);
	few_moves(pool, 60000);
	few_moves(pool, 400000);
	bufpool_free(&pool);
}

static void
printed(void **state UNUSED)
{
	struct buf b = { 0 };

	buf_printf(&b, "%s", "");
	assert_int_equal(buf_len(&b), 0);
	for (int i = 0; i < 100; i++)
		buf_printf(&b, "%d,", i);
	assert_int_equal(buf_len(&b), 290);
	assert_memory_equal(buf_data(&b), "0,1,2,3,", 8);
	assert_string_equal(buf_cstr(&b) + 287, "99,");
	buf_clear(&b);
	buf_printf(&b, "%02000d", 5);
	assert_int_equal(buf_len(&b), 2000);
	buf_fini(&b);
}

static void
strings(void **state UNUSED)
{
	struct buf b = { 0 };

	assert_string_equal(buf_cstr(&b), "");
	buf_add_str(&b, STR("ab"));
	buf_add_str(&b, STR_NULL);
	buf_add_str(&b, STR(""));
	buf_add(&b, NULL, 0);
	buf_addz(&b, "");
	buf_addz(&b, "cd");
	assert_true(str_is(buf_str(&b), "abcd"));
	assert_string_equal(buf_cstr(&b), "abcd");
	assert_int_equal(buf_len(&b), 4);
	buf_truncate(&b, 1);
	assert_string_equal(buf_cstr(&b), "a");
	buf_truncate(&b, 0);
	assert_int_equal(buf_len(&b), 0);
	buf_fini(&b);
	buf_fini(&b);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_on_the_heap),
		cmocka_unit_test(random_with_pool),
		cmocka_unit_test(empty_owns_nothing),
		cmocka_unit_test(capacity_by_class),
#if !BUILT_WITH_ASAN
		cmocka_unit_test(blocks_come_back),
#endif
		cmocka_unit_test(queue_is_not_moved_each_time),
		cmocka_unit_test(printed),
		cmocka_unit_test(strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
