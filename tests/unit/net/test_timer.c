/* SPDX-License-Identifier: Apache-2.0 */
#include "net/timer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/attr.h"
#include "net/loop.h"

struct noted {
	struct loop_timer timer;
	int64_t due;		/* INT64_MAX: must not fire */
	int fired;
};

static struct timers timers;
static int64_t now;

static int
teardown(void **state UNUSED)
{
	timers_fini(&timers);
	return 0;
}

static void
on_noted(void *ctx)
{
	struct noted *n = ctx;

	n->fired++;
	assert_true(n->due <= now);
}

static void
set(struct noted *n, int64_t at)
{
	n->due = at;
	n->timer.on_time = on_noted;
	n->timer.ctx = n;
	timers_set(&timers, &n->timer, at);
}

static void
run(int64_t at)
{
	now = at;
	timers_run(&timers, at);
}

static void
test_empty(void **state UNUSED)
{
	assert_true(timers_next(&timers) == INT64_MAX);
	run(1000);
}

static void
test_fires_when_due(void **state UNUSED)
{
	struct noted a = { 0 }, b = { 0 };

	set(&a, 20);
	set(&b, 10);
	assert_int_equal(timers_next(&timers), 10);
	run(9);
	assert_int_equal(a.fired + b.fired, 0);
	run(10);
	assert_int_equal(b.fired, 1);
	assert_int_equal(b.timer.slot, 0);
	assert_int_equal(timers_next(&timers), 20);
	run(500);
	assert_int_equal(a.fired, 1);
	run(1000);
	assert_int_equal(a.fired + b.fired, 2);
}

static void
test_pushed_back(void **state UNUSED)
{
	struct noted a = { 0 }, b = { 0 };

	set(&a, 10);
	set(&b, 12);
	for (int64_t at = 11; at <= 30; at++)
		set(&a, at);
	run(15);
	assert_int_equal(a.fired, 0);
	assert_int_equal(b.fired, 1);
	assert_int_equal(timers_next(&timers), 30);
	run(30);
	assert_int_equal(a.fired, 1);
}

static void
test_pulled_forward(void **state UNUSED)
{
	struct noted a = { 0 }, b = { 0 };

	set(&b, 50);
	set(&a, 100);
	set(&a, 200);
	set(&a, 20);
	assert_int_equal(timers_next(&timers), 20);
	run(20);
	assert_int_equal(a.fired, 1);
	assert_int_equal(b.fired, 0);
	run(50);
	assert_int_equal(b.fired, 1);
}

static void
test_stopped(void **state UNUSED)
{
	struct noted a = { 0 }, b = { 0 };

	set(&a, 10);
	set(&b, 20);
	timers_stop(&timers, &a.timer);
	timers_stop(&timers, &a.timer);
	run(100);
	assert_int_equal(a.fired, 0);
	assert_int_equal(b.fired, 1);
	set(&a, 110);
	run(110);
	assert_int_equal(a.fired, 1);
}

static struct noted victim;

static void
stop_victim(void *ctx UNUSED)
{
	timers_stop(&timers, &victim.timer);
}

static void
test_stopped_by_another(void **state UNUSED)
{
	struct loop_timer killer = { .on_time = stop_victim };

	victim = (struct noted){ 0 };
	timers_set(&timers, &killer, 10);
	set(&victim, 11);
	run(50);
	assert_int_equal(victim.fired, 0);
}

static uint32_t
next_random(void)
{
	static uint32_t x = 2463534242u;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	return x;
}

/* Against a list of wishes: after each step, exactly what was due has fired. */
static void
test_many(void **state UNUSED)
{
	enum { N = 300, STEPS = 20000 };
	static struct noted n[N];
	int64_t at = 0;

	for (int step = 0; step < STEPS; step++) {
		struct noted *one = &n[next_random() % N];

		if (next_random() % 4 == 0) {
			timers_stop(&timers, &one->timer);
			one->due = 0;
		} else {
			set(one, at + 1 + next_random() % 1000);
		}
		if (step % 5)
			continue;
		at += next_random() % 40;
		run(at);
		for (int i = 0; i < N; i++) {
			bool due = n[i].due && n[i].due <= at;

			assert_int_equal(n[i].fired, due);
			assert_int_equal(n[i].timer.slot != 0,
			    n[i].due > at);
			if (due)
				n[i].due = n[i].fired = 0;
		}
	}
	run(INT64_MAX - 1);
	assert_true(timers_next(&timers) == INT64_MAX);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_empty, teardown),
		cmocka_unit_test_teardown(test_fires_when_due, teardown),
		cmocka_unit_test_teardown(test_pushed_back, teardown),
		cmocka_unit_test_teardown(test_pulled_forward, teardown),
		cmocka_unit_test_teardown(test_stopped, teardown),
		cmocka_unit_test_teardown(test_stopped_by_another, teardown),
		cmocka_unit_test_teardown(test_many, teardown),
	};

	return cmocka_run_group_tests_name("timer", tests, NULL, NULL);
}
