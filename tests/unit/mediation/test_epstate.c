/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "mediation/epstate.h"

#define NAME STR("E")

static const struct ep_policy plain = { .initial_ms = -1, .factor = 1 };
static struct buf said;

static void
say(enum log_level level, struct str line)
{
	buf_printf(&said, "%s %.*s\n", log_level_name(level), STR_FMT(line));
}

/* What the log says of a failure. */
static void
fails(struct ep_state *s, const struct ep_policy *p, int code, int64_t now,
    const char *says)
{
	struct ep_state before = *s;
	enum ep_change change = ep_failed(s, p, code, now);

	buf_clear(&said);
	ep_report(change, &before, s, p, NAME, say);
	assert_string_equal(buf_cstr(&said), says);
}

static int
at_ten(void **state)
{
	(void)state;
	setenv("TZ", "UTC", 1);
	clock_set(0, INT64_C(1704103200000000));	/* 2024-01-01 10:00 */
	return 0;
}

static int
no_clock(void **state)
{
	(void)state;
	clock_unset();
	buf_fini(&said);
	return 0;
}

static void
test_without_policy_suspends_30s(void **state)
{
	struct ep_state s = { 0 };

	(void)state;
	assert_true(ep_ready(&s, 0));
	fails(&s, &plain, 101503, 1000,
	    "warn Endpoint : E will be marked SUSPENDED as it failed\n"
	    "warn Suspending endpoint : E - current suspend duration is : "
	    "30000ms - Next retry after : Mon Jan 01 10:00:30 UTC 2024\n");
	assert_int_equal(s.phase, EP_SUSPENDED);
	assert_false(ep_ready(&s, 30999));
	assert_true(ep_ready(&s, 31000));
	fails(&s, &plain, 101503, 31000,
	    "warn Endpoint : E will be marked SUSPENDED as it failed\n"
	    "warn Suspending endpoint : E - last suspend duration was : "
	    "30000ms and current suspend duration is : 30000ms - Next retry "
	    "after : Mon Jan 01 10:00:30 UTC 2024\n");
}

static void
test_success_makes_active(void **state)
{
	struct ep_state s = { 0 }, before;
	enum ep_change change;

	(void)state;
	assert_int_equal(ep_succeeded(&s), EP_UNCHANGED);
	assert_int_equal(ep_failed(&s, &plain, 101503, 0), EP_BROKE);
	before = s;
	change = ep_succeeded(&s);
	buf_clear(&said);
	ep_report(change, &before, &s, &plain, NAME, say);
	assert_string_equal(buf_cstr(&said), "info Endpoint : E currently "
	    "SUSPENDED will now be marked active since it processed its last "
	    "message\n");
	assert_int_equal(s.phase, EP_ACTIVE);
	assert_int_equal(s.suspensions, 0);
	assert_true(ep_ready(&s, 0));
}

static void
check_durations(const struct ep_policy *p, const int64_t *want, size_t n)
{
	struct ep_state s = { 0 };

	for (size_t i = 0; i < n; i++) {
		assert_int_equal(ep_failed(&s, p, 1, 0), EP_BROKE);
		assert_int_equal(ep_suspended_for(&s, p), want[i]);
		assert_int_equal(s.next_ms, want[i]);
	}
}

static void
test_durations(void **state)
{
	static const struct ep_policy capped = { .initial_ms = 100,
	    .factor = 3, .maximum_ms = 500 };
	static const struct ep_policy free = { .initial_ms = 1000,
	    .factor = 1.5 };
	static const struct ep_policy shrinking = { .initial_ms = 100,
	    .factor = 0.1 };
	static const struct ep_policy first_capped = { .initial_ms = 900,
	    .factor = 2, .maximum_ms = 500 };
	static const struct ep_policy wild = { .initial_ms = 5,
	    .factor = 1e300 };

	(void)state;
	check_durations(&capped, (int64_t[]){ 100, 300, 500, 500 }, 4);
	check_durations(&free, (int64_t[]){ 1000, 1500, 2250, 3375, 5062 }, 5);
	check_durations(&shrinking, (int64_t[]){ 100, 10, 1, 0, 0 }, 5);
	check_durations(&first_capped, (int64_t[]){ 500, 500 }, 2);
	check_durations(&wild, (int64_t[]){ 5, 100000000000 }, 2);
}

static void
test_only_listed_codes_suspend(void **state)
{
	static const int codes[] = { 101503, 101500 }, never[] = { -1 };
	static const struct ep_policy p = { .initial_ms = 10, .factor = 1,
	    .suspend_codes = codes, .suspend_code_count = 2 };
	static const struct ep_policy none = { .initial_ms = 10, .factor = 1,
	    .suspend_codes = never, .suspend_code_count = 1,
	    .mark_codes = never, .mark_code_count = 1 };
	struct ep_state s = { 0 };

	(void)state;
	fails(&s, &p, 101506, 0, "");
	assert_int_equal(s.phase, EP_ACTIVE);
	assert_int_equal(ep_failed(&s, &p, 101500, 0), EP_BROKE);
	s = (struct ep_state){ 0 };
	fails(&s, &none, 101503, 0, "");
	fails(&s, &none, 101504, 0, "");
}

