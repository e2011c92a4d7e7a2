/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes: one message at a time, in order. */
#include "gateway/lane.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "gateway/gateway.h"
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

/* One that could not run at once. Messages come in bursts of thousands, so this
 * costs little more than their bytes; the event is made when its turn comes. */
struct queued {
	struct list link;
	struct event *event;		/* made already, or NULL */
	struct arrival arrival;
	char bytes[];
};

static bool
is_of_target(enum event_kind kind)
{
	return kind >= EVENT_TARGET_OPEN;
}

static struct lane *
lane_for(struct session *s, enum event_kind kind)
{
	return is_of_target(kind) ? &s->out : &s->in;
}

struct lane *
lane_of(struct event *ev)
{
	return lane_for(ev->session, ev->kind);
}

/* What a fault sequence expects to find. */
static void
set_error(struct event *ev)
{
	struct message *m = ev->message;

	message_set_prop(m, SCOPE_DEFAULT, STR("ERROR_CODE"),
	    VALUE_OF_INT(ev->code));
	message_set_prop(m, SCOPE_DEFAULT, STR("ERROR_MESSAGE"),
	    VALUE_OF_STR(ev->text));
	message_set_prop(m, SCOPE_DEFAULT, STR("ERROR_DETAIL"),
	    VALUE_OF_STR(ev->text));
}

static void
fill_rare(struct event *ev, const struct arrival *a)
{
	struct arena *arena = message_arena(ev->message);

	ev->from = arena_str(arena, a->from);
	ev->code = a->code;
	if (a->kind == EVENT_TARGET_CLOSE || a->kind == EVENT_TARGET_LOST)
		ev->text = arena_str(arena, a->text.p ? a->text : STR(""));
	if (a->kind == EVENT_TARGET_LOST)
		set_error(ev);
}

struct event *
event_new(const struct arrival *a)
{
	struct message *m = message_new(a->session->worker->pool);
	struct event *ev = arena_alloc(message_arena(m), sizeof(*ev));
	struct msg_context context;

	*ev = (struct event){
		.kind = a->kind, .session = a->session, .backend = a->backend,
		.frame = a->frame, .typed = a->typed, .message = m,
	};
	list_init(&ev->link);
	flow_context(ev, &context);
	message_set_context(m, &context);
	if (LIKELY(a->kind == EVENT_MESSAGE ||
	    a->kind == EVENT_TARGET_MESSAGE))
		message_set_wire(m, a->bytes, a->type, a->frame);
	if (is_of_target(a->kind)) {
		/* What <send> without an endpoint and <in>/<out> go by. */
		message_set_response(m, true);
		if (UNLIKELY(a->kind != EVENT_TARGET_MESSAGE || a->from.p))
			fill_rare(ev, a);
	}
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
	unsigned code = (unsigned)ev->code;

	if (s->inbound->backend_close != BACKEND_PROPAGATE)
		return;
	if (ev->kind == EVENT_TARGET_LOST)
		session_close(s, WS_CLOSE_BAD_GATEWAY,
		    STR("Back-end connection lost"));
	else
		session_close(s, ws_close_sendable(code) ? code : 0, ev->text);
}

/* Something failed, and what was done about it is over. */
static void
apologise(struct event *ev, int code)
{
	const char *text = apology(code);

	if (text && !ev->answered && !ev->sent && ev->kind != EVENT_DISCONNECT)
		session_close(ev->session, WS_CLOSE_BAD_GATEWAY,
		    str_of(text));
}

