/* SPDX-License-Identifier: Apache-2.0 */
/* The opening handshake, RFC 6455 section 4, both roles; sans-IO. */
#ifndef WS_HANDSHAKE_H
#define WS_HANDSHAKE_H

#include <stdbool.h>
#include <stddef.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct http_head;

/* Why an upgrade was refused, as the HTTP answer to give. */
struct ws_refusal {
	int status;		/* 400, 405, 426 ... */
	char text[200];		/* one line, no newline */
	const char *extra;	/* header lines to add, or "" */
};

/* A body announced on an upgrade is refused with 400, one above this with
 * 413. */
enum { WS_BODY_LARGE = 65536 };

/*
 * Server. Checks method, HTTP/1.1, body, target, Host, Upgrade, Connection,
 * version, key, in this order. 0 = may be answered with 101. Not GET: 405 with
 * Allow; no or other Upgrade: 426 with Upgrade: websocket; version not 13: 426
 * with Sec-WebSocket-Version: 13; the rest: 400 (413: see above).
 */
int ws_check_request(const struct http_head *, struct ws_refusal *) MUST_CHECK;
/* The subprotocols that the client offers, in its order: every
 * Sec-WebSocket-Protocol header, split at commas, but not inside quotes or
 * parentheses (synapse(contentType='a,b')); where these do not pair, at every
 * comma. Empty ones are left out. Returns how many were written to out, at
 * most max. */
size_t ws_offered_protocols(const struct http_head *, struct str *out,
    size_t max);
/* Writes the 101 to a request that passed ws_check_request(). protocol may be
 * absent; extra is complete header lines. */
void ws_accept_write(struct buf *, const struct http_head *,
    struct str protocol, struct str extra);
/* The whole answer, which ends the connection (Connection: close). */
void ws_refuse_write(struct buf *, const struct ws_refusal *);

/* Client. */
enum { WS_KEY_LEN = 24 };
struct ws_dial {
	struct str host;	/* for Host: authority as written */
	struct str target;	/* path?query; "/" when empty */
	struct str origin;	/* p == NULL: none */
	struct str protocol;	/* offered as it is; p == NULL: none */
	struct str headers;	/* complete lines, or empty */
	char key[WS_KEY_LEN + 1];	/* filled by ws_dial_write() */
};
/* host, origin and protocol must be http_safe_value(), target a URI's. */
void ws_dial_write(struct buf *, struct ws_dial *);
/*
 * Checks the answer: 101, Upgrade, Connection, Accept, no extension, and no
 * subprotocol that was not offered (RFC 6455 4.1). *protocol_out is the one
 * returned (p == NULL: none, which is the caller's to judge).
 */
int ws_check_response(const struct http_head *, const struct ws_dial *,
    struct str *protocol_out, struct err *) MUST_CHECK;

#endif
