/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a message goes: from the endpoint that a mediator names down to a
 * leaf, which the host is asked to send to; on to the next child of a group
 * when that fails.
 */
#include "mediation/func.h"
#include "mediation/run.h"

/* A group on the way to the leaf in hand; lives in the message's arena. */
struct attempt {
	struct attempt *outer;
	const struct endpoint *ep;
	const struct ep_group *group;
	size_t child;			/* in hand; count: none yet */
	bool any;			/* one was tried */
	bool tried[];
};

static enum med_next deliver(struct med_run *, const struct endpoint *,
    struct fault *);

static void
warn(struct med_run *r, const char *origin, struct str line)
{
	med_log_as(r, LOG_L_WARN, str_of(origin), line);
}

static uint64_t
number(struct med_run *r, enum med_number what, const struct endpoint *ep,
    uint64_t value)
{
	return r->host->number ? r->host->number(r->ctx, what, ep, value) : 0;
}

/* ---- references -------------------------------------------------------- */

static const struct endpoint *
follow(struct med_run *r, const struct endpoint_ref *ref, struct str *key,
    struct fault *fault)
{
	const struct endpoint *ep;

	*key = ref->name;
	if (!ref->dynamic) {
		ep = ref->target;
	} else {
		if (med_value_string(ref->dynamic, r->msg, key, fault) < 0)
			return NULL;
		ep = hmap_get(&r->set->endpoints, *key);
	}
	if (!ep)
		fault_set(fault, FAULT_NO_REFERENCE, "Couldn't find the "
		    "endpoint with the key : %.*s", STR_FMT(*key));
	return ep;
}

/* NULL with fault when a key leads nowhere. */
static const struct endpoint *
resolve(struct med_run *r, const struct endpoint_ref *ref, struct fault *fault)
{
	struct str key;
	const struct endpoint *ep = follow(r, ref, &key, fault);

	/* Keys that are computed can run in a circle. */
	for (int i = 0; ep && ep->other; i++) {
		if (i == 16) {
			fault_set(fault, FAULT_NO_REFERENCE, "the endpoint "
			    "with the key : %.*s leads to itself",
			    STR_FMT(key));
			return NULL;
		}
		ep = follow(r, ep->other, &key, fault);
	}
	return ep;
}

/* ---- choosing a child -------------------------------------------------- */

enum { NEST_MAX = 16 };		/* of groups, where keys are computed */

static bool
is_ready(struct med_run *r, const struct endpoint_ref *ref, unsigned nest)
{
	struct fault unused;
	const struct endpoint *ep = resolve(r, ref, &unused);
	const struct ep_group *g;

	if (!ep || nest == NEST_MAX)
		return false;
	g = endpoint_group(ep);
	if (!g)
		return !r->host->ready || r->host->ready(r->ctx, ep);
	for (size_t i = 0; i < g->count; i++)
		if (is_ready(r, g->child[i].ref, nest + 1))
			return true;
	return g->list != NULL;
}

/* The child whose turn it is, if it were up to the weights alone. */
static size_t
by_turn(struct med_run *r, const struct attempt *a)
{
	uint64_t total = 0, turn;
	size_t i = 0;

	for (size_t k = 0; k < a->group->count; k++)
		total += a->group->child[k].weight;
	turn = number(r, MED_TURN, a->ep, 0) % total;
	while (turn >= a->group->child[i].weight)
		turn -= a->group->child[i++].weight;
	return i;
}

/* Where the search begins. */
static size_t
first_choice(struct med_run *r, const struct attempt *a)
{
	size_t n = a->group->count;
	uint64_t kept;

	if (a->any)
		return a->group->choice == EP_TURNS ? (a->child + 1) % n : 0;
	if (a->group->choice == EP_KEPT)
		return (size_t)(number(r, MED_KEPT, a->ep, 0) % n);
	if (a->group->choice != EP_TURNS)
		return 0;
	kept = a->ep->sticky ? number(r, MED_CLIENT_KEPT, a->ep, 0) : 0;
	return kept > 0 && kept <= n ? (size_t)kept - 1 : by_turn(r, a);
}

static bool
may_take(struct med_run *r, const struct attempt *a, size_t i)
{
	return !a->tried[i] && is_ready(r, a->group->child[i].ref, 0);
}

static void
remember(struct med_run *r, const struct attempt *a)
{
	if (a->group->choice == EP_KEPT)
		number(r, MED_KEEP, a->ep, a->child);
	else if (a->ep->sticky)
		number(r, MED_CLIENT_KEEP, a->ep, a->child + 1);
}

