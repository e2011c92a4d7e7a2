/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The evaluator: a stack of (list, place in it), so that a run can stop
 * anywhere and go on later, and no input makes C recurse.
 */
#include "mediation/run.h"

#include <stdlib.h>

#include "base/must.h"
#include "mediation/func.h"

enum {
	KEEP_IDLE = 256,	/* runs in stock */
	FIRST_FRAMES = 16,
	FAULTS_MAX = 64,	/* raised in one run, or branch */
	GRACE_STEPS = 1000,	/* for handlers when the budget is used up */
	GRACE_MEMORY = 1 << 20,
	STEP_WEIGHT = 16384,	/* bytes whose copy counts as a step */
};

/* ---- stock ------------------------------------------------------------- */

struct med_engine *
med_engine_new(const struct med_limits *limits)
{
	struct med_engine *e = xcalloc(1, sizeof(*e));

	e->limits = *limits;
	groups_init(&e->groups);
	return e;
}

void
med_engine_set_limits(struct med_engine *e, const struct med_limits *limits)
{
	e->limits = *limits;
}

static void
run_destroy(struct med_run *r)
{
	free(r->frame);
	free(r->handler);
	free(r);
}

void
med_engine_free(struct med_engine **ep)
{
	struct med_engine *e = *ep;

	if (!e)
		return;
	*ep = NULL;
	must(e->live == 0);
	groups_fini(&e->groups);
	while (e->idle) {
		struct med_run *r = e->idle;

		e->idle = r->next_idle;
		run_destroy(r);
	}
	buf_fini(&e->scratch);
	free(e);
}

static struct med_run *
run_take(struct med_engine *e)
{
	struct med_run *r = e->idle;

	e->live++;
	if (r) {
		e->idle = r->next_idle;
		e->idle_count--;
		return r;
	}
	r = xcalloc(1, sizeof(*r));
	r->engine = e;
	r->frame_cap = FIRST_FRAMES;
	r->frame = xcalloc(r->frame_cap, sizeof(*r->frame));
	r->handler_cap = FIRST_FRAMES;
	r->handler = xcalloc(r->handler_cap, sizeof(*r->handler));
	return r;
}

static void
run_give(struct med_run *r)
{
	struct med_engine *e = r->engine;

	med_set_put(&r->set);
	func_leave(r, NULL);
	e->live--;
	if (e->idle_count == KEEP_IDLE) {
		run_destroy(r);
		return;
	}
	r->next_idle = e->idle;
	e->idle = r;
	e->idle_count++;
}

/* ---- stack ------------------------------------------------------------- */

static void
push_handler(struct med_run *r, const struct sequence *s)
{
	if (r->handlers == r->handler_cap) {
		r->handler_cap *= 2;
		r->handler = xrealloc(r->handler,
		    r->handler_cap * sizeof(*r->handler));
	}
	r->handler[r->handlers++] = s;
}

static struct frame *
push(struct med_run *r, enum frame_role role, const struct med_list *list)
{
	struct frame *f;

	if (r->top == r->frame_cap) {
		r->frame_cap *= 2;
		r->frame = xrealloc(r->frame, r->frame_cap * sizeof(*r->frame));
	}
	f = &r->frame[r->top++];
	f->list = list;
	f->at = list ? list->node : NULL;
	f->end = list ? list->node + list->count : NULL;
	f->sequence = NULL;
	f->after = NULL;
	f->func = r->func;
	f->outer = NULL;
	f->handlers = r->handlers;
	f->role = role;
	f->counted = false;
	f->faulted = false;
	return f;
}

/* Counts towards limits.depth. */
static bool
deepen(struct med_run *r, struct frame *f)
{
	f->counted = true;
	if (LIKELY(++r->depth <= r->engine->limits.depth))
		return true;
	fault_set(&r->fault, FAULT_MEDIATOR,
	    "more than %u nested sequences (limits.depth)",
	    r->engine->limits.depth);
	r->enter_failed = true;
	return false;
}

static void
trace_line(struct med_run *r, const char *what, const struct sequence *s)
{
	struct str line;

	if (!log_on(LOG_L_DEBUG))
		return;
	line = arena_printf(message_arena(r->msg), "%s : Sequence <%.*s>",
	    what, STR_FMT(s->name));
	med_log_as(r, LOG_L_DEBUG, STR("TRACE_LOGGER"), line);
}

/* Pushes the sequence's onError handler, if it has one. */
static void
start_sequence(struct med_run *r, struct frame *f, const struct sequence *s)
{
	f->sequence = s;
	if (s->on_error && s->on_error->target) {
		push_handler(r, s->on_error->target);
	} else if (s->on_error) {
		struct str line = arena_printf(message_arena(r->msg),
		    "onError handler : %.*s for sequence : %.*s cannot be "
		    "found", STR_FMT(s->on_error->name), STR_FMT(s->name));

		med_log_as(r, LOG_L_WARN, STR("SequenceMediator"), line);
	}
	if (s->trace)
		trace_line(r, "Start", s);
}

