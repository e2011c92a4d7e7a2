/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of an endpoint: active, timeout, suspended (mediation.md 8). Pure
 * logic; whoever keeps the state passes the time, and says the log lines.
 */
#ifndef MEDIATION_EPSTATE_H
#define MEDIATION_EPSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/log.h"
#include "base/str.h"

enum ep_action { EP_NEVER, EP_DISCARD, EP_FAULT };

enum { EP_RETRIES_MAX = 4000 };

/* From <timeout>, <markForSuspension>, <suspendOnFailure>, <retryConfig>. */
struct ep_policy {
	int64_t timeout_ms;		/* 0 = none given */
	enum ep_action action;
	const int *suspend_codes;	/* count 0 = any error */
	size_t suspend_code_count;
	int64_t initial_ms;		/* -1 = default 30000 */
	double factor;			/* default 1 */
	int64_t maximum_ms;		/* 0 = no maximum */
	const int *mark_codes;		/* count 0 = 101504, 101505 */
	size_t mark_code_count;
	unsigned retries;		/* before suspension */
	int64_t retry_delay_ms;
	const int *retry_enabled, *retry_disabled;
	size_t retry_enabled_count, retry_disabled_count;
	bool stateless;			/* nobody keeps a state for it */
};

enum ep_phase { EP_ACTIVE, EP_TIMEOUT, EP_SUSPENDED };

/* All zero: active, nothing ever happened. Timeouts and suspensions are those
 * since it was active last. */
struct ep_state {
	enum ep_phase phase;
	unsigned timeouts, suspensions;
	int64_t next_ms;		/* not before this time */
};

/* In one word, so that it can be exchanged whole; 0 is { 0 }. What does not
 * fit is cut to the most that does. */
enum {
	EP_PHASE_BITS = 2, EP_TIMEOUT_BITS = 12, EP_SUSPENSION_BITS = 10,
	EP_TIME_BITS = 40,		/* of the monotonic clock's ms */
};
uint64_t ep_pack(const struct ep_state *);

static inline uint64_t
ep_take_bits(uint64_t *word, int bits)
{
	uint64_t v = *word & ((UINT64_C(1) << bits) - 1);

	*word >>= bits;
	return v;
}

static inline struct ep_state
ep_unpack(uint64_t word)
{
	struct ep_state s;

	s.phase = (enum ep_phase)ep_take_bits(&word, EP_PHASE_BITS);
	s.timeouts = (unsigned)ep_take_bits(&word, EP_TIMEOUT_BITS);
	s.suspensions = (unsigned)ep_take_bits(&word, EP_SUSPENSION_BITS);
	s.next_ms = (int64_t)word;
	return s;
}

/* May a message be sent to it now? */
bool ep_ready(const struct ep_state *, int64_t now_ms);
/*
 * The same for one who sends if it may: of a suspension that is over, one
 * attempt is taken, and the next is possible when this one has not been
 * reported within patience_ms. *s changed: keep it.
 */
bool ep_take(struct ep_state *s, int64_t now_ms, int64_t patience_ms);

enum ep_change {
	EP_UNCHANGED,
	EP_RECOVERED,		/* active again */
	EP_TIMED_OUT,		/* to be tried again after the delay */
	EP_EXHAUSTED,		/* suspended: no retries are left */
	EP_BROKE,		/* suspended: it failed */
};

/* A message was delivered / failed with that code. */
enum ep_change ep_succeeded(struct ep_state *) MUST_CHECK;
enum ep_change ep_failed(struct ep_state *, const struct ep_policy *, int code,
    int64_t now_ms) MUST_CHECK;
/* How long the suspension it is in lasts. */
int64_t ep_suspended_for(const struct ep_state *, const struct ep_policy *);
/* May another endpoint of its group have the message that failed so? */
bool ep_may_retry(const struct ep_policy *, int code);
/* The lines that MI logs for a change; before is the state it had. */
typedef void ep_say_fn(enum log_level, struct str line);
void ep_report(enum ep_change, const struct ep_state *before,
    const struct ep_state *after, const struct ep_policy *, struct str name,
    ep_say_fn *);

#endif