/* False: none is left. */
static bool
choose(struct med_run *r, struct attempt *a)
{
	size_t n = a->group->count, from = first_choice(r, a);
	bool kept = a->group->choice == EP_KEPT && !a->any;

	if (kept && !may_take(r, a, from))
		from = 0;
	for (size_t k = 0; k < n; k++) {
		size_t i = (from + k) % n;

		if (!may_take(r, a, i))
			continue;
		a->child = i;
		a->any = a->tried[i] = true;
		remember(r, a);
		return true;
	}
	return false;
}

static const struct endpoint *
child_of(struct med_run *r, const struct attempt *a, struct fault *fault)
{
	return resolve(r, a->group->child[a->child].ref, fault);
}

/* ---- groups ------------------------------------------------------------ */

static int
none_ready(struct med_run *r, const struct endpoint *ep,
    const struct ep_group *g, struct fault *fault)
{
	struct str line = arena_printf(message_arena(r->msg), "%s endpoint : "
	    "%.*s - no ready child endpoints", g->title, STR_FMT(ep->name));

	warn(r, g->title, line);
	return fault_set(fault, FAULT_NO_ENDPOINT, "%.*s", STR_FMT(line));
}

static bool
nested_too_deep(const struct med_run *r)
{
	unsigned n = 0;

	for (const struct attempt *a = r->attempt; a; a = a->outer)
		n++;
	return n >= NEST_MAX;
}

/* The first child of a group; NULL with fault. */
static const struct endpoint *
enter_group(struct med_run *r, const struct endpoint *ep,
    const struct ep_group *g, struct fault *fault)
{
	struct attempt *a;

	if (nested_too_deep(r)) {
		fault_set(fault, FAULT_MEDIATOR, "endpoints nested more than "
		    "%d deep", NEST_MAX);
		return NULL;
	}
	if (endpoint_apply_properties(ep, r->msg, fault) < 0)
		return NULL;
	a = arena_zalloc(message_arena(r->msg), sizeof(*a) +
	    g->count * sizeof(a->tried[0]));
	*a = (struct attempt){ .outer = r->attempt, .ep = ep, .group = g };
	if (!choose(r, a)) {
		none_ready(r, ep, g, fault);
		return NULL;
	}
	r->attempt = a;
	return child_of(r, a, fault);
}

/* Is that a failure of an endpoint, and not of the message itself? */
static bool
is_of_endpoint(int code)
{
	return code >= 101000 && code < 400000;
}

static void
log_moving(struct med_run *r, const struct attempt *a,
    const struct endpoint *failed, const struct endpoint *next)
{
	int code = a->group->choice == EP_TURNS ? FAULT_LOADBALANCE_MOVED
	    : FAULT_FAILOVER_MOVED;

	med_log_as(r, LOG_L_INFO, str_of(a->group->title), arena_printf(
	    message_arena(r->msg), "Endpoint [%.*s] moves on from Endpoint "
	    "[%.*s] to Endpoint [%.*s] (%d)", STR_FMT(a->ep->name),
	    STR_FMT(failed->name), STR_FMT(next->name), code));
}

/* The next child of a after failed; NULL: there is none. */
static const struct endpoint *
next_child(struct med_run *r, struct attempt *a, const struct endpoint *failed,
    struct fault *fault)
{
	struct arena *arena = message_arena(r->msg);
	const struct endpoint *next;
	struct fault unused;

	if (!ep_may_retry(&failed->policy, fault->code)) {
		warn(r, a->group->title, arena_printf(arena, "%s endpoint : "
		    "%.*s - one of the child endpoints encounterd a non-retry "
		    "error, not sending message to another endpoint",
		    a->group->title, STR_FMT(a->ep->name)));
		return NULL;
	}
	if (!choose(r, a)) {
		warn(r, a->group->title, arena_printf(arena, "%s endpoint : "
		    "%.*s - no ready child endpoints", a->group->title,
		    STR_FMT(a->ep->name)));
		return NULL;
	}
	next = child_of(r, a, &unused);
	if (next)
		log_moving(r, a, failed, next);
	return next;
}

/* failed has the fault: who else may have the message? NULL: nobody, and the
 * fault stands. */
static const struct endpoint *
instead_of(struct med_run *r, const struct endpoint *failed,
    struct fault *fault)
{
	struct attempt *a;

	while ((a = r->attempt) && is_of_endpoint(fault->code)) {
		const struct endpoint *next;

		warn(r, a->group->title, arena_printf(message_arena(r->msg),
		    "Endpoint [%.*s] Detect a Failure in a child endpoint : "
		    "Endpoint [%.*s]", STR_FMT(a->ep->name),
		    STR_FMT(failed->name)));
		/* Without failover the group as a whole has not failed. */
		if (!a->group->move_on)
			break;
		next = next_child(r, a, failed, fault);
		if (next)
			return next;
		failed = a->ep;
		r->attempt = a->outer;
	}
	r->attempt = NULL;
	return NULL;
}

