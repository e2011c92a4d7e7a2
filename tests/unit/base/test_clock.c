/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>
#include <cmocka.h>

#include "base/attr.h"

static void
never_goes_back(void **state UNUSED)
{
	int64_t last = clock_ms();

	for (int i = 0; i < 10000; i++) {
		int64_t now = clock_ms();

		assert_true(now >= last);
		last = now;
	}
}

static void
wall_is_the_systems(void **state UNUSED)
{
	int64_t before = (int64_t)time(NULL), us = clock_wall_us();
	int64_t after = (int64_t)time(NULL);

	/* time() may lag by a tick of the kernel's clock. */
	assert_in_range(us / 1000000, (uintmax_t)before, (uintmax_t)after + 1);
}

static void
stands_still_when_set(void **state UNUSED)
{
	clock_set(5, 7);
	assert_int_equal(clock_ms(), 5);
	assert_int_equal(clock_wall_us(), 7);
	clock_set(0, 0);
	assert_int_equal(clock_ms(), 0);
	assert_int_equal(clock_wall_us(), 0);
	clock_unset();
	assert_true(clock_wall_us() > INT64_C(1600000000000000));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(never_goes_back),
		cmocka_unit_test(wall_is_the_systems),
		cmocka_unit_test(stands_still_when_set),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
