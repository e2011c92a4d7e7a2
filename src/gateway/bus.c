/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/bus.h"

#include <stdlib.h>

#include "base/must.h"
#include "config/config.h"
#include "ipc/board.h"
#include "ipc/ring.h"
#include "ws/ws.h"

enum { RECORDS_A_TURN = 1024 };	/* then the sockets have their turn */

struct bus {
	struct worker *worker;
	struct ring *ring;
	struct ring_reader *reader;
	unsigned self;
	struct loop_fd wake;
};

/* What stands before the payload of a record. */
struct envelope {
	uint32_t key_len;
	uint32_t frame;		/* enum msg_frame */
};

static bool
anybody_else(const struct bus *b)
{
	const struct board_slot *mine = b->worker->board;
	const struct board_slot *slot = mine - b->self;

	for (unsigned i = 0; i < ring_lanes(b->ring); i++)
		if (i != b->self && board_get(&slot[i], subscribers) > 0)
			return true;
	return false;
}

void
bus_publish(struct bus *b, struct str key, enum msg_frame frame,
    struct str bytes)
{
	const struct envelope e = {
		.key_len = (uint32_t)key.n, .frame = (uint32_t)frame,
	};
	const struct str parts[] = {
		{ (const char *)&e, sizeof(e) }, key, bytes,
	};
	struct err err;

	if (!b || !anybody_else(b))
		return;
	if (ring_publish(b->ring, b->self, parts, ARRAY_LEN(parts), &err) < 0)
		log_error("%s", err.text);
	else
		board_add(b->worker->board, broadcasts_out, 1);
}

static void
deliver(struct bus *b, struct str record)
{
	struct envelope e;
	struct str key;

	if (record.n < sizeof(e))
		return;
	memcpy(&e, record.p, sizeof(e));
	record = str_from(record, sizeof(e));
	if (e.key_len > record.n || e.frame > MSG_BINARY)
		return;
	key = str_head(record, e.key_len);
	group_deliver(b->worker, key, (enum msg_frame)e.frame,
	    str_from(record, e.key_len));
	board_add(b->worker->board, broadcasts_in, 1);
}

/* Nobody knows whom the lost ones were for: it concerns all subscribers. */
static void
lagged(struct bus *b, unsigned lane, uint64_t lost)
{
	struct worker *w = b->worker;

	board_add(w->board, broadcasts_lost, (int64_t)lost);
	log_error("lost %llu broadcasts of worker %u, which came faster than "
	    "they could be taken (broadcast.ring_size)",
	    (unsigned long long)lost, lane + 1);
	if (strcmp(w->config->broadcast_on_lag, "close") != 0)
		return;
	list_each(&w->sessions, s, struct session, link)
		if (s->group)
			session_close(s, WS_CLOSE_TRY_LATER,
			    STR("broadcasts were lost"));
}

static void
take(struct bus *b)
{
	for (int i = 0; i < RECORDS_A_TURN; i++) {
		struct str record;
		uint64_t lost;
		unsigned lane;

		switch (ring_read(b->reader, &lane, &record, &lost)) {
		case RING_GOT:
			deliver(b, record);
			continue;
		case RING_EMPTY:
			return;
		case RING_LAPPED:
		case RING_BAD:
			lagged(b, lane, lost);
			continue;
		}
	}
}

static bool
before_wait(void *ctx)
{
	struct bus *b = ctx;

	return ring_sleep(b->reader);
}

static void
after_wait(void *ctx)
{
	struct bus *b = ctx;

	ring_awake(b->reader);
	take(b);
}

/* The eventfd only ends the wait; after_wait() has done the work. */
static void
on_wake(void *ctx, unsigned ready UNUSED)
{
	struct bus *b = ctx;

	ring_woken(b->reader);
}

int
bus_new(struct worker *w, struct ring *ring, unsigned self, struct bus **out,
    struct err *err)
{
	struct bus *b;

	*out = NULL;
	if (!ring)
		return 0;
	b = xcalloc(1, sizeof(*b));
	b->worker = w;
	b->ring = ring;
	b->self = self;
	if (loop_fd_add(w->loop, &b->wake, ring_wake_fd(ring, self), LOOP_READ,
	    on_wake, b, err) < 0) {
		free(b);
		return -1;
	}
	ring_writer_start(ring, self);
	b->reader = ring_reader_new(ring, self);
	loop_around_wait(w->loop, before_wait, after_wait, b);
	*out = b;
	return 0;
}

void
bus_free(struct bus **bp)
{
	struct bus *b = *bp;

	if (!b)
		return;
	*bp = NULL;
	loop_around_wait(b->worker->loop, NULL, NULL, NULL);
	loop_fd_del(b->worker->loop, &b->wake);
	ring_reader_free(&b->reader);
	free(b);
}