enum med_next
sending_failed(struct med_run *r, struct fault *fault)
{
	const struct endpoint *next;

	if (!r->attempt)
		return MED_FAULT;
	next = instead_of(r, r->leaf, fault);
	return next ? deliver(r, next, fault) : MED_FAULT;
}

/* ---- lists of recipients ----------------------------------------------- */

struct header {
	struct str name, value;
};

struct answer {
	bool there, none;
	enum msg_frame frame;
	struct str bytes, type;
	struct header *header;
	size_t headers;
	struct value status;
};

struct recipients {
	const struct endpoint *ep;
	const struct ep_group *group;
	struct attempt *outer;
	enum med_sending how;
	size_t next;
	struct str rest;		/* of group->list */
	unsigned sent;
	bool failed, faulted;
	struct answer answer;
	struct fault fault;		/* the last one */
};

/* The next one that is ready; NULL at the end. */
static const struct endpoint *
next_recipient(struct med_run *r, struct recipients *s, struct str *to)
{
	struct fault unused;

	*to = STR_NULL;
	while (s->group->list && str_next(&s->rest, ',', to)) {
		*to = str_trim(*to);
		if (to->n)
			return r->set->address_endpoint;
	}
	while (s->next < s->group->count) {
		const struct endpoint_ref *ref =
		    s->group->child[s->next++].ref;

		if (is_ready(r, ref, 0))
			return resolve(r, ref, &unused);
	}
	return NULL;
}

static size_t
count_headers(struct message *m)
{
	const void *at = NULL;
	struct str name;
	struct value v;
	size_t n = 0;

	while (message_next_prop(m, SCOPE_TRANSPORT, &at, &name, &v))
		n++;
	return n;
}

/* The first answer is the one that counts. It is kept until all have their
 * copies of the message as it was. */
static int
keep_answer(struct arena *a, struct answer *to, struct message *from,
    struct fault *fault)
{
	const void *at = NULL;
	struct msg_output o;
	struct str name;
	struct value v;
	struct err err;

	if (message_format(from, &o, &err) < 0)
		return med_fault_body(fault, &err);
	to->there = true;
	to->none = o.none;
	to->frame = o.frame;
	to->bytes = arena_str(a, o.bytes);
	to->type = arena_str(a, o.type);
	to->header = arena_alloc(a, count_headers(from) * sizeof(*to->header));
	while (message_next_prop(from, SCOPE_TRANSPORT, &at, &name, &v))
		to->header[to->headers++] = (struct header){
		    .name = arena_str(a, name),
		    .value = arena_str(a, value_text(&v, a)) };
	if (message_prop(from, SCOPE_AXIS2, STR("HTTP_SC"), &v) &&
	    v.type == VALUE_INT)
		to->status = v;
	return 0;
}

static void
take_answer(struct message *m, const struct answer *from)
{
	if (from->none)
		message_set_empty(m);
	else
		message_set_body(m, from->bytes, from->type, from->frame);
	for (size_t i = 0; i < from->headers; i++)
		message_set_prop(m, SCOPE_TRANSPORT, from->header[i].name,
		    VALUE_OF_STR(from->header[i].value));
	if (from->status.type == VALUE_INT)
		message_set_prop(m, SCOPE_AXIS2, STR("HTTP_SC"), from->status);
	if (from->type.p)
		message_set_prop(m, SCOPE_AXIS2, STR("messageType"),
		    VALUE_OF_STR(from->type));
}

static enum med_next recipients_go_on(struct med_run *, struct recipients *,
    struct fault *);

static enum med_next
after_recipient(struct med_run *r, void *state, enum med_end how,
    struct message *msg, struct fault *fault)
{
	struct recipients *s = state;

	r->attempt = NULL;
	if (how == MED_FAULTED) {
		s->failed = true;
		s->fault = *fault;
		return recipients_go_on(r, s, fault);
	}
	s->sent++;
	if (s->how == MED_CALL && !s->answer.there && message_changed(msg) &&
	    keep_answer(message_arena(r->msg), &s->answer, msg, fault) < 0)
		return MED_FAULT;
	return recipients_go_on(r, s, fault);
}