static struct frame *
push_sequence(struct med_run *r, enum frame_role role,
    const struct sequence *s)
{
	struct frame *f = push(r, role, s->list);

	if (deepen(r, f))
		start_sequence(r, f, s);
	return f;
}

void
med_enter(struct med_run *r, const struct med_list *list)
{
	push(r, FRAME_LIST, list);
}

void
med_enter_sequence(struct med_run *r, const struct sequence *s)
{
	push_sequence(r, FRAME_SEQUENCE, s);
}

void
med_enter_then(struct med_run *r, const struct med_list *list,
    med_after_fn *after, void *state)
{
	struct frame *f = push(r, FRAME_LIST, list);

	f->after = after;
	f->state = state;
}

void
med_enter_sequence_then(struct med_run *r, const struct sequence *s,
    med_after_fn *after, void *state)
{
	struct frame *f = push_sequence(r, FRAME_SEQUENCE, s);

	f->after = after;
	f->state = state;
}

/* What a branch takes of the run's budget. */
static void
charge(struct med_run *r, const struct message *copy)
{
	size_t cost = 1 + (copy ? message_weight(copy) / STEP_WEIGHT : 0);

	r->steps -= cost < r->steps ? (unsigned)cost : r->steps;
}

void
med_enter_branch(struct med_run *r, enum med_branch kind,
    const struct med_list *list, const struct sequence *s,
    struct message *msg, med_after_fn *after, void *state)
{
	struct frame *f = push(r, FRAME_BRANCH, s ? s->list : list);
	unsigned from = r->handler_base, to = r->handlers;

	f->after = after;
	f->state = state;
	f->outer = r->msg;
	f->handler_base = r->handler_base;
	f->faults = r->faults;
	f->memory = r->memory;
	charge(r, msg);
	if (msg) {
		size_t used = arena_used(message_arena(r->msg));

		r->memory -= used < r->memory ? used : r->memory;
		r->msg = msg;
	}
	r->faults = 0;
	r->handler_base = to;
	if (kind == MED_BRANCH_SHIELDED)
		for (unsigned i = from; i < to; i++)
			push_handler(r, r->handler[i]);
	if (deepen(r, f) && s)
		start_sequence(r, &r->frame[r->top - 1], s);
}

void
run_enter_template(struct med_run *r, const struct med_template *t,
    const struct sequence_ref *on_error, struct func_scope *scope)
{
	struct frame *f = push(r, FRAME_TEMPLATE, t->sequence->list);

	if (on_error && on_error->target)
		push_handler(r, on_error->target);
	if (deepen(r, f))
		start_sequence(r, f, t->sequence);
	func_enter(r, scope);
}

/* Takes the top frame off; what belongs to the world outside comes back. */
static struct frame
pop(struct med_run *r)
{
	struct frame f = r->frame[--r->top];

	if (f.counted)
		r->depth--;
	if (UNLIKELY(f.func != r->func))
		func_leave(r, f.func);
	return f;
}

/* After a branch: the outer message, handlers and budget. */
static struct message *
leave_branch(struct med_run *r, const struct frame *f)
{
	struct message *msg = r->msg;

	r->msg = f->outer;
	r->handlers = f->handlers;
	r->handler_base = f->handler_base;
	r->faults = f->faults;
	r->memory = f->memory;
	return msg;
}

/* A branch may run on the message of the run. */
static void
free_branch(const struct frame *f, struct message *msg)
{
	if (msg != f->outer)
		message_free(&msg);
}

/* Drops all frames above n without calling anybody. */
static void
cut(struct med_run *r, unsigned n)
{
	while (r->top > n) {
		struct frame f = pop(r);

		if (f.role == FRAME_BRANCH)
			free_branch(&f, leave_branch(r, &f));
	}
}

/* ---- budgets ----------------------------------------------------------- */

static bool
over_memory(const struct med_run *r)
{
	return arena_used(message_arena(r->msg)) > r->memory;
}

static void
out_of_steps(struct med_run *r)
{
	fault_set(&r->fault, FAULT_MEDIATOR,
	    "more than %u mediators for one message (limits.steps)",
	    r->engine->limits.steps);
	r->exhausted = true;
}

static void
out_of_memory(struct med_run *r)
{
	fault_set(&r->fault, FAULT_MEDIATOR,
	    "one message takes more than %zu bytes of memory (limits.memory)",
	    r->engine->limits.memory);
	r->exhausted = true;
}

