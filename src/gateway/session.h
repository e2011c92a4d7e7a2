/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client connection, the group that it hears, and the line that the access
 * log has for it. Private to gateway.
 */
#ifndef GATEWAY_SESSION_H
#define GATEWAY_SESSION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/str.h"
#include "gateway/lane.h"
#include "gateway/subprotocol.h"
#include "net/loop.h"

struct backend;
struct config;
struct group;
struct http_head;
struct listener;
struct med_inbound;
struct stream;
struct worker;
struct ws_conn;

/* ---- session.c, session_open.c ----------------------------------------- */

enum session_phase {
	SESSION_HEAD,		/* reading the request */
	SESSION_OPEN,
	SESSION_HALF,		/* it sent FIN without a Close; what is on its
				   way still goes to it */
	SESSION_CLOSING,	/* we sent Close first, waiting for theirs */
	SESSION_LINGER,		/* FIN sent, waiting for theirs */
	SESSION_GONE,		/* no stream any more */
};

/* Why a stream is not read: its lane is busy; the client, or a back-end, does
 * not take what it causes; no more messages are wanted. */
enum { PAUSE_LANE = 1, PAUSE_CLIENT = 2, PAUSE_BACKEND = 4, PAUSE_DRAIN = 8 };
enum closed_by { CLOSED_BY_NOBODY, CLOSED_BY_CLIENT, CLOSED_BY_US, CLOSED_BY_ERROR };

struct session {
	uint32_t magic, id;
	enum session_phase phase;
	enum closed_by closed_by;
	struct worker *worker;
	struct list link;		/* worker.sessions */
	struct list group_link;		/* broadcast group */
	struct group *group;
	struct stream *stream;
	struct ws_conn *ws;
	struct loop_timer timer;
	struct lane in, out;
	struct list backends;
	struct hmap kept;		/* epstates.c: numbers of this client */
	struct list requests;		/* backend_http.c */
	/* the set whose inbound is used now */
	struct med_set *set;
	const struct med_inbound *inbound;
	const struct sequence *custom;	/* dispatch.custom.sequence */
	/* Sequences that need no run (passthrough.c); NULL: they do */
	const struct med_shortcut *in_shortcut, *out_shortcut;
	struct backend *straight;	/* where in_shortcut leads to */
	struct subprotocol protocol;
	struct str protocol_text;	/* into head, or absent */
	struct str content_type;	/* heap copy or constant */
	char *content_type_copy;
	struct buf head;		/* the request head, kept for $trp */
	size_t scanned;			/* of an unfinished one */
	struct str target, path;	/* into head; path is decoded heap copy */
	char *path_copy;
	char *peer, *local;		/* "127.0.0.1:5000" */
	const char *listener_name;	/* the inbound of a port 0 listener */
	uint16_t port;
	bool type_is_text;
	unsigned pauses;		/* PAUSE_ reasons */
	bool ended;			/* its FIN has come */
	bool watched;			/* the timer looks whether it reads */
	uint64_t watch_mark;		/* bytes it had taken then */
	bool connected;			/* 101 sent: a disconnect is owed */
	bool close_when_idle;		/* drain */
	uint64_t messages_in, messages_out;
	int64_t started_ms, started_us;
};

void session_new(struct listener *, int fd, const char *peer);
/* After a reload: goes over to the set in use. False when its inbound is gone
 * or listens elsewhere; the session then keeps the set it has. */
bool session_refresh(struct session *);
void session_adopt(struct session *, const struct med_inbound *);
/* Sends a Close (code 0 = none) and waits for the peer's. */
void session_close(struct session *, unsigned code, struct str reason);
void session_close_shutdown(struct session *);
/* The same when what it has sent is answered; takes no more until then. Ends
 * at once who is not through with its request. May free it. */
void session_drain(struct session *);
/* At once, without a Close and without events; the worker ends. */
void session_kill(struct session *);
/* May messages still be sent to the client? */
static inline bool
session_hears(const struct session *s)
{
	return s->phase == SESSION_OPEN || s->phase == SESSION_HALF;
}

/* One message to the client; -1 when it is closing. */
int session_send(struct session *, enum msg_frame, struct str bytes);
void session_pause(struct session *, unsigned reason);
void session_unpause(struct session *, unsigned reason);
/* Call at the end of every callback: takes up what may go on now, frees what
 * has ended. */
void session_settle(struct session *);
struct str session_header(const struct session *, struct str name,
    bool any_case);
void session_head(const struct session *, struct http_head *out);
/* session_open.c */
void session_on_head_bytes(struct session *, const char *p, size_t n);
void session_start_frames(struct session *, char *rest, size_t n);
/* (Re)starts the time that a request head may take. */
void session_expect_head(struct session *);
/* Our last word is queued: FIN after it, then the peer's is waited for. */
void session_linger(struct session *);
void session_describe(struct session *, struct buf *json);

/* ---- broadcast.c ------------------------------------------------------- */

void group_join(struct session *);
void group_leave(struct session *);
/* To all sessions of from's inbound and path, but not to except (or NULL). */
void group_send(struct session *from, struct session *except, enum msg_frame,
    struct str bytes);

/* A broadcast of another worker, to the sessions of that group here. */
void group_deliver(struct worker *, struct str key, enum msg_frame,
    struct str bytes);

/* ---- access.c ---------------------------------------------------------- */

struct access_log;
/* *out is NULL when the access log is off. */
int access_open(const struct config *, struct access_log **out, struct err *);
void access_close(struct access_log **);
int access_reopen(struct access_log *, struct err *);
void access_write(struct access_log *, struct session *);

#endif