static enum med_next
recipients_end(struct med_run *r, struct recipients *s, struct fault *fault)
{
	const struct endpoint *next;

	r->how = s->how;
	r->attempt = s->outer;
	if (s->sent > 0) {
		/* What failed was said; the message is on its way. */
		r->faulted = s->faulted;
		r->attempt = NULL;
		if (s->answer.there)
			take_answer(r->msg, &s->answer);
		return s->how == MED_SEND ? MED_STOP : MED_NEXT;
	}
	if (s->failed)
		*fault = s->fault;
	else
		none_ready(r, s->ep, s->group, fault);
	next = instead_of(r, s->ep, fault);
	return next ? deliver(r, next, fault) : MED_FAULT;
}

static enum med_next
recipients_go_on(struct med_run *r, struct recipients *s, struct fault *fault)
{
	struct str to;
	const struct endpoint *ep = next_recipient(r, s, &to);
	struct message *copy;

	if (!ep)
		return recipients_end(r, s, fault);
	if (r->steps == 0) {
		fault_set(fault, FAULT_MEDIATOR, "too many recipients for one "
		    "message (limits.steps)");
		return MED_FAULT;
	}
	r->steps--;
	copy = message_copy(r->msg);
	if (to.p)
		(void)message_set_addressing(copy, STR("To"), to);
	med_enter_branch(r, MED_BRANCH_OPEN, NULL, NULL, copy,
	    after_recipient, s);
	if (r->enter_failed)
		return MED_CHILDREN;
	r->how = s->how;
	return deliver(r, ep, fault);
}

static enum med_next
recipients_start(struct med_run *r, const struct endpoint *ep,
    const struct ep_group *g, struct fault *fault)
{
	struct recipients *s;

	if (nested_too_deep(r) ||
	    endpoint_apply_properties(ep, r->msg, fault) < 0)
		return MED_FAULT;
	s = arena_zalloc(message_arena(r->msg), sizeof(*s));
	s->ep = ep;
	s->group = g;
	s->outer = r->attempt;
	s->how = r->how;
	s->faulted = r->faulted;
	if (g->list && med_value_string(g->list, r->msg, &s->rest, fault) < 0)
		return MED_FAULT;
	s->rest = arena_str(message_arena(r->msg), s->rest);
	r->attempt = NULL;
	return recipients_go_on(r, s, fault);
}

/* ---- to the host ------------------------------------------------------- */

static enum med_next
next_of(enum med_host_result result, enum med_next done, enum med_next wait)
{
	switch (result) {
	case MED_HOST_DONE:
		return done;
	case MED_HOST_WAIT:
		return wait;
	case MED_HOST_FAULT:
		break;
	}
	return MED_FAULT;
}

static enum med_next
send_leaf(struct med_run *r, const struct endpoint *ep, struct fault *fault)
{
	enum med_next done = r->how == MED_SEND ? MED_STOP : MED_NEXT;
	enum med_next wait = r->how == MED_SEND ? MED_WAIT_STOP : MED_WAIT;
	enum med_next next;

	r->leaf = ep;
	next = next_of(r->host->send(r->ctx, r, r->how, ep, r->msg, fault),
	    done, wait);
	if (next == done)
		r->attempt = NULL;
	return next;
}

/* To ep, or whom the groups around it have instead. */
static enum med_next
deliver(struct med_run *r, const struct endpoint *ep, struct fault *fault)
{
	while (ep) {
		const struct ep_group *g = endpoint_group(ep);
		const struct endpoint *child;
		enum med_next next;

		if (g && g->choice == EP_ALL)
			return recipients_start(r, ep, g, fault);
		if (g) {
			child = enter_group(r, ep, g, fault);
			ep = child ? child : instead_of(r, ep, fault);
			continue;
		}
		next = send_leaf(r, ep, fault);
		if (next != MED_FAULT)
			return next;
		ep = instead_of(r, ep, fault);
	}
	return MED_FAULT;
}

enum med_next
med_respond(struct med_run *r, struct message *msg, struct fault *fault)
{
	message_set_response(msg, true);
	message_set_addressing(msg, STR("To"), STR_NULL);
	return next_of(r->host->respond(r->ctx, r, msg, fault), MED_STOP,
	    MED_WAIT_STOP);
}

enum med_next
med_send_to(struct med_run *r, enum med_sending how,
    const struct endpoint_ref *ref, struct message *msg, struct fault *fault)
{
	const struct endpoint *ep = r->set->to_endpoint;

	if (!ref && how == MED_SEND && message_is_response(msg))
		return med_respond(r, msg, fault);
	if (ref)
		ep = resolve(r, ref, fault);
	if (!ep)
		return MED_FAULT;
	if (!ref && !message_addressing(msg, STR("To")).n) {
		fault_set(fault, FAULT_MEDIATOR, "there is no endpoint to "
		    "send to: none is given, and the message has no To "
		    "address");
		return MED_FAULT;
	}
	r->attempt = NULL;
	r->how = how;
	return deliver(r, ep, fault);
}