/* Loops too must come to an end. */
static bool
may_go_on(struct med_run *r)
{
	if (UNLIKELY(r->steps == 0)) {
		out_of_steps(r);
		return false;
	}
	r->steps--;
	if (LIKELY(!over_memory(r)))
		return true;
	out_of_memory(r);
	return false;
}

/* ---- ends of frames ---------------------------------------------------- */

static enum med_next
call_after(struct med_run *r, const struct frame *f, enum med_end how)
{
	struct message *msg;
	enum med_next next;

	if (f->role != FRAME_BRANCH)
		return may_go_on(r) ?
		    f->after(r, f->state, how, r->msg, &r->fault) : MED_FAULT;
	msg = leave_branch(r, f);
	next = !may_go_on(r) ? MED_FAULT : f->after(r, f->state,
	    f->faulted ? MED_FAULTED : how, msg, &r->fault);
	r->again = f->faulted && next == MED_FAULT && !r->exhausted;
	free_branch(f, msg);
	return next;
}

/* The top frame has come to its end. */
static enum med_next
leave(struct med_run *r)
{
	struct frame f = pop(r);

	/* On normal completion the handlers that it brought go. */
	if (f.sequence && f.role != FRAME_BRANCH)
		r->handlers = f.handlers;
	if (f.sequence && UNLIKELY(f.sequence->trace))
		trace_line(r, "End", f.sequence);
	if (UNLIKELY(f.after != NULL))
		return call_after(r, &f, MED_ENDED);
	/* Nothing resumes after a fault sequence. */
	return UNLIKELY(f.role == FRAME_FAULT) ? MED_STOP : MED_NEXT;
}

/* The flow ends: up to the next loop, or altogether. */
static enum med_next
stop(struct med_run *r)
{
	while (r->top > 0) {
		struct frame f = pop(r);

		if (f.after)
			return call_after(r, &f, MED_STOPPED);
	}
	return MED_NEXT;
}

/* ---- faults ------------------------------------------------------------ */

static unsigned
branch_top(const struct med_run *r)
{
	unsigned n = r->top;

	while (n > 0 && r->frame[n - 1].role != FRAME_BRANCH)
		n--;
	return n;
}

static const struct sequence *
next_handler(struct med_run *r)
{
	while (r->handlers > r->handler_base) {
		const struct sequence *s = r->handler[--r->handlers];

		if (s)
			return s;
	}
	return NULL;
}

static void
enter_handler(struct med_run *r, const struct sequence *s)
{
	struct str line = arena_printf(message_arena(r->msg),
	    "Executing fault sequence mediator : %.*s", STR_FMT(s->name));

	med_log_as(r, LOG_L_WARN, STR("MediatorFaultHandler"), line);
	if ((r->steps == 0 || over_memory(r)) && !r->grace_used) {
		r->grace_used = true;
		r->steps = GRACE_STEPS;
		r->memory = arena_used(message_arena(r->msg)) + GRACE_MEMORY;
	}
	push_sequence(r, FRAME_FAULT, s);
}

/* Hands r->fault to the nearest handler. */
static enum med_next
raise(struct med_run *r)
{
	const struct sequence *s;
	unsigned floor;

	r->faulted = true;
	r->enter_failed = false;
	if (!r->fault.detail[0])
		fault_trail(r, r->fault.detail, sizeof(r->fault.detail));
	/* With a budget used up, no branch has a future. */
	if (UNLIKELY(r->exhausted))
		cut(r, 0);
	r->exhausted = false;
	floor = branch_top(r);
	fault_publish(r);
	r->again = false;
	s = ++r->faults <= FAULTS_MAX ? next_handler(r) : NULL;
	cut(r, floor);
	if (floor > 0) {
		struct frame *f = &r->frame[floor - 1];

		f->at = f->end;
		f->faulted = true;
	}
	if (s) {
		enter_handler(r, s);
		return r->enter_failed ? MED_FAULT : MED_CHILDREN;
	}
	if (floor == 0)
		r->unhandled = true;
	return MED_NEXT;
}

/* ---- the loop ---------------------------------------------------------- */

static enum med_state
finish(struct med_run *r, struct med_outcome *out)
{
	out->faulted = r->faulted;
	out->unhandled = r->unhandled;
	if (r->faulted)
		out->fault = r->fault;
	run_give(r);
	return MED_DONE;
}

static enum med_next
step(struct med_run *r)
{
	struct frame *f = &r->frame[r->top - 1];

	if (f->at == f->end)
		return leave(r);
	r->node = f->at++;
	if (UNLIKELY(!may_go_on(r)))
		return MED_FAULT;
	if (UNLIKELY(r->host->step != NULL))
		r->host->step(r->ctx, r->node->at,
		    str_of(r->node->type->element), r->top);
	return r->node->exec(r, r->node->data, r->msg, &r->fault);
}

