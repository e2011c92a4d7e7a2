/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What comes in, and the lanes in which it is mediated. Private to gateway.
 */
#ifndef GATEWAY_LANE_H
#define GATEWAY_LANE_H

#include <stdbool.h>
#include "base/list.h"
#include "base/str.h"
#include "mediation/mediation.h"
#include "msg/message.h"

struct backend;
struct session;

enum event_kind {
	EVENT_CONNECT, EVENT_MESSAGE, EVENT_DISCONNECT,	/* from the client */
	EVENT_TARGET_OPEN, EVENT_TARGET_MESSAGE, EVENT_TARGET_CLOSE,
	EVENT_TARGET_LOST,				/* from a back-end */
};

/* Something that has come in. All is borrowed until lane_take() returns. */
struct arrival {
	enum event_kind kind;
	struct session *session;
	struct backend *backend;	/* of the EVENT_TARGET kinds, or NULL */
	struct str bytes, type;		/* of the MESSAGE kinds */
	enum msg_frame frame;
	bool typed;			/* the connection has a synapse subprotocol */
	int code;			/* close code; of LOST the fault's */
	struct str text;		/* close reason; what went wrong */
	struct str from;		/* URI of the back-end, when backend is
					   NULL */
};

/* What a message is about; lives in the message's arena and is the ctx of its
 * context and of its host. */
struct event {
	enum event_kind kind;
	struct session *session;
	struct backend *backend;	/* of the EVENT_TARGET kinds; may go to
					   NULL when that connection ends */
	enum msg_frame frame;
	bool typed;			/* the connection has a synapse subprotocol */
	int code;			/* as in struct arrival */
	struct str text, from;
	bool answered;			/* the client was told something */
	bool sent;			/* went to a back-end, and nothing
					   failed since */
	struct message *message;
	struct list link;		/* with those that wait for the same */
	struct med_run *run;		/* while it waits */
	struct med_group *group;	/* that it goes on with; or NULL */
};

struct lane {
	struct session *session;
	struct event *current;		/* NULL = idle */
	struct list queue;		/* of struct queued */
};

void lane_init(struct lane *, struct session *);
bool lane_idle(const struct lane *);
/* Runs it, or queues it: behind what is running, or because what it would
 * cause cannot leave (PAUSE_CLIENT, PAUSE_BACKEND). */
void lane_take(const struct arrival *);
/* The same in two steps, for one of no back-end connection whose message is
 * filled by the caller. */
struct event *event_new(const struct arrival *);
void lane_submit(struct event *);
/* The run of ev, which waited, goes on. */
void lane_resume(struct event *);
void lane_fail(struct event *, const struct fault *);
/* Its message is dropped, without a fault. */
void lane_drop(struct event *);
/* A group whose time is up goes on, behind what is there. */
void lane_again(struct lane *, struct med_group *);
/* The lane of an event: what outlives its run. */
struct lane *lane_of(struct event *);
/* Takes up what was queued, if nothing is in the way any more. */
void lanes_go_on(struct session *);
/* The back-end ends: nothing may point to it. */
void lane_forget(struct lane *, const struct backend *);
/* Ends all without another step. */
void lane_clear(struct lane *);

/* ---- passthrough.c ----------------------------------------------------- */

/* A sequence that only hands messages on needs no message and no run. Each
 * returns false when this one takes the usual way. */
bool pass_to_backend(struct session *, enum msg_frame, struct str bytes);
bool pass_to_client(struct session *, enum msg_frame, struct str bytes);
/* A run has sent over b by endpoint: the next ones may go there directly. */
void pass_learn(struct session *, const struct endpoint *, struct backend *);

/* ---- flow.c ------------------------------------------------------------ */

extern const struct med_host flow_host;
/* By the inbound's broadcast level; what is too large for a broadcast is a
 * fault. */
bool flow_may_deliver(const struct session *, size_t n);
void flow_deliver(struct session *, enum msg_frame, struct str bytes);
/* The connection that ev waited for is open: its message goes out. */
void flow_target_open(struct event *, struct backend *);
void flow_context(struct event *, struct msg_context *out);	/* props.c */

#endif
