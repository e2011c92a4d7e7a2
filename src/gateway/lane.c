/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: one message at a time, in order. */
#include "gateway/gateway.h"

#include "base/must.h"
#include "ipc/board.h"
#include "mediation/inbound.h"
#include "ws/ws.h"

void
lane_init(struct lane *l, struct session *s)
{
	l->session = s;
	l->current = NULL;
	list_init(&l->queue);
}

bool
lane_idle(const struct lane *l)
{
	return !l->current && list_empty(&l->queue);
}

static bool
from_backend(const struct event *ev)
{
	return ev->kind >= EVENT_TARGET_OPEN;
}

struct lane *
lane_of(struct event *ev)
{
	return from_backend(ev) ? &ev->session->out : &ev->session->in;
}

struct event *
event_new(struct session *s, enum event_kind kind, struct str bytes,
    struct str type, enum msg_frame frame)
{
	struct message *m = message_new(s->worker->pool);
	struct event *ev = arena_alloc(message_arena(m), sizeof(*ev));
	struct msg_context context;

	*ev = (struct event){
		.kind = kind, .session = s, .frame = frame, .message = m,
	};
	list_init(&ev->link);
	flow_context(ev, &context);
	message_set_context(m, &context);
	if (kind == EVENT_MESSAGE || kind == EVENT_TARGET_MESSAGE)
		message_set_wire(m, bytes, type, frame);
	return ev;
}

/* NULL: there is nothing to run for this kind of event. */
static const struct sequence *
sequence_for(const struct event *ev)
{
	const struct session *s = ev->session;
	const struct med_inbound *in = s->inbound;
	const struct sequence *main = s->custom ? s->custom : in->sequence;

	switch (ev->kind) {
	case EVENT_CONNECT:
		if (in->on_connect)
			return in->on_connect;
		return in->lifecycle == LIFECYCLE_OFF ? NULL : main;
	case EVENT_DISCONNECT:
		if (in->on_disconnect)
			return in->on_disconnect;
		return in->lifecycle == LIFECYCLE_OFF ? NULL : main;
	case EVENT_MESSAGE:
		return main;
	case EVENT_TARGET_OPEN:
		return in->lifecycle == LIFECYCLE_OFF ? NULL : in->outflow;
	case EVENT_TARGET_MESSAGE:
	case EVENT_TARGET_CLOSE:
		return in->outflow;
	case EVENT_TARGET_LOST:
		return in->outflow_fault;
	}
	return NULL;
}

/* What the client gets when a back-end failed and no sequence said anything
 * (decisions.md row 7). No address of an internal host goes out. */
static const char *
apology(int code)
{
	switch (code) {
	case FAULT_CONNECT_FAILED:
		return "Connection refused";
	case FAULT_TIMEOUT:
	case FAULT_CONNECT_TIMEOUT:
		return "Connection timed out";
	case FAULT_SUSPENDED:
	case FAULT_NO_ENDPOINT:
		return "Endpoint suspended";
	case FAULT_PROTOCOL:
		return "Handshake refused";
	default:
		return NULL;
	}
}

/* The client learns of the end of its back-end after all that the back-end
 * said before (decisions.md row 4). */
static void
propagate(struct event *ev)
{
	struct session *s = ev->session;
	unsigned code = ev->close_code;

	if (s->inbound->backend_close != BACKEND_PROPAGATE)
		return;
	if (ev->kind == EVENT_TARGET_LOST)
		session_close(s, WS_CLOSE_BAD_GATEWAY,
		    STR("Back-end connection lost"));
	else
		session_close(s, ws_close_sendable(code) ? code : 0,
		    ev->close_reason);
}

static void
finish(struct event *ev, const struct med_outcome *outcome)
{
	struct session *s = ev->session;
	struct lane *lane = lane_of(ev);
	struct message *m = ev->message;
	const char *text;

	must(lane->current == ev);
	lane->current = NULL;
	if (ev->kind == EVENT_TARGET_CLOSE || ev->kind == EVENT_TARGET_LOST)
		propagate(ev);
	if (outcome->faulted) {
		board_add(s->worker->board, faults, 1);
		text = apology(outcome->fault.code);
		if (text && !ev->answered && ev->kind != EVENT_DISCONNECT)
			session_close(s, WS_CLOSE_BAD_GATEWAY, str_of(text));
	}
	message_free(&m);
}

static enum med_state
run_group(struct event *ev, const struct sequence *on_fault,
    struct med_outcome *outcome)
{
	struct session *s = ev->session;

