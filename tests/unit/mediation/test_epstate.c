/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "mediation/epstate.h"

#define NAME STR("E")

static const struct ep_policy plain = { .initial_ms = -1, .factor = 1 };

static bool
fails(struct ep_state *s, const struct ep_policy *p, int code, int64_t now,
    const char *says)
{
	struct buf line = { 0 };
	bool changed = ep_failed(s, p, NAME, code, now, &line);

	assert_int_equal(changed, says != NULL);
	if (says)
		assert_string_equal(buf_cstr(&line), says);
	else
		assert_int_equal(buf_len(&line), 0);
	buf_fini(&line);
	return changed;
}

static void
test_without_policy_suspends_30s(void **state)
{
	struct ep_state s = { 0 };

	(void)state;
	assert_true(ep_ready(&s, 0));
	fails(&s, &plain, 101503, 1000, "Suspending endpoint : E - last suspend "
	    "duration was : 0ms and current suspend duration is : 30000ms");
	assert_int_equal(s.phase, EP_SUSPENDED);
	assert_false(ep_ready(&s, 30999));
	assert_true(ep_ready(&s, 31000));
}

static void
test_success_makes_active(void **state)
{
	struct ep_state s = { 0 };
	struct buf line = { 0 };

	(void)state;
	assert_false(ep_succeeded(&s, NAME, &line));
	assert_int_equal(buf_len(&line), 0);
	assert_true(ep_failed(&s, &plain, NAME, 101503, 0, &line));
	buf_clear(&line);
	assert_true(ep_succeeded(&s, NAME, &line));
	assert_string_equal(buf_cstr(&line), "Endpoint : E currently SUSPENDED "
	    "will now be marked active since it processed its last message");
	assert_int_equal(s.phase, EP_ACTIVE);
	assert_int_equal(s.duration_ms, 0);
	assert_true(ep_ready(&s, 0));
	buf_fini(&line);
}

static void
test_duration_grows_to_maximum(void **state)
{
	static const struct ep_policy p = { .initial_ms = 100, .factor = 3,
	    .maximum_ms = 500 };
	static const int64_t want[] = { 100, 300, 500, 500 };
	struct ep_state s = { 0 };
	struct buf line = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(want); i++) {
		assert_true(ep_failed(&s, &p, NAME, 1, 0, &line));
		assert_int_equal(s.duration_ms, want[i]);
		assert_int_equal(s.next_ms, want[i]);
	}
	buf_fini(&line);
}

static void
test_only_listed_codes_suspend(void **state)
{
	static const int codes[] = { 101503, 101500 };
	struct ep_policy p = { .initial_ms = 10, .factor = 1,
	    .suspend_codes = codes, .suspend_code_count = 2 };
	struct ep_state s = { 0 };

	(void)state;
	fails(&s, &p, 101506, 0, NULL);
	assert_int_equal(s.phase, EP_ACTIVE);
	fails(&s, &p, 101500, 0, "Suspending endpoint : E - last suspend "
	    "duration was : 0ms and current suspend duration is : 10ms");
}

static void
test_timeouts_use_up_retries(void **state)
{
	static const struct ep_policy p = { .initial_ms = 70, .factor = 1,
	    .retries = 2, .retry_delay_ms = 5000 };
	struct ep_state s = { 0 };

	(void)state;
	setenv("TZ", "UTC", 1);
	clock_set(0, INT64_C(1704103200000000));	/* 2024-01-01 10:00 */
	fails(&s, &p, 101504, 100, "Endpoint : E is marked as TIMEOUT and will "
	    "be retried : 2 more time/s after : Mon Jan 01 10:00:05 UTC 2024 "
	    "until its marked SUSPENDED for failure");
	assert_int_equal(s.phase, EP_TIMEOUT);
	assert_false(ep_ready(&s, 5099));
	assert_true(ep_ready(&s, 5100));
	fails(&s, &p, 101505, 6000, "Endpoint : E is marked as TIMEOUT and will "
	    "be retried : 1 more time/s after : Mon Jan 01 10:00:05 UTC 2024 "
	    "until its marked SUSPENDED for failure");
	fails(&s, &p, 101504, 7000, "Suspending endpoint : E - last suspend "
	    "duration was : 0ms and current suspend duration is : 70ms");
	assert_int_equal(s.phase, EP_SUSPENDED);
	assert_int_equal(s.next_ms, 7070);
	clock_unset();
}

static void
test_no_retries_suspends_at_once(void **state)
{
	struct ep_state s = { 0 };

	(void)state;
	fails(&s, &plain, 101504, 0, "Suspending endpoint : E - last suspend "
	    "duration was : 0ms and current suspend duration is : 30000ms");
	assert_int_equal(s.phase, EP_SUSPENDED);
}

static void
test_own_list_of_timeout_codes(void **state)
{
	static const int codes[] = { 7 };
	static const struct ep_policy p = { .initial_ms = 10, .factor = 1,
	    .mark_codes = codes, .mark_code_count = 1, .retries = 1,
	    .suspend_codes = codes, .suspend_code_count = 1 };
	struct ep_state s = { 0 };
	struct buf line = { 0 };

	(void)state;
	fails(&s, &p, 101504, 0, NULL);
	assert_true(ep_failed(&s, &p, NAME, 7, 0, &line));
	assert_int_equal(s.phase, EP_TIMEOUT);
	buf_fini(&line);
}

static void
test_failure_ends_timeout(void **state)
{
	static const struct ep_policy p = { .initial_ms = 10, .factor = 1,
	    .retries = 5 };
	struct ep_state s = { 0 };
	struct buf line = { 0 };

	(void)state;
	assert_true(ep_failed(&s, &p, NAME, 101504, 0, &line));
	assert_true(ep_failed(&s, &p, NAME, 101503, 0, &line));
	assert_int_equal(s.phase, EP_SUSPENDED);
	/* The one attempt after that is a new start for the retries. */
	assert_true(ep_failed(&s, &p, NAME, 101504, 50, &line));
	assert_int_equal(s.phase, EP_TIMEOUT);
	assert_int_equal(s.retries_left, 5);
	buf_fini(&line);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_policy_suspends_30s),
		cmocka_unit_test(test_success_makes_active),
		cmocka_unit_test(test_duration_grows_to_maximum),
		cmocka_unit_test(test_only_listed_codes_suspend),
		cmocka_unit_test(test_timeouts_use_up_retries),
		cmocka_unit_test(test_no_retries_suspends_at_once),
		cmocka_unit_test(test_own_list_of_timeout_codes),
		cmocka_unit_test(test_failure_ends_timeout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
