/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: a run and its stack. */
#ifndef MEDIATION_RUN_H
#define MEDIATION_RUN_H

#include "base/list.h"
#include "mediation/set.h"

enum frame_role {
	FRAME_LIST, FRAME_SEQUENCE, FRAME_TEMPLATE, FRAME_FAULT, FRAME_BRANCH,
};

struct func_scope;

struct frame {
	const struct med_node *at, *end;
	const struct med_list *list;
	const struct sequence *sequence;	/* that it is the body of */
	med_after_fn *after;
	void *state;
	struct func_scope *func;	/* scope outside this frame */
	struct message *outer;		/* FRAME_BRANCH: message outside it */
	unsigned handlers;		/* height of that stack outside it */
	unsigned handler_base;		/* FRAME_BRANCH: of the branch outside */
	unsigned faults;		/* the same */
	size_t memory;			/* the same */
	enum frame_role role;
	bool counted;			/* towards the depth */
	bool faulted;			/* FRAME_BRANCH */
};

struct groups {
	struct hmap table;		/* node and key -> struct med_group */
	struct list list;
	unsigned count;
	size_t bytes;
	const struct med_clock *clock;
	int64_t wake_at;		/* asked for; INT64_MAX: not */
	struct buf scratch;
};

struct med_engine {
	struct med_limits limits;
	struct buf scratch;
	struct groups groups;
	struct med_run *idle;
	unsigned idle_count;
	unsigned live;
};

enum wait_then { THEN_NEXT, THEN_STOP };

struct med_run {
	struct med_engine *engine;
	struct med_run *next_idle;
	struct med_set *set;
	struct message *msg;
	const struct med_host *host;
	void *ctx;
	struct frame *frame;
	unsigned top, frame_cap;
	unsigned depth, steps;
	size_t memory;			/* that the message in hand may take */
	const struct sequence **handler;
	unsigned handlers, handler_cap;
	unsigned handler_base;		/* those below belong to outer branches */
	const struct med_node *node;	/* in hand */
	struct func_scope *func;
	/* Groups around the endpoint that has the message now; NULL: none */
	struct attempt *attempt;
	const struct endpoint *leaf;
	enum med_sending how;
	enum wait_then then;
	bool enter_failed;		/* fault has the reason */
	bool exhausted;			/* the fault is of the whole run */
	bool grace_used;		/* handlers got their extra steps */
	bool again;			/* the fault of a branch, passed on */
	bool faulted, unhandled;
	unsigned faults;		/* in this branch */
	struct fault fault;
};

/* ---- sending.c --------------------------------------------------------- */

/* A send that waited has failed, fault says how: what to do instead. */
enum med_next sending_failed(struct med_run *, struct fault *);

/* ---- group.c ----------------------------------------------------------- */

void groups_init(struct groups *);
void groups_fini(struct groups *);
/* The onError that was nearest when the group began; may be NULL. */
const struct sequence *group_handler(const struct med_group *);
/* Goes on with the group, which is gone then; returns what exec would. */
enum med_next group_due(struct med_run *, struct med_group *);

/* ---- fault.c ----------------------------------------------------------- */

/* "main.xml:3 sequence > :9 filter > :12 payloadFactory". */
void fault_trail(const struct med_run *, char *out, size_t room);
/* Sets ERROR_* on the message as MI does, and logs; the trail is there. */
void fault_publish(struct med_run *);

#endif
