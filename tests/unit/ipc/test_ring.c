/* SPDX-License-Identifier: Apache-2.0 */
/* The broadcast ring: order, laps, hostile lanes, writers that are killed. */
#include "ipc/ring.h"

#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"

static struct ring *
make(unsigned lanes, size_t bytes)
{
	struct err err;
	struct ring *r = ring_new(lanes, bytes, &err);

	assert_non_null(r);
	return r;
}

static void
publish(struct ring *r, unsigned lane, const void *p, size_t n)
{
	const struct str part = { p, n };
	struct err err;

	assert_int_equal(ring_publish(r, lane, &part, 1, &err), 0);
}

static void
test_one_record_of_parts(void **state UNUSED)
{
	struct ring *r = make(2, 1 << 18);
	struct ring_reader *rd = ring_reader_new(r, 1);
	const struct str parts[] = { STR("ab"), STR(""), STR("cde") };
	struct str got;
	uint64_t lost;
	unsigned lane;
	struct err err;

	ring_writer_start(r, 0);
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_EMPTY);
	assert_int_equal(ring_publish(r, 0, parts, 3, &err), 0);
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_GOT);
	assert_int_equal(lane, 0);
	assert_true(str_is(got, "abcde"));
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_EMPTY);
	ring_reader_free(&rd);
	ring_free(&r);
}

static void
test_own_lane_is_not_read(void **state UNUSED)
{
	struct ring *r = make(2, 1 << 18);
	struct ring_reader *rd = ring_reader_new(r, 0);
	struct str got;
	uint64_t lost;
	unsigned lane;

	publish(r, 0, "x", 1);
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_EMPTY);
	ring_reader_free(&rd);
	ring_free(&r);
}

/* Sizes around the units and around the end of the lane, many times over. */
static void
test_wraps_keep_order_and_bytes(void **state UNUSED)
{
	struct ring *r = make(2, 1 << 17);
	struct ring_reader *rd = ring_reader_new(r, 1);
	char out[30000];
	unsigned seed = 7;

	for (uint32_t i = 0; i < 20000; i++) {
		size_t n = 4 + (seed = seed * 1103515245 + 12345) / 65536 %
		    (i % 50 ? 300 : sizeof(out) - 4);
		struct str got;
		uint64_t lost;
		unsigned lane;

		memset(out, (int)i, n);
		memcpy(out, &i, sizeof(i));
		publish(r, 0, out, n);
		assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_GOT);
		assert_int_equal(got.n, n);
		assert_memory_equal(got.p, out, n);
	}
	ring_reader_free(&rd);
	ring_free(&r);
}

static void
test_too_large(void **state UNUSED)
{
	struct ring *r = make(1, 1 << 17);
	size_t n = ring_max_record(r);
	struct str part = { calloc(1, n + 1), n };
	struct err err;

	for (int i = 0; i < 5; i++)
		assert_int_equal(ring_publish(r, 0, &part, 1, &err), 0);
	part.n++;
	assert_int_equal(ring_publish(r, 0, &part, 1, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	free((void *)(size_t)part.p);
	ring_free(&r);
}

static void
test_lapped_reader_knows_how_many(void **state UNUSED)
{
	struct ring *r = make(2, 1 << 17);
	struct ring_reader *rd = ring_reader_new(r, 1);
	char out[1000] = { 0 };
	struct str got;
	uint64_t lost = 0, sum = 0;
	unsigned lane;
	uint32_t i;

	for (i = 0; i < 500; i++) {
		memcpy(out, &i, sizeof(i));
		publish(r, 0, out, sizeof(out));
	}
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_LAPPED);
	assert_int_equal(lost, 500);
	/* From here on nothing is missing. */
	for (; i < 540; i++) {
		memcpy(out, &i, sizeof(i));
		publish(r, 0, out, sizeof(out));
	}
	while (ring_read(rd, &lane, &got, &lost) == RING_GOT) {
		uint32_t n;

		memcpy(&n, got.p, sizeof(n));
		assert_int_equal(n, 500 + sum);
		sum++;
	}
	assert_int_equal(sum, 40);
	ring_reader_free(&rd);
	ring_free(&r);
}

static void
test_sleep_and_wake(void **state UNUSED)
{
	struct ring *r = make(2, 1 << 17);
	struct ring_reader *rd = ring_reader_new(r, 1);
	struct pollfd p = { .fd = ring_wake_fd(r, 1), .events = POLLIN };
	struct str got;
	uint64_t lost;
	unsigned lane;

	/* Awake: publishing costs no system call and leaves no mark. */
	publish(r, 0, "a", 1);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_false(ring_sleep(rd));
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_GOT);
	assert_true(ring_sleep(rd));
	assert_int_equal(poll(&p, 1, 0), 0);
	publish(r, 0, "b", 1);
	publish(r, 0, "c", 1);
	assert_int_equal(poll(&p, 1, 0), 1);
	ring_awake(rd);
	ring_woken(rd);
	assert_int_equal(poll(&p, 1, 0), 0);
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_GOT);
	assert_true(str_is(got, "b"));
	assert_int_equal(ring_read(rd, &lane, &got, &lost), RING_GOT);
	ring_reader_free(&rd);
	ring_free(&r);
}

