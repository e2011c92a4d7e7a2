/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/epstate.h"

#include <time.h>

#include "base/clock.h"
#include "mediation/mediation.h"

enum { DEFAULT_SUSPENSION_MS = 30000 };

bool
ep_ready(const struct ep_state *s, int64_t now_ms)
{
	return s->phase == EP_ACTIVE || now_ms >= s->next_ms;
}

static const char *
phase_name(enum ep_phase phase)
{
	switch (phase) {
	case EP_ACTIVE:
		return "ACTIVE";
	case EP_TIMEOUT:
		return "TIMEOUT";
	case EP_SUSPENDED:
		return "SUSPENDED";
	}
	return "";
}

bool
ep_succeeded(struct ep_state *s, struct str name, struct buf *line)
{
	if (s->phase == EP_ACTIVE)
		return false;
	buf_printf(line, "Endpoint : %.*s currently %s will now be marked "
	    "active since it processed its last message", STR_FMT(name),
	    phase_name(s->phase));
	*s = (struct ep_state){ .phase = EP_ACTIVE };
	return true;
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

/* Initial first, then previous * factor, up to the maximum. */
static int64_t
next_duration(const struct ep_state *s, const struct ep_policy *p)
{
	int64_t initial = p->initial_ms < 0 ? DEFAULT_SUSPENSION_MS
	    : p->initial_ms;
	double d = s->duration_ms > 0 ? (double)s->duration_ms * p->factor
	    : (double)initial;

	if (p->maximum_ms > 0 && d > (double)p->maximum_ms)
		return p->maximum_ms;
	return d > 1e15 ? (int64_t)1e15 : (int64_t)d;
}

static void
suspend(struct ep_state *s, const struct ep_policy *p, struct str name,
    int64_t now_ms, struct buf *line)
{
	int64_t last = s->duration_ms;

	s->duration_ms = next_duration(s, p);
	s->phase = EP_SUSPENDED;
	s->retries_left = 0;
	s->next_ms = now_ms + s->duration_ms;
	buf_printf(line, "Suspending endpoint : %.*s - last suspend duration "
	    "was : %lldms and current suspend duration is : %lldms",
	    STR_FMT(name), (long long)last, (long long)s->duration_ms);
}

/* As java.util.Date prints it. */
static void
add_date(struct buf *line, int64_t in_ms)
{
	time_t at = (time_t)(clock_wall_us() / 1000000 + in_ms / 1000);
	struct tm tm;
	char text[64];

	localtime_r(&at, &tm);
	strftime(text, sizeof(text), "%a %b %d %H:%M:%S %Z %Y", &tm);
	buf_addz(line, text);
}

/* One more timeout: the first leaves all retries, each further one uses up
 * one of them. */
static void
time_out(struct ep_state *s, const struct ep_policy *p, struct str name,
    int64_t now_ms, struct buf *line)
{
	if (s->phase != EP_TIMEOUT)
		s->retries_left = p->retries;
	else
		s->retries_left--;
	if (s->retries_left == 0) {
		suspend(s, p, name, now_ms, line);
		return;
	}
	s->phase = EP_TIMEOUT;
	s->next_ms = now_ms + p->retry_delay_ms;
	buf_printf(line, "Endpoint : %.*s is marked as TIMEOUT and will be "
	    "retried : %u more time/s after : ", STR_FMT(name),
	    s->retries_left);
	add_date(line, p->retry_delay_ms);
	buf_addz(line, " until its marked SUSPENDED for failure");
}

bool
ep_failed(struct ep_state *s, const struct ep_policy *p, struct str name,
    int code, int64_t now_ms, struct buf *line)
{
	if (is_timeout(p, code)) {
		time_out(s, p, name, now_ms, line);
		return true;
	}
	if (!is_failure(p, code))
		return false;
	suspend(s, p, name, now_ms, line);
	return true;
}