/* Follows next until it is clear what to do: true to go on. */
static bool
settle(struct med_run *r, enum med_next next)
{
	for (;;) {
		switch (next) {
		case MED_NEXT:
			return true;
		case MED_CHILDREN:
			if (LIKELY(!r->enter_failed))
				return true;
			next = MED_FAULT;
			break;
		case MED_STOP:
			next = stop(r);
			break;
		case MED_FAULT:
			next = raise(r);
			break;
		case MED_WAIT:
			r->then = THEN_NEXT;
			return false;
		case MED_WAIT_STOP:
			r->then = THEN_STOP;
			return false;
		}
	}
}

static enum med_state
go(struct med_run *r, struct med_outcome *out)
{
	while (r->top > 0) {
		enum med_next next = step(r);

		if (next != MED_NEXT && !settle(r, next))
			return MED_WAITING;
	}
	return finish(r, out);
}

/* A run that is about to begin. */
static struct med_run *
begin(struct med_engine *e, struct med_set *set, struct message *msg,
    const struct med_host *host, void *ctx, const struct sequence *on_fault)
{
	struct med_run *r = run_take(e);

	r->set = med_set_get(set);
	r->msg = msg;
	r->host = host;
	r->ctx = ctx;
	r->top = r->depth = r->handlers = r->handler_base = r->faults = 0;
	r->steps = e->limits.steps;
	r->memory = e->limits.memory ? e->limits.memory : SIZE_MAX;
	r->node = NULL;
	r->attempt = NULL;
	r->func = NULL;
	r->enter_failed = r->exhausted = r->grace_used = r->again = false;
	r->faulted = r->unhandled = false;
	r->handler[r->handlers++] = on_fault;
	return r;
}

enum med_state
med_start(struct med_engine *e, struct med_set *set,
    const struct sequence *sequence, const struct sequence *on_fault,
    struct message *msg, const struct med_host *host, void *ctx,
    struct med_run **run_out, struct med_outcome *out)
{
	struct med_run *r = begin(e, set, msg, host, ctx, on_fault);
	enum med_state state;

	push_sequence(r, FRAME_SEQUENCE, sequence);
	if (UNLIKELY(set->pre_mediate != NULL))
		push_sequence(r, FRAME_SEQUENCE, set->pre_mediate);
	if (UNLIKELY(r->enter_failed))
		(void)settle(r, MED_FAULT);
	state = go(r, out);
	if (state == MED_WAITING)
		*run_out = r;
	return state;
}

enum med_state
med_start_group(struct med_engine *e, struct med_group **group,
    const struct sequence *on_fault, struct message *msg,
    const struct med_host *host, void *ctx, struct med_run **run_out,
    struct med_outcome *out)
{
	struct med_group *g = *group;
	struct med_run *r = begin(e, med_group_set(g), msg, host, ctx,
	    on_fault);
	enum med_state state = MED_WAITING;

	*group = NULL;
	push_handler(r, group_handler(g));
	if (settle(r, group_due(r, g)))
		state = go(r, out);
	if (state == MED_WAITING)
		*run_out = r;
	return state;
}

enum med_state
med_resume(struct med_run *r, struct med_outcome *out)
{
	r->attempt = NULL;
	if (r->then == THEN_STOP && !settle(r, MED_STOP))
		return MED_WAITING;
	return go(r, out);
}

enum med_state
med_drop(struct med_run *r, struct med_outcome *out)
{
	r->attempt = NULL;
	if (!settle(r, MED_STOP))
		return MED_WAITING;
	return go(r, out);
}

enum med_state
med_fail(struct med_run *r, const struct fault *fault, struct med_outcome *out)
{
	r->fault = *fault;
	if (!settle(r, sending_failed(r, &r->fault)))
		return MED_WAITING;
	return go(r, out);
}

void
med_abort(struct med_run **rp)
{
	struct med_run *r = *rp;

	if (!r)
		return;
	*rp = NULL;
	cut(r, 0);
	run_give(r);
}

struct message *
med_run_message(struct med_run *r)
{
	return r->msg;
}

struct med_set *
med_run_set(struct med_run *r)
{
	return r->set;
}

const struct sequence *
med_find_sequence(struct med_run *r, struct str name)
{
	return med_set_sequence(r->set, name);
}

const struct med_host *
med_host(struct med_run *r, void **ctx_out)
{
	*ctx_out = r->ctx;
	return r->host;
}

struct buf *
med_scratch(struct med_run *r)
{
	buf_clear(&r->engine->scratch);
	return &r->engine->scratch;
}
