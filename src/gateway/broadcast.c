/* SPDX-License-Identifier: Apache-2.0 */
/* Who hears whom: the sessions of this worker by inbound and path
 * (websocket.md 5.3). Other workers hear of it through the bus. */
#include "gateway/gateway.h"

#include <stdlib.h>

#include "base/must.h"
#include "gateway/bus.h"
#include "ipc/board.h"
#include "mediation/inbound.h"

struct group {
	struct list members;
	struct buf key;		/* inbound name, NUL, decoded path */
};

static void
make_key(const struct session *s, struct buf *key)
{
	buf_add_str(key, s->inbound->name);
	buf_putc(key, '\0');
	buf_add_str(key, s->path);
}

void
group_join(struct session *s)
{
	struct buf key = { 0 };
	struct group *g;

	must(!s->group);
	make_key(s, &key);
	g = hmap_get(&s->worker->groups, buf_str(&key));
	if (g) {
		buf_fini(&key);
	} else {
		g = xcalloc(1, sizeof(*g));
		list_init(&g->members);
		g->key = key;
		hmap_set(&s->worker->groups, buf_str(&g->key), g);
	}
	list_add_tail(&g->members, &s->group_link);
	s->group = g;
	board_add(s->worker->board, subscribers, 1);
}

static void
destroy(void *p)
{
	struct group *g = p;

	buf_fini(&g->key);
	free(g);
}

void
group_leave(struct session *s)
{
	struct group *g = s->group;

	if (!g)
		return;
	s->group = NULL;
	list_del(&s->group_link);
	board_add(s->worker->board, subscribers, -1);
	if (!list_empty(&g->members))
		return;
	hmap_del(&s->worker->groups, buf_str(&g->key));
	/* Somebody may be walking the members. */
	loop_defer_free(s->worker->loop, g, destroy);
}

/* Who is too slow leaves meanwhile, and is the current one of the walk. */
static void
to_members(struct group *g, struct session *except, enum msg_frame frame,
    struct str bytes)
{
	list_each(&g->members, s, struct session, group_link)
		if (s != except)
			session_send(s, frame, bytes);
}

/* The last words of one who has left its group. */
static void
send_after_leaving(struct session *from, enum msg_frame frame,
    struct str bytes)
{
	struct worker *w = from->worker;
	struct buf key = { 0 };

	make_key(from, &key);
	bus_publish(w->bus, buf_str(&key), frame, bytes);
	group_deliver(w, buf_str(&key), frame, bytes);
	buf_fini(&key);
}

void
group_send(struct session *from, struct session *except, enum msg_frame frame,
    struct str bytes)
{
	struct group *g = from->group;

	if (!g) {
		send_after_leaving(from, frame, bytes);
		return;
	}
	/* Others first: a member that is closed here may take g with it. */
	bus_publish(from->worker->bus, buf_str(&g->key), frame, bytes);
	to_members(g, except, frame, bytes);
}

void
group_deliver(struct worker *w, struct str key, enum msg_frame frame,
    struct str bytes)
{
	struct group *g = hmap_get(&w->groups, key);

	if (g)
		to_members(g, NULL, frame, bytes);
}
