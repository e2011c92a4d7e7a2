/* SPDX-License-Identifier: Apache-2.0 */
/* A WebSocket connection to a back-end, opened for one session. Shared by
 * backend.c (its life) and backend_open.c (from the URI to the 101). */
#ifndef GATEWAY_BACKEND_H
#define GATEWAY_BACKEND_H

#include "gateway/gateway.h"
#include "http/uri.h"
#include "net/sock.h"
#include "ws/handshake.h"

struct backend {
	struct backend_link link;
	uint32_t magic;
	enum backend_phase phase;
	struct session *session;
	struct med_set *set;		/* keeps endpoint alive */
	const struct endpoint *endpoint;
	/* the key */
	char *uri_text, *protocol_key, *headers_key, *type_key;
	struct uri uri;			/* into uri_text */
	/* opening */
	struct resolve_query *query;
	struct sock_addr *addr;
	size_t addr_count, addr_next;
	struct ws_dial dial;
	char *dial_protocol, *dial_headers;
	struct buf head;
	size_t scanned;			/* of the unfinished head */
	struct list waiters;		/* events whose run waits */
	struct loop_timer timer;
	/* open */
	struct stream *stream;
	struct ws_conn *ws;
	bool typed, type_is_text;
	struct str content_type;	/* into own strings */
	char *content_type_copy;
	unsigned pauses;
	uint64_t seen;			/* of board_endpoint_changes(), when
					   the endpoint was active */
	int64_t timeout_ms;		/* of the endpoint; 0 = none */
	bool watched;			/* the timer looks whether it reads */
	uint64_t watch_mark;		/* bytes it had taken then */
	unsigned close_code;
	char *close_reason;
};

/* backend_open.c */
int backend_start(struct backend *, struct fault *);
/* backend.c: what backend_open.c reports */
void backend_opened(struct backend *, char *rest, size_t n);
void backend_failed(struct backend *, int code, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
extern const struct stream_handler backend_handler;

#endif
