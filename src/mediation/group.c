/* SPDX-License-Identifier: Apache-2.0 */
/* Groups of an engine: a table, and one time at which to look at it. */
#include "mediation/group.h"

#include <stdlib.h>

#include "base/list.h"
#include "base/must.h"
#include "mediation/run.h"

enum { GRAIN_MS = 10 };		/* times are rounded up to this */

struct med_group {
	struct list link;		/* engine's; not in it: its time is up */
	struct med_engine *engine;
	struct med_set *set;
	const struct med_node *at;	/* for the log */
	const void *node;
	char *key;
	size_t key_len;
	struct message *msg;
	void *state;
	size_t weight, beside;
	int64_t until;			/* INT64_MAX: for ever */
	bool expires;			/* without due() */
	med_due_fn *due;
	void *home;			/* NULL: nobody is there any more */
	const struct sequence *handler;
};

/* ---- the table --------------------------------------------------------- */

/* Good until the next call. */
static struct str
key_of(struct med_engine *e, const void *node, struct str key)
{
	struct buf *b = &e->groups.scratch;

	buf_clear(b);
	buf_add(b, &node, sizeof(node));
	buf_add_str(b, key);
	return buf_str(b);
}

struct med_group *
med_group_find(struct med_run *r, const void *node, struct str key)
{
	struct groups *all = &r->engine->groups;

	if (all->count == 0)
		return NULL;
	return hmap_get(&all->table, key_of(r->engine, node, key));
}

/* Out of the table; what is in it is kept. */
static void
take_out(struct med_group *g)
{
	struct groups *all = &g->engine->groups;

	if (list_empty(&g->link))
		return;
	list_del(&g->link);
	list_init(&g->link);
	hmap_del(&all->table, (struct str){ g->key, g->key_len });
	all->count--;
}

void
med_group_drop(struct med_group **gp)
{
	struct med_group *g = *gp;

	if (!g)
		return;
	*gp = NULL;
	take_out(g);
	g->engine->groups.bytes -= g->weight;
	message_free(&g->msg);
	med_set_put(&g->set);
	free(g->key);
	free(g);
}

static void
ask_for_wake(struct groups *all, int64_t at)
{
	if (!all->clock || at >= all->wake_at)
		return;
	all->wake_at = at;
	all->clock->wake(all->clock->ctx, at);
}

static int64_t
now(const struct groups *all)
{
	return all->clock ? all->clock->now(all->clock->ctx) : 0;
}

int64_t
med_now(struct med_run *r)
{
	return now(&r->engine->groups);
}

static void
set_time(struct med_group *g, struct groups *all, int64_t timeout_ms,
    int64_t most_ms)
{
	g->until = INT64_MAX;
	g->expires = timeout_ms <= 0;
	if (g->expires)
		timeout_ms = most_ms;
	if (timeout_ms <= 0 || timeout_ms > INT64_MAX / 4)
		return;
	g->until = (now(all) + timeout_ms + GRAIN_MS - 1) / GRAIN_MS * GRAIN_MS;
	ask_for_wake(all, g->until);
}

static const struct sequence *
top_handler(const struct med_run *r)
{
	return r->handlers > r->handler_base ? r->handler[r->handlers - 1] :
	    NULL;
}

static void *
home_of(const struct med_run *r)
{
	return r->host->home ? r->host->home(r->ctx) : NULL;
}

/* What the first message brings, without what belongs to its run. */
static struct message *
keep_message(struct message *first, struct med_set *set)
{
	struct msg_context context = { .entry = med_set_entry,
	    .entry_ctx = set };
	struct message *m = message_fork(first);

	message_set_context(m, &context);
	return m;
}

struct med_group *
med_group_new(struct med_run *r, const void *node, struct str key,
    struct message *first, int64_t timeout_ms, med_due_fn *due,
    size_t state_size, struct fault *fault)
{
	struct groups *all = &r->engine->groups;
	const struct med_limits *limits = &r->engine->limits;
	struct str full = key_of(r->engine, node, key);
	struct med_group *g;

	if (limits->groups && all->count >= limits->groups) {
		fault_set(fault, FAULT_MEDIATOR, "%u aggregates wait for "
		    "messages already (limits.groups)", all->count);
		return NULL;
	}
	g = xcalloc(1, sizeof(*g));
	g->engine = r->engine;
	g->set = med_set_get(r->set);
	g->at = r->node;
	g->node = node;
	g->key = str_dup(full);
	g->key_len = full.n;
	g->msg = keep_message(first, r->set);
	g->state = arena_zalloc(message_arena(g->msg), state_size);
	g->due = due;
	g->home = home_of(r);
	g->handler = top_handler(r);
	hmap_set(&all->table, full, g);
	list_add_tail(&all->list, &g->link);
	all->count++;
	set_time(g, all, timeout_ms, limits->group_time);
	return g;
}

