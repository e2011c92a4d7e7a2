/* SPDX-License-Identifier: Apache-2.0 */
/* The states of the endpoints: on the scoreboard, so that all workers see the
 * same; of this worker only, where the board has no room. They are kept by
 * name and so outlive a reload of the artifacts. */
#include "gateway/gateway.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "config/config.h"
#include "ipc/board.h"
#include "mediation/epstate.h"

/* An endpoint that the board has no room for. */
struct own_state {
	uint64_t state, number;
};

/* Where one endpoint's words are: in one of these, or nowhere. */
struct place {
	struct board_endpoint *shared;
	struct own_state *own;
};

static struct place
place_of(struct worker *w, const struct endpoint *ep, enum board_want want)
{
	struct str name = endpoint_name(ep);
	struct place at = { .shared = board_endpoint(w->shared, name, want) };

	if (at.shared)
		return at;
	at.own = hmap_get(&w->endpoints, name);
	if (!at.own && want == BOARD_MAKE) {
		at.own = xcalloc(1, sizeof(*at.own));
		hmap_set(&w->endpoints, name, at.own);
	}
	return at;
}

static uint64_t
state_at(const struct place *at)
{
	if (at->shared)
		return board_endpoint_state(at->shared);
	return at->own ? at->own->state : 0;
}

/* False when another worker was faster; *old is then its word. */
static bool
swap(struct worker *w, const struct place *at, uint64_t *old, uint64_t state)
{
	if (at->shared)
		return board_endpoint_swap(w->shared, at->shared, old, state);
	at->own->state = state;
	board_endpoint_changed(w->shared);
	return true;
}

static void
say(enum log_level level, struct str line)
{
	if (log_on(level))
		log_line(level, STR("EndpointContext"), line);
}

/* ---- asking ------------------------------------------------------------ */

bool
endpoint_ready(struct worker *w, const struct endpoint *ep)
{
	struct place at = place_of(w, ep, BOARD_FIND);
	struct ep_state s = ep_unpack(state_at(&at));

	return ep_ready(&s, clock_ms());
}

bool
endpoint_is_active(struct worker *w, const struct endpoint *ep)
{
	struct place at = place_of(w, ep, BOARD_FIND);

	return ep_unpack(state_at(&at)).phase == EP_ACTIVE;
}

/* How long an attempt may go unreported. */
static int64_t
patience(const struct worker *w, const struct endpoint *ep)
{
	int64_t ms = endpoint_policy(ep)->timeout_ms;

	return ms > 0 ? ms : w->config->limits_handshake_timeout;
}

bool
endpoint_take(struct worker *w, const struct endpoint *ep)
{
	struct place at = place_of(w, ep, BOARD_FIND);
	uint64_t old = state_at(&at), now;

	do {
		struct ep_state s = ep_unpack(old);

		if (!ep_take(&s, clock_ms(), patience(w, ep)))
			return false;
		now = ep_pack(&s);
	} while (now != old && !swap(w, &at, &old, now));
	return true;
}

/* ---- telling ----------------------------------------------------------- */

void
endpoint_ok(struct worker *w, const struct endpoint *ep)
{
	struct place at = place_of(w, ep, BOARD_FIND);
	uint64_t old = state_at(&at);
	struct ep_state before, s;
	enum ep_change change;

	do {
		before = s = ep_unpack(old);
		change = ep_succeeded(&s);
		if (change == EP_UNCHANGED)
			return;
	} while (!swap(w, &at, &old, ep_pack(&s)));
	ep_report(change, &before, &s, endpoint_policy(ep), endpoint_name(ep),
	    say);
}

void
endpoint_broke(struct worker *w, const struct endpoint *ep, int code)
{
	const struct ep_policy *policy = endpoint_policy(ep);
	struct ep_state before, s;
	enum ep_change change;
	struct place at;
	uint64_t old;

	if (policy->stateless)
		return;
	at = place_of(w, ep, BOARD_MAKE);
	old = state_at(&at);
	do {
		before = s = ep_unpack(old);
		change = ep_failed(&s, policy, code, clock_ms());
		if (change == EP_UNCHANGED)
			return;
	} while (!swap(w, &at, &old, ep_pack(&s)));
	ep_report(change, &before, &s, policy, endpoint_name(ep), say);
}

void
endpoint_forget(struct hmap *m)
{
	size_t at = 0;
	struct str key;
	void *value;

	while (hmap_next(m, &at, &key, &value))
		free(value);
	hmap_fini(m);
}

/* ---- numbers of groups ------------------------------------------------- */

static uint64_t
client_number(struct session *s, enum med_number what,
    const struct endpoint *ep, uint64_t value)
{
	struct str name = endpoint_name(ep);
	uint64_t *n = hmap_get(&s->kept, name);

	if (what == MED_CLIENT_KEPT)
		return n ? *n : 0;
	if (!n) {
		n = xcalloc(1, sizeof(*n));
		hmap_set(&s->kept, name, n);
	}
	*n = value;
	return value;
}

static uint64_t
set_number(struct place *at, uint64_t value)
{
	if (at->shared)
		board_endpoint_set_number(at->shared, value);
	else
		at->own->number = value;
	return value;
}

uint64_t
endpoint_number(struct session *s, enum med_number what,
    const struct endpoint *ep, uint64_t value)
{
	struct place at;

	if (what == MED_CLIENT_KEPT || what == MED_CLIENT_KEEP)
		return client_number(s, what, ep, value);
	at = place_of(s->worker, ep, BOARD_MAKE);
	switch (what) {
	case MED_TURN:
		return at.shared ? board_endpoint_count(at.shared)
		    : at.own->number++;
	case MED_KEEP:
		return set_number(&at, value);
	case MED_KEPT:
	case MED_CLIENT_KEPT:
	case MED_CLIENT_KEEP:
		break;
	}
	return at.shared ? board_endpoint_number(at.shared) : at.own->number;
}
