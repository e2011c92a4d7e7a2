/* SPDX-License-Identifier: Apache-2.0 */
/* Private to this folder: a run and its stack. */
#ifndef MEDIATION_RUN_H
#define MEDIATION_RUN_H

#include <stddef.h>
#include "mediation/set.h"

enum frame_role {
	FRAME_LIST, FRAME_SEQUENCE, FRAME_TEMPLATE, FRAME_FAULT, FRAME_BRANCH,
};

struct func_scope;

/* What a mediator remembers while a run lasts. */
struct slot {
	struct slot *next;
	const void *node;
	max_align_t data[];
};

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

enum wait_then { THEN_NEXT, THEN_STOP };

struct med_run {
	struct med_engine *engine;
	struct med_run *next_idle;
	struct med_set *set;
	struct message *msg;		/* in hand */
	struct message *root;		/* that the run was started with */
	struct slot *slots;
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

/* ---- fault.c ----------------------------------------------------------- */

/* "main.xml:3 sequence > :9 filter > :12 payloadFactory". */
void fault_trail(const struct med_run *, char *out, size_t room);
/* Sets ERROR_* on the message as MI does, and logs; the trail is there. */
void fault_publish(struct med_run *);

#endif