/* A child writes numbers into its lane until it is killed; returns its pid. */
static pid_t
start_writer(struct ring *r, unsigned lane, uint32_t from)
{
	pid_t pid = fork();

	if (pid == 0) {
		char out[700];

		ring_writer_start(r, lane);
		for (uint32_t i = from;; i++) {
			size_t n = sizeof(i) + i % 600;
			const struct str part = { out, n };
			struct err err;

			memset(out, (int)(i & 0x7F), n);
			memcpy(out, &i, sizeof(i));
			if (ring_publish(r, lane, &part, 1, &err) < 0)
				_exit(1);
			/* Slow enough that a reader keeps up. */
			if (i % 16 == 0)
				poll(NULL, 0, 1);
		}
	}
	assert_true(pid > 0);
	return pid;
}

static uint32_t
checked_number(struct str got)
{
	uint32_t i;

	assert_true(got.n >= sizeof(i));
	memcpy(&i, got.p, sizeof(i));
	assert_int_equal(got.n, sizeof(i) + i % 600);
	for (size_t k = sizeof(i); k < got.n; k++)
		assert_int_equal(got.p[k], (char)(i & 0x7F));
	return i;
}

/* Writers in processes of their own, killed at any moment and followed by
 * others: records stay whole, each lane in order and without repetition, and
 * nobody waits for the dead. */
static void
test_killed_writers(void **state UNUSED)
{
	struct ring *r = make(3, 3 << 20);
	struct ring_reader *rd = ring_reader_new(r, 2);
	uint32_t next[2] = { 0, 0 };
	unsigned seen = 0;

	for (int round = 0; round < 30; round++) {
		pid_t pid[2];
		unsigned target = seen + 100;

		for (unsigned l = 0; l < 2; l++)
			pid[l] = start_writer(r, l, next[l] + 1000000);
		for (unsigned l = 0; l < 2; l++)
			next[l] += 1000000;
		while (seen < target) {
			struct str got;
			uint64_t lost;
			unsigned lane;
			enum ring_result got_what = ring_read(rd, &lane, &got,
			    &lost);

			if (got_what == RING_EMPTY)
				continue;
			assert_int_equal(got_what, RING_GOT);
			assert_int_equal(checked_number(got), next[lane]);
			next[lane]++;
			seen++;
		}
		for (unsigned l = 0; l < 2; l++) {
			kill(pid[l], SIGKILL);
			assert_int_equal(waitpid(pid[l], NULL, 0), pid[l]);
		}
		/* What they had published before they died. */
		for (;;) {
			struct str got;
			uint64_t lost;
			unsigned lane;
			enum ring_result got_what = ring_read(rd, &lane, &got,
			    &lost);

			if (got_what == RING_EMPTY)
				break;
			assert_int_equal(got_what, RING_GOT);
			assert_int_equal(checked_number(got), next[lane]);
			next[lane]++;
		}
	}
	ring_reader_free(&rd);
	ring_free(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_record_of_parts),
		cmocka_unit_test(test_own_lane_is_not_read),
		cmocka_unit_test(test_wraps_keep_order_and_bytes),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_lapped_reader_knows_how_many),
		cmocka_unit_test(test_sleep_and_wake),
		cmocka_unit_test(test_killed_writers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
