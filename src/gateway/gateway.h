/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of a worker. Private to gateway.
 *
 * One session is one client connection. It has two lanes: messages of the
 * client walk the inbound's sequence in the in lane, messages of its back-ends
 * the outflow sequence in the out lane. A lane runs one message at a time and
 * in order; while a run waits, later messages queue behind it and the stream
 * they come from is paused.
 */
#ifndef GATEWAY_GATEWAY_H
#define GATEWAY_GATEWAY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/str.h"
#include "gateway/backends.h"
#include "gateway/lane.h"
#include "gateway/session.h"
#include "ipc/chan.h"
#include "mediation/mediation.h"
#include "msg/message.h"
#include "net/loop.h"

struct board;
struct board_slot;
struct bus;
struct config;
struct http_client;
struct session;
struct worker;

/* ---- worker.c ---------------------------------------------------------- */

struct listener {
	struct list link;		/* worker.listeners */
	struct worker *worker;
	struct loop_fd fd;
	struct loop_timer pause;	/* out of descriptors: try again */
	uint16_t port;
	char *name;			/* the inbound of port 0 that it is for;
					   NULL: all with this port */
};

enum worker_phase { WORKER_RUNNING, WORKER_DRAINING, WORKER_STOPPED };

struct worker {
	struct loop *loop;
	struct resolver *resolver;
	struct med_engine *engine;
	struct msg_pool *pool;
	struct http_client *http;
	struct board_slot *board;
	struct board *shared;		/* all of it */
	const struct config *config;
	struct config *own_config;	/* config, when it came by a reload */
	struct med_set *set;
	int64_t generation;
	/* prepared, waiting for commit or rollback */
	struct config *next_config;
	struct med_set *next_set;
	int64_t next_generation;

	struct chan *chan;
	struct loop_fd chan_fd;
	struct list listeners;
	struct list sessions;
	unsigned session_count;
	unsigned open_count;		/* of these, with frames */
	uint32_t next_id;
	enum worker_phase phase;
	struct loop_timer drain_timer;
	struct med_clock clock;
	struct loop_timer group_timer;	/* the engine's */
	struct hmap endpoints;		/* epstates.c: with no room on the
					   board */
	struct hmap groups;		/* broadcast.c */
	struct bus *bus;		/* NULL with a single worker */
	struct hmap warned;		/* "once per endpoint" notes */
	struct access_log *access;
	int exit_status;
};

/* The limits of its engine, as the settings are now. */
void worker_limits(const struct config *, struct med_limits *out);
/* True the first time it is asked for this text. */
bool worker_once(struct worker *, struct str what);
/* reload.c: the three steps of a reload, asked for by the master. */
void worker_prepare(struct worker *, const struct chan_msg *);
void worker_commit(struct worker *, const struct chan_msg *);
void worker_rollback(struct worker *);
void worker_tell(struct worker *, enum chan_type, int64_t number, struct str);
struct listener *listener_new(struct worker *, int fd, uint16_t port,
    const char *name);
void listener_free(struct listener *);
/* A session is gone; ends the process when it was the last one of a drain. */
void worker_session_gone(struct worker *);

#endif
