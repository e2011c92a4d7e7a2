/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/epstate.h"

#include <time.h>

#include "base/buf.h"
#include "base/clock.h"
#include "mediation/mediation.h"

#define LONGEST_MS 1e11		/* three years */

enum {
	DEFAULT_SUSPENSION_MS = 30000,
};
_Static_assert(EP_PHASE_BITS + EP_TIMEOUT_BITS + EP_SUSPENSION_BITS +
    EP_TIME_BITS == 64, "an endpoint's state is one word");
_Static_assert(EP_RETRIES_MAX < 1 << EP_TIMEOUT_BITS, "retries can be counted");

/* ---- packing ----------------------------------------------------------- */

static uint64_t
field(uint64_t v, int bits)
{
	uint64_t most = (UINT64_C(1) << bits) - 1;

	return v > most ? most : v;
}

uint64_t
ep_pack(const struct ep_state *s)
{
	uint64_t w = field(s->next_ms > 0 ? (uint64_t)s->next_ms : 0,
	    EP_TIME_BITS);

	w = w << EP_SUSPENSION_BITS | field(s->suspensions, EP_SUSPENSION_BITS);
	w = w << EP_TIMEOUT_BITS | field(s->timeouts, EP_TIMEOUT_BITS);
	return w << EP_PHASE_BITS | (uint64_t)s->phase;
}

/* ---- what happens ------------------------------------------------------ */

bool
ep_ready(const struct ep_state *s, int64_t now_ms)
{
	return s->phase == EP_ACTIVE || now_ms >= s->next_ms;
}

bool
ep_take(struct ep_state *s, int64_t now_ms, int64_t patience_ms)
{
	if (!ep_ready(s, now_ms))
		return false;
	if (s->phase == EP_SUSPENDED)
		s->next_ms = now_ms + patience_ms;
	return true;
}

enum ep_change
ep_succeeded(struct ep_state *s)
{
	if (s->phase == EP_ACTIVE)
		return EP_UNCHANGED;
	*s = (struct ep_state){ .phase = EP_ACTIVE };
	return EP_RECOVERED;
}

static bool
listed(int code, const int *codes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (codes[i] == code)
			return true;
	return false;
}

static bool
is_timeout(const struct ep_policy *p, int code)
{
	if (p->mark_code_count)
		return listed(code, p->mark_codes, p->mark_code_count);
	return code == FAULT_TIMEOUT || code == FAULT_CLOSED;
}

static bool
is_failure(const struct ep_policy *p, int code)
{
	return p->suspend_code_count == 0 ||
	    listed(code, p->suspend_codes, p->suspend_code_count);
}

bool
ep_may_retry(const struct ep_policy *p, int code)
{
	if (listed(code, p->retry_disabled, p->retry_disabled_count))
		return false;
	return p->retry_enabled_count == 0 ||
	    listed(code, p->retry_enabled, p->retry_enabled_count);
}

/* Initial first, then previous * factor, up to the maximum. */
static int64_t
duration(const struct ep_policy *p, unsigned suspensions)
{
	double most = p->maximum_ms > 0 ? (double)p->maximum_ms : LONGEST_MS;
	double d = p->initial_ms < 0 ? DEFAULT_SUSPENSION_MS
	    : (double)p->initial_ms;

	for (unsigned i = 1; i < suspensions && d < most; i++) {
		double next = d * p->factor;

		d = next < most ? (double)(int64_t)next : most;
	}
	return (int64_t)(d < most ? d : most);
}

int64_t
ep_suspended_for(const struct ep_state *s, const struct ep_policy *p)
{
	return duration(p, s->suspensions);
}

static void
suspend(struct ep_state *s, const struct ep_policy *p, int64_t now_ms)
{
	s->suspensions = (unsigned)field(s->suspensions + 1, EP_SUSPENSION_BITS);
	s->phase = EP_SUSPENDED;
	s->next_ms = now_ms + ep_suspended_for(s, p);
}

enum ep_change
ep_failed(struct ep_state *s, const struct ep_policy *p, int code,
    int64_t now_ms)
{
	if (is_timeout(p, code)) {
		if (s->timeouts >= p->retries) {
			suspend(s, p, now_ms);
			return EP_EXHAUSTED;
		}
		s->timeouts++;
		s->phase = EP_TIMEOUT;
		s->next_ms = now_ms + p->retry_delay_ms;
		return EP_TIMED_OUT;
	}
	if (!is_failure(p, code))
		return EP_UNCHANGED;
	suspend(s, p, now_ms);
	return EP_BROKE;
}

/* ---- what is said ------------------------------------------------------ */

/* As java.util.Date prints it. */
static void
add_date(struct buf *line, int64_t in_ms)
{
	time_t at = (time_t)((clock_wall_us() / 1000 + in_ms) / 1000);
	struct tm tm;
	char text[64];

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &tm);
	buf_addz(line, text);
}

static void
add_recovery(struct buf *line, const struct ep_state *before)
{
	buf_printf(line, " currently %s will now be marked active since it "
	    "processed its last message",
	    before->phase == EP_TIMEOUT ? "TIMEOUT" : "SUSPENDED");
}

static void
add_timeout(struct buf *line, const struct ep_state *after,
    const struct ep_policy *p)
{
	buf_printf(line, " is marked as TIMEOUT and will be retried : %u more "
	    "time/s after : ", p->retries - after->timeouts);
	add_date(line, p->retry_delay_ms);
	buf_addz(line, " until its marked SUSPENDED for failure");
}

static void
add_suspension(struct buf *line, const struct ep_state *before,
    const struct ep_state *after, const struct ep_policy *p, struct str name)
{
	int64_t d = ep_suspended_for(after, p);

	buf_printf(line, "Suspending endpoint : %.*s -", STR_FMT(name));
	if (before->suspensions > 0)
		buf_printf(line, " last suspend duration was : %lldms and",
		    (long long)ep_suspended_for(before, p));
	buf_printf(line, " current suspend duration is : %lldms - Next retry "
	    "after : ", (long long)d);
	add_date(line, d);
}

void
ep_report(enum ep_change change, const struct ep_state *before,
    const struct ep_state *after, const struct ep_policy *p, struct str name,
    ep_say_fn *say)
{
	struct buf line = { 0 };
	enum log_level level = LOG_L_WARN;

	if (change == EP_UNCHANGED)
		return;
	buf_printf(&line, "Endpoint : %.*s", STR_FMT(name));
	if (change == EP_RECOVERED) {
		level = LOG_L_INFO;
		add_recovery(&line, before);
	} else if (change == EP_TIMED_OUT) {
		add_timeout(&line, after, p);
	} else if (change == EP_EXHAUSTED) {
		level = LOG_L_INFO;
		buf_addz(&line, " has been marked for SUSPENSION, but no "
		    "further retries remain. Thus it will be SUSPENDED.");
	} else {
		buf_addz(&line, " will be marked SUSPENDED as it failed");
	}
	say(level, buf_str(&line));
	if (change == EP_EXHAUSTED || change == EP_BROKE) {
		buf_clear(&line);
		add_suspension(&line, before, after, p, name);
		say(LOG_L_WARN, buf_str(&line));
	}
	buf_fini(&line);
}