static void
finish(struct event *ev, const struct med_outcome *outcome)
{
	struct session *s = ev->session;
	struct lane *lane = lane_of(ev);
	struct message *m = ev->message;

	must(lane->current == ev);
	lane->current = NULL;
	if (ev->kind == EVENT_TARGET_CLOSE || ev->kind == EVENT_TARGET_LOST)
		propagate(ev);
	if (UNLIKELY(outcome->faulted)) {
		board_add(s->worker->board, faults, 1);
		apologise(ev, outcome->fault.code);
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
	on_fault = is_of_target(ev->kind) ? s->inbound->outflow_fault :
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
set_paused(struct session *s, struct lane *lane, struct backend *b)
{
	if (lane == &s->in)
		session_pause(s, PAUSE_LANE);
	else if (b)
		backend_pause(b, PAUSE_LANE);
}

static void
set_unpaused(struct session *s, struct lane *lane)
{
	if (lane == &s->in)
		session_unpause(s, PAUSE_LANE);
	else
		backends_unpause(s, PAUSE_LANE);
}

/* What comes of a back-end does not wait for another that is slow: it may be
 * what that one waits for. */
static bool
blocked(const struct session *s, const struct lane *lane)
{
	return s->pauses & (lane == &s->in ? PAUSE_CLIENT | PAUSE_BACKEND :
	    PAUSE_CLIENT);
}

static bool
takes(const struct session *s, const struct lane *lane)
{
	return !lane->current && list_empty(&lane->queue) && !blocked(s, lane);
}

/* Copies s to *at and moves on. */
static struct str
put(char **at, struct str s)
{
	char *p = *at;

	if (!s.p)
		return s;
	if (s.n)
		memcpy(p, s.p, s.n);
	*at += s.n;
	return (struct str){ p, s.n };
}

static void
enqueue(struct lane *lane, const struct arrival *a, struct event *ev)
{
	struct str from = a->backend ? backend_uri(a->backend) : a->from;
	size_t n = a->bytes.n + a->type.n + a->text.n + from.n;
	struct queued *q = xmalloc(sizeof(*q) + n);
	char *at = q->bytes;

	q->event = ev;
	q->arrival = *a;
	q->arrival.bytes = put(&at, a->bytes);
	q->arrival.type = put(&at, a->type);
	q->arrival.text = put(&at, a->text);
	q->arrival.from = put(&at, from);
	list_add_tail(&lane->queue, &q->link);
}

void
lane_take(const struct arrival *a)
{
	struct session *s = a->session;
	struct lane *lane = lane_for(s, a->kind);

	if (LIKELY(takes(s, lane))) {
		if (LIKELY(start(lane, event_new(a))))
			return;
	} else {
		enqueue(lane, a, NULL);
	}
	set_paused(s, lane, a->backend);
}

void
lane_submit(struct event *ev)
{
	const struct arrival of = { .kind = ev->kind, .session = ev->session };
	struct session *s = ev->session;
	struct lane *lane = lane_of(ev);

	if (takes(s, lane)) {
		if (start(lane, ev))
			return;
	} else {
		message_own(ev->message);
		enqueue(lane, &of, ev);
	}
	set_paused(s, lane, NULL);
}

/* The run of the first one in the queue; false when it waits. */
static bool
start_first(struct lane *lane)
{
	struct queued *q = list_first(&lane->queue, struct queued, link);
	bool over;

	list_del(&q->link);
	/* Whose back-end has gone since has its URI in the copy. */
	if (q->arrival.backend)
		q->arrival.from = STR_NULL;
	over = start(lane, q->event ? q->event : event_new(&q->arrival));
	free(q);
	return over;
}

static void
go_on(struct session *s, struct lane *lane)
{
	if (lane->current)
		return;
	while (!list_empty(&lane->queue))
		if (blocked(s, lane) || !start_first(lane))
			return;
	set_unpaused(s, lane);
}

void
lanes_go_on(struct session *s)
{
	if (UNLIKELY(!list_empty(&s->in.queue)))
		go_on(s, &s->in);
	if (UNLIKELY(!list_empty(&s->out.queue)))
		go_on(s, &s->out);
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

	ev->sent = false;
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

void
lane_forget(struct lane *lane, const struct backend *b)
{
	struct event *ev = lane->current;

	if (ev && ev->backend == b) {
		ev->from = arena_str(message_arena(ev->message),
		    backend_uri(b));
		ev->backend = NULL;
	}
	list_each(&lane->queue, q, struct queued, link)
		if (q->arrival.backend == b)
			q->arrival.backend = NULL;
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
	struct event *ev = event_new(&(struct arrival){
		.kind = lane == &s->in ? EVENT_MESSAGE : EVENT_TARGET_MESSAGE,
		.session = s, .bytes = STR("") });

	ev->group = group;
	lane_submit(ev);
}

void
lane_clear(struct lane *lane)
{
	struct event *ev = lane->current;
	struct queued *q;

	lane->current = NULL;
	if (ev)
		discard(ev);
	while ((q = list_first(&lane->queue, struct queued, link))) {
		list_del(&q->link);
		if (q->event)
			discard(q->event);
		free(q);
	}
}
