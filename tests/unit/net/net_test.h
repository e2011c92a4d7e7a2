/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of net: each runs once with every poller. A test that waits
 * for what never comes is ended by alarm(). */
#ifndef TESTS_NET_TEST_H
#define TESTS_NET_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/clock.h"
#include "net/loop.h"

static const char *const pollers[] = {
#define POLLER(name) #name,
#include "net/poller.def"
#undef POLLER
};

static const char *poller;	/* the one under test */
static struct loop *loop;
static struct err err;

/* One turn that does not wait. */
#define turn() assert_int_equal(loop_turn(loop, 0, &err), 0)
/* Turns until something is so. */
#define until(cond)                                                           \
	while (!(cond))                                                       \
		assert_int_equal(loop_turn(loop, -1, &err), 0)

static UNUSED int
loop_setup(void **state UNUSED)
{
	loop = loop_new(poller, &err);
	return loop ? 0 : -1;
}

static UNUSED int
loop_teardown(void **state UNUSED)
{
	clock_unset();
	loop_free(&loop);
	return 0;
}

static UNUSED void
make_pair(int type, int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX,
	    type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fd), 0);
}

static UNUSED void
note(void *ctx)
{
	*(bool *)ctx = true;
}

/* How many turns the loop makes until a timer fires, with nothing else to do:
 * a handful, or thousands when an event wakes it that nobody takes. */
static UNUSED int
turns_when_idle(void)
{
	struct loop_timer timer = { 0 };
	bool fired = false;
	int turns = 0;

	turn();
	loop_timer_set(loop, &timer, 20, note, &fired);
	while (!fired) {
		assert_int_equal(loop_turn(loop, -1, &err), 0);
		turns++;
	}
	return turns;
}

enum { IDLE_TURNS = 5 };

#define test_row(f) \
	cmocka_unit_test_setup_teardown(f, loop_setup, loop_teardown)

static UNUSED int
run_with_pollers(const struct CMUnitTest *tests, size_t count)
{
	int failed = 0;

	alarm(120);
	for (size_t i = 0; i < ARRAY_LEN(pollers); i++) {
		poller = pollers[i];
		failed += _cmocka_run_group_tests(poller, tests, count, NULL,
		    NULL);
	}
	return failed;
}

#endif