	/* After a reload, the group is of the old set and has its own. */
	if (med_group_set(ev->group) != s->set)
		on_fault = NULL;
	return med_start_group(s->worker->engine, &ev->group, on_fault,
	    ev->message, &flow_host, ev, &ev->run, outcome);
}

static enum med_state
run(struct event *ev, const struct sequence *seq,
    const struct sequence *on_fault, struct med_outcome *outcome)
{
	struct session *s = ev->session;

	if (UNLIKELY(ev->group != NULL))
		return run_group(ev, on_fault, outcome);
	return med_start(s->worker->engine, s->set, seq, on_fault,
	    ev->message, &flow_host, ev, &ev->run, outcome);
}

/* Starts ev; true when it is over already. */
static bool
start(struct lane *lane, struct event *ev)
{
	struct session *s = ev->session;
	const struct sequence *seq;
	const struct sequence *on_fault;
	/* Only read after it was filled: not cleared, this is the hot path. */
	struct med_outcome outcome;

	must(!lane->current);
	lane->current = ev;
	seq = sequence_for(ev);
	if (!seq) {
		outcome.faulted = false;
		finish(ev, &outcome);
		return true;
	}
	on_fault = from_backend(ev) ? s->inbound->outflow_fault :
	    s->inbound->on_error;
	if (ev->kind == EVENT_TARGET_LOST)
		on_fault = NULL;
	if (run(ev, seq, on_fault, &outcome) == MED_DONE) {
		finish(ev, &outcome);
		return true;
	}
	message_own(ev->message);
	return false;
}

static void
set_paused(struct lane *lane, struct event *ev)
{
	if (lane == &ev->session->in)
		session_pause(ev->session, PAUSE_LANE);
	else if (ev->backend)
		backend_pause(ev->backend, PAUSE_LANE);
}

static void
set_unpaused(struct session *s, struct lane *lane)
{
	if (lane == &s->in)
		session_unpause(s, PAUSE_LANE);
	else
		backends_unpause(s, PAUSE_LANE);
}

void
lane_submit(struct lane *lane, struct event *ev)
{
	if (LIKELY(!lane->current && list_empty(&lane->queue))) {
		if (!start(lane, ev))
			set_paused(lane, ev);
		return;
	}
	message_own(ev->message);
	list_add_tail(&lane->queue, &ev->link);
	set_paused(lane, ev);
}

/* The lane's run is over: what waited behind it. */
static void
go_on(struct session *s, struct lane *lane)
{
	struct event *next;

	while ((next = list_first(&lane->queue, struct event, link))) {
		list_del(&next->link);
		if (!start(lane, next))
			return;
	}
	set_unpaused(s, lane);
}

void
lane_resume(struct event *ev)
{
	struct session *s = ev->session;
	struct lane *lane = lane_of(ev);
	struct med_outcome outcome;

	if (med_resume(ev->run, &outcome) == MED_WAITING)
		return;
	finish(ev, &outcome);
	go_on(s, lane);
}

void
lane_fail(struct event *ev, const struct fault *fault)
{
	struct session *s = ev->session;
	struct lane *lane = lane_of(ev);
	struct med_outcome outcome;

	if (med_fail(ev->run, fault, &outcome) == MED_WAITING)
		return;
	finish(ev, &outcome);
	go_on(s, lane);
}

void
lane_drop(struct event *ev)
{
	struct session *s = ev->session;
	struct lane *lane = lane_of(ev);
	struct med_outcome outcome;

	if (med_drop(ev->run, &outcome) == MED_WAITING)
		return;
	finish(ev, &outcome);
	go_on(s, lane);
}

static void
discard(struct event *ev)
{
	struct message *m = ev->message;

	list_del(&ev->link);
	med_abort(&ev->run);
	med_group_drop(&ev->group);
	message_free(&m);
}

void
lane_again(struct lane *lane, struct med_group *group)
{
	struct session *s = lane->session;
	struct event *ev = event_new(s, lane == &s->in ? EVENT_MESSAGE :
	    EVENT_TARGET_MESSAGE, STR(""), STR_NULL, MSG_TEXT);

	ev->group = group;
	lane_submit(lane, ev);
}

void
lane_clear(struct lane *lane)
{
	struct event *ev = lane->current;

	lane->current = NULL;
	if (ev)
		discard(ev);
	while ((ev = list_first(&lane->queue, struct event, link)))
		discard(ev);
}