struct message *
med_group_message(struct med_group *g)
{
	return g->msg;
}

void *
med_group_state(struct med_group *g)
{
	return g->state;
}

struct med_set *
med_group_set(const struct med_group *g)
{
	return g->set;
}

int
med_group_grown(struct med_run *r, struct med_group *g, size_t more,
    struct fault *fault)
{
	struct groups *all = &r->engine->groups;
	size_t most = r->engine->limits.group_memory;

	g->home = home_of(r);
	g->beside += more;
	all->bytes -= g->weight;
	g->weight = g->beside + arena_used(message_arena(g->msg));
	all->bytes += g->weight;
	if (!most || all->bytes <= most)
		return 0;
	fault_set(fault, FAULT_MEDIATOR, "aggregates that wait for messages "
	    "take %zu bytes (limits.group_memory)", all->bytes);
	med_group_drop(&g);
	return -1;
}

/* ---- time -------------------------------------------------------------- */

void
med_engine_set_clock(struct med_engine *e, const struct med_clock *clock)
{
	e->groups.clock = clock;
}

unsigned
med_engine_groups(const struct med_engine *e)
{
	return e->groups.count;
}

static const char *
name_of(const struct med_group *g)
{
	return g->at ? g->at->type->origin : "";
}

static void
time_is_up(struct med_group *g, const struct med_clock *clock)
{
	struct src_pos at = g->at ? g->at->at : (struct src_pos){ .line = 0 };

	take_out(g);
	if (!g->expires && g->home) {
		clock->again(clock->ctx, g->home, g);
		return;
	}
	log_warn("%s at %s:%d: %s", name_of(g), at.file ? at.file : "",
	    at.line, g->expires ? "messages waited longer than "
	    "limits.group_time for the others; dropped" : "time is up, and "
	    "the connection that sent the last message is gone; dropped");
	med_group_drop(&g);
}

void
med_engine_wake(struct med_engine *e)
{
	struct groups *all = &e->groups;
	int64_t at = now(all), next = INT64_MAX;
	struct list due;

	list_init(&due);
	all->wake_at = INT64_MAX;
	list_each(&all->list, g, struct med_group, link) {
		if (g->until > at) {
			if (g->until < next)
				next = g->until;
			continue;
		}
		list_del(&g->link);
		list_add_tail(&due, &g->link);
	}
	if (next != INT64_MAX)
		ask_for_wake(all, next);
	for (struct med_group *g; (g = list_first(&due, struct med_group,
	    link));)
		time_is_up(g, all->clock);
}

void
med_engine_forget(struct med_engine *e, const void *home)
{
	struct groups *all = &e->groups;

	list_each(&all->list, g, struct med_group, link)
		if (g->home == home)
			g->home = NULL;
}

void
groups_init(struct groups *all)
{
	list_init(&all->list);
	all->wake_at = INT64_MAX;
}

void
groups_fini(struct groups *all)
{
	list_each(&all->list, g, struct med_group, link)
		med_group_drop(&g);
	hmap_fini(&all->table);
	buf_fini(&all->scratch);
}

/* ---- going on ---------------------------------------------------------- */

static void
take_addresses(struct message *to, struct message *from)
{
	static const char *const names[] = { "To", "From", "Action",
		"FaultTo", "ReplyTo", "RelatesTo" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct str name = str_of(names[i]);
		struct str text = message_addressing(from, name);

		if (text.p)
			(void)message_set_addressing(to, name, text);
	}
}

const struct sequence *
group_handler(const struct med_group *g)
{
	return g->handler;
}

enum med_next
group_due(struct med_run *r, struct med_group *g)
{
	enum med_next next;
	struct str type;

	type = message_prop_text(g->msg, SCOPE_AXIS2, STR("messageType"));
	if (type.p)
		message_set_body(r->msg, STR(""), type, MSG_TEXT);
	message_copy_props(r->msg, g->msg);
	take_addresses(r->msg, g->msg);
	message_set_response(r->msg, message_is_response(g->msg));
	r->node = g->at;
	next = g->due(r, g->node, g, r->msg, &r->fault);
	med_group_drop(&g);
	return next;
}
