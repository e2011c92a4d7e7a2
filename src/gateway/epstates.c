/* SPDX-License-Identifier: Apache-2.0 */
/* The states of the endpoints as this worker sees them. They are kept by name
 * and so outlive a reload of the artifacts. */
#include "gateway/gateway.h"

#include "base/must.h"
#include "mediation/epstate.h"

static struct ep_state *
state_of(struct worker *w, const struct endpoint *ep)
{
	return hmap_get(&w->endpoints, endpoint_name(ep));
}

static void
report(struct buf *line, enum log_level level)
{
	if (buf_len(line))
		log_line(level, STR("EndpointContext"), buf_str(line));
	buf_fini(line);
}

bool
endpoint_ready(struct worker *w, const struct endpoint *ep)
{
	/* Only endpoints that failed have a state: the usual case is a look
	 * at an empty map. */
	struct ep_state *state = state_of(w, ep);

	return !state || ep_ready(state, loop_now(w->loop));
}

void
endpoint_ok(struct worker *w, const struct endpoint *ep)
{
	struct ep_state *state = state_of(w, ep);
	struct buf line = { 0 };

	if (!state)
		return;
	ep_succeeded(state, endpoint_name(ep), &line);
	report(&line, LOG_L_INFO);
}

void
endpoint_broke(struct worker *w, const struct endpoint *ep, int code)
{
	struct ep_state *state = state_of(w, ep);
	struct buf line = { 0 };

	if (!state) {
		state = xcalloc(1, sizeof(*state));
		hmap_set(&w->endpoints, endpoint_name(ep), state);
	}
	ep_failed(state, endpoint_policy(ep), endpoint_name(ep), code,
	    loop_now(w->loop), &line);
	report(&line, LOG_L_WARN);
}
