/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections to back-ends, as the rest of gateway sees them, and the state of
 * their endpoints. Private to gateway.
 */
#ifndef GATEWAY_BACKENDS_H
#define GATEWAY_BACKENDS_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/str.h"
#include "mediation/mediation.h"
#include "msg/message.h"

struct backend;
struct event;
struct session;
struct worker;

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

#endif
