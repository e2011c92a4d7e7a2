/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of an endpoint: active, timeout, suspended (mediation.md 8). Pure
 * logic; whoever keeps the state passes the time.
 */
#ifndef MEDIATION_EPSTATE_H
#define MEDIATION_EPSTATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/str.h"

enum ep_action { EP_NEVER, EP_DISCARD, EP_FAULT };

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
};

enum ep_phase { EP_ACTIVE, EP_TIMEOUT, EP_SUSPENDED };

struct ep_state {
	enum ep_phase phase;
	unsigned retries_left;
	int64_t next_ms;		/* not before this time */
	int64_t duration_ms;		/* of the last suspension */
};

/* May a message be sent to it now? */
bool ep_ready(const struct ep_state *, int64_t now_ms);
/*
 * A message was delivered / failed with that code. Returns true when the phase
 * changed; then *line has been appended the log line of mediation.md 8 (name
 * is the endpoint's).
 */
bool ep_succeeded(struct ep_state *, struct str name, struct buf *line);
bool ep_failed(struct ep_state *, const struct ep_policy *, struct str name,
    int code, int64_t now_ms, struct buf *line);

#endif
