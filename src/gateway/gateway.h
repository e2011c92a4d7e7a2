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
#include "gateway/subprotocol.h"
#include "ipc/chan.h"
#include "mediation/mediation.h"
#include "msg/message.h"
#include "net/loop.h"

struct backend;
struct board;
struct board_slot;
struct bus;
struct config;
struct group;
struct heritage;
struct http_client;
struct http_head;
struct med_inbound;
struct session;
struct stream;
struct worker;
struct ws_conn;

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

/* ---- events and lanes (lane.c) ----------------------------------------- */

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

/* ---- backend.c, backend_open.c ----------------------------------------- */

enum backend_phase {
	BACKEND_RESOLVING, BACKEND_CONNECTING, BACKEND_HANDSHAKE,
	BACKEND_OPEN, BACKEND_CLOSING, BACKEND_DEAD,
};

struct backend_key {
	const struct endpoint *endpoint;
	struct med_set *set;	/* which endpoint belongs to */
	struct str uri;
	struct str protocol;	/* p == NULL: not asked for */
	struct str type;	/* websocket.accept.contenType, p == NULL */
	struct str headers;	/* lines set by the artifact, or empty */
};

/* How a session lists its back-ends without knowing their insides. */
struct backend_link {
	struct list link;
};
struct backend *backend_of_link(struct backend_link *);

/* The connection that fits, or NULL. */
struct backend *backend_find(struct session *, const struct backend_key *);
/* Starts one. NULL with fault when the URI is no ws URI. */
struct backend *backend_open(struct session *, const struct backend_key *,
    struct str client_headers, int64_t timeout_ms, struct fault *);
enum backend_phase backend_phase(const struct backend *);
/* ev waits until the connection is open or has failed. */
void backend_wait(struct backend *, struct event *ev);
/* All that is possible without a fault: false leaves it to backend_send(). */
bool backend_can_take(struct backend *);
/* A message went out: so its endpoint is active, whatever it was. */
void backend_works(struct backend *);
int backend_send(struct backend *, enum msg_frame, struct str bytes,
    struct fault *);
/* Close without a code, then end. Who waits for it is not forgotten. */
void backend_close(struct backend *);
/* As long as the back-end lives. */
struct str backend_uri(const struct backend *);
/* More than this may wait for one peer only if it came at once. */
size_t send_queue_hard(const struct worker *);
/* All connections of a session: with a Close / at once. */
void backend_drop_all(struct session *);
void backend_kill_all(struct session *);
void backend_pause(struct backend *, unsigned reason);
void backend_unpause(struct backend *, unsigned reason);
void backends_unpause(struct session *, unsigned reason);
void backend_describe(const struct backend *, struct buf *json);

/* ---- endpoints' state (epstates.c) ------------------------------------- */

bool endpoint_ready(struct worker *, const struct endpoint *);
bool endpoint_is_active(struct worker *, const struct endpoint *);
/* The same as ready, for one who sends if it is: of a suspension that is over
 * there is one attempt. */
bool endpoint_take(struct worker *, const struct endpoint *);
void endpoint_ok(struct worker *, const struct endpoint *);
void endpoint_broke(struct worker *, const struct endpoint *, int code);
/* Frees what session.kept and worker.endpoints hold. */
void endpoint_forget(struct hmap *);
/* med_host.number for this client. */
uint64_t endpoint_number(struct session *, enum med_number,
    const struct endpoint *, uint64_t value);

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