static void
test_timeouts_use_up_retries(void **state)
{
	static const struct ep_policy p = { .initial_ms = 70, .factor = 1,
	    .retries = 2, .retry_delay_ms = 5000 };
	struct ep_state s = { 0 };

	(void)state;
	fails(&s, &p, 101504, 100, "warn Endpoint : E is marked as TIMEOUT and "
	    "will be retried : 1 more time/s after : Mon Jan 01 10:00:05 UTC "
	    "2024 until its marked SUSPENDED for failure\n");
	assert_int_equal(s.phase, EP_TIMEOUT);
	assert_false(ep_ready(&s, 5099));
	assert_true(ep_ready(&s, 5100));
	fails(&s, &p, 101505, 6000, "warn Endpoint : E is marked as TIMEOUT "
	    "and will be retried : 0 more time/s after : Mon Jan 01 10:00:05 "
	    "UTC 2024 until its marked SUSPENDED for failure\n");
	fails(&s, &p, 101504, 7000, "info Endpoint : E has been marked for "
	    "SUSPENSION, but no further retries remain. Thus it will be "
	    "SUSPENDED.\n"
	    "warn Suspending endpoint : E - current suspend duration is : 70ms "
	    "- Next retry after : Mon Jan 01 10:00:00 UTC 2024\n");
	assert_int_equal(s.phase, EP_SUSPENDED);
	assert_int_equal(s.next_ms, 7070);
}

static void
test_no_retries_suspends_at_once(void **state)
{
	struct ep_state s = { 0 };

	(void)state;
	assert_int_equal(ep_failed(&s, &plain, 101504, 0), EP_EXHAUSTED);
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

	(void)state;
	assert_int_equal(ep_failed(&s, &p, 101504, 0), EP_UNCHANGED);
	assert_int_equal(ep_failed(&s, &p, 7, 0), EP_TIMED_OUT);
}

static void
test_retries_come_back_with_success_only(void **state)
{
	static const struct ep_policy p = { .initial_ms = 10, .factor = 1,
	    .retries = 2 };
	struct ep_state s = { 0 };

	(void)state;
	assert_int_equal(ep_failed(&s, &p, 101504, 0), EP_TIMED_OUT);
	assert_int_equal(ep_failed(&s, &p, 101503, 0), EP_BROKE);
	assert_int_equal(ep_failed(&s, &p, 101504, 50), EP_TIMED_OUT);
	assert_int_equal(ep_failed(&s, &p, 101504, 50), EP_EXHAUSTED);
	assert_int_equal(ep_succeeded(&s), EP_RECOVERED);
	assert_int_equal(ep_failed(&s, &p, 101504, 50), EP_TIMED_OUT);
}

static void
test_one_attempt_after_a_suspension(void **state)
{
	struct ep_state s = { 0 };

	(void)state;
	assert_true(ep_take(&s, 0, 500));
	assert_int_equal(ep_failed(&s, &plain, 101503, 0), EP_BROKE);
	assert_false(ep_take(&s, 29999, 500));
	assert_true(ep_take(&s, 30000, 500));
	assert_false(ep_take(&s, 30001, 500));
	/* Nobody heard of that one again. */
	assert_true(ep_take(&s, 30500, 500));
	assert_int_equal(ep_succeeded(&s), EP_RECOVERED);
	assert_true(ep_take(&s, 30501, 500));
	assert_true(ep_take(&s, 30501, 500));
}

static void
test_retry_lists(void **state)
{
	static const int codes[] = { 101503, 101504 };
	static const struct ep_policy only = { .retry_enabled = codes,
	    .retry_enabled_count = 2 };
	static const struct ep_policy but = { .retry_disabled = codes,
	    .retry_disabled_count = 2 };

	(void)state;
	assert_true(ep_may_retry(&plain, 101503));
	assert_true(ep_may_retry(&only, 101504));
	assert_false(ep_may_retry(&only, 101505));
	assert_false(ep_may_retry(&but, 101504));
	assert_true(ep_may_retry(&but, 101505));
}

static void
check_packed(struct ep_state s)
{
	struct ep_state t = ep_unpack(ep_pack(&s));

	assert_int_equal(t.phase, s.phase);
	assert_int_equal(t.timeouts, s.timeouts);
	assert_int_equal(t.suspensions, s.suspensions);
	assert_int_equal(t.next_ms, s.next_ms);
}

static void
test_packing(void **state)
{
	struct ep_state s = { .phase = EP_SUSPENDED, .timeouts = 1 << 20,
	    .suspensions = 1 << 20, .next_ms = INT64_MAX };

	(void)state;
	check_packed((struct ep_state){ 0 });
	check_packed((struct ep_state){ EP_TIMEOUT, 4000, 1023,
	    INT64_C(1099511627775) });
	check_packed((struct ep_state){ EP_SUSPENDED, 1, 2, 3 });
	assert_int_equal(ep_pack(&(struct ep_state){ 0 }), 0);
	s = ep_unpack(ep_pack(&s));
	assert_int_equal(s.timeouts, 4095);
	assert_int_equal(s.suspensions, 1023);
	assert_int_equal(s.next_ms, INT64_C(1099511627775));
	assert_int_equal(s.phase, EP_SUSPENDED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_policy_suspends_30s),
		cmocka_unit_test(test_success_makes_active),
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_only_listed_codes_suspend),
		cmocka_unit_test(test_timeouts_use_up_retries),
		cmocka_unit_test(test_no_retries_suspends_at_once),
		cmocka_unit_test(test_own_list_of_timeout_codes),
		cmocka_unit_test(test_retries_come_back_with_success_only),
		cmocka_unit_test(test_one_attempt_after_a_suspension),
		cmocka_unit_test(test_retry_lists),
		cmocka_unit_test(test_packing),
	};

	return cmocka_run_group_tests(tests, at_ten, no_clock);
}
