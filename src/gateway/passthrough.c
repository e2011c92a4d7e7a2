/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way of a message that nobody looks at: from the frame that came in
 * straight into the queue that it leaves by. Only while nothing is in the way;
 * order is kept, because a lane that runs or waits takes all messages.
 */
#include "gateway/gateway.h"

#include "mediation/inbound.h"

void
pass_learn(struct session *s, const struct endpoint *ep, struct backend *b)
{
	if (s->in_shortcut && s->in_shortcut->endpoint == ep)
		s->straight = b;
}

bool
pass_to_backend(struct session *s, enum msg_frame frame, struct str bytes)
{
	const struct med_shortcut *way = s->in_shortcut;
	struct backend *b = s->straight;
	struct fault fault;

	if (!way || s->pauses || !lane_idle(&s->in))
		return false;
	if (way->kind == SHORTCUT_RESPOND) {
		if (!flow_may_deliver(s, bytes.n))
			return false;
		flow_deliver(s, frame, bytes);
		return true;
	}
	if (!b || backend_phase(b) != BACKEND_OPEN || !backend_can_take(b))
		return false;
	return backend_send(b, frame, bytes, &fault) == 0;
}

bool
pass_to_client(struct session *s, enum msg_frame frame, struct str bytes)
{
	const struct med_shortcut *way = s->out_shortcut;

	if (!way || way->kind != SHORTCUT_RESPOND ||
	    s->pauses & PAUSE_CLIENT || !lane_idle(&s->out) ||
	    !flow_may_deliver(s, bytes.n))
		return false;
	flow_deliver(s, frame, bytes);
	return true;
}
