/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ws: RFC 6455, both roles, sans-IO: bytes in, events and bytes out. No
 * descriptor, no clock, no process. The frame header codec, fragments,
 * control frames, UTF-8, limits and the close state are here; the opening
 * handshake is in handshake.h.
 */
#ifndef WS_WS_H
#define WS_WS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum ws_role { WS_SERVER, WS_CLIENT };

enum ws_opcode {
	WS_OP_CONT = 0, WS_OP_TEXT = 1, WS_OP_BINARY = 2,
	WS_OP_CLOSE = 8, WS_OP_PING = 9, WS_OP_PONG = 10,
};

/* Names of close codes, from close.def: WS_CLOSE_NORMAL = 1000 ... */
enum ws_close_code {
#define WS_CLOSE(name, code, may_send, text) WS_CLOSE_##name = code,
#include "ws/close.def"
#undef WS_CLOSE
};
/* "normal closure", or "" for a code without a name. */
const char *ws_close_text(unsigned code);
/* RFC 6455 7.4: may this code stand in a Close frame? 1000-1003, 1007-1014,
 * 3000-4999. */
bool ws_close_sendable(unsigned code);

struct ws_params {
	size_t max_message;	/* bytes of one message, joined; 0 = no limit */
	size_t max_frame;	/* payload bytes of one frame; 0 = no limit */
	unsigned max_fragments;	/* frames of one message; 0 = no limit */
	bool late_messages;	/* tell also those that come between our Close
				   and the peer's */
};

enum ws_event_type {
	WS_EV_MESSAGE,		/* opcode TEXT or BINARY, whole */
	WS_EV_PING,		/* answered already */
	WS_EV_PONG,
	WS_EV_CLOSE,		/* the peer's Close; answered already when we
				   had not sent one */
};

struct ws_event {
	enum ws_event_type type;
	enum ws_opcode opcode;
	/* Payload; writable by the receiver, good until the callback returns.
	 * For a text message it is valid UTF-8. */
	char *data;
	size_t len;
	/* WS_EV_CLOSE: 1005 when the frame had no code. */
	unsigned code;
	struct str reason;
};

struct ws_conn;

/* The callback may call ws_send(), ws_close() and ws_ping(), not ws_feed() or
 * ws_conn_free(). It returns false to have everything that is left or comes
 * later ignored (the owner is about to go). */
typedef bool ws_event_fn(void *ctx, const struct ws_event *);

/* Copies params. Borrows out for its life: encoded frames are appended to
 * it; the owner sends them. */
struct ws_conn *ws_conn_new(enum ws_role, const struct ws_params *,
    struct buf *out) MUST_CHECK;
void ws_conn_free(struct ws_conn **);
/* The owner's output buffer moved. */
void ws_conn_set_out(struct ws_conn *, struct buf *out);

/*
 * Takes n bytes from the peer; p is changed in place (unmasked), and a message
 * that lies whole in p is delivered from there without a copy. Everything is
 * consumed; a frame that is not whole yet is kept inside. Returns 0, or -1
 * after a violation: a Close frame with the right code has been appended to out
 * (when none was sent before), err says what, ws_close_sent() gives the code,
 * and nothing more will be accepted. Bytes after the peer's Close or after a
 * violation are ignored (0). After a Close of ours the peer's frames are still
 * checked, but only its Close is told (and its messages, with late_messages).
 */
int ws_feed(struct ws_conn *, char *p, size_t n, ws_event_fn *, void *ctx,
    struct err *) MUST_CHECK;

/* One unfragmented frame. -1 (ERR_STATE) after a Close was sent. Text is not
 * checked again: the caller vouches for its UTF-8. */
int ws_send(struct ws_conn *, enum ws_opcode, const void *p, size_t n,
    struct err *) MUST_CHECK;
int ws_ping(struct ws_conn *, struct str payload, struct err *) MUST_CHECK;
/* Sends a Close once; code 0 = without a code. Reason is cut at 123 bytes, at
 * a character. Returns -1 for a code that may not be sent. Later calls do
 * nothing and return 0. */
int ws_close(struct ws_conn *, unsigned code, struct str reason, struct err *)
    MUST_CHECK;

/* 0 = none yet; 1005 = without a code. */
unsigned ws_close_sent(const struct ws_conn *);
unsigned ws_close_received(const struct ws_conn *);
/* Both Closes exchanged, or failed: time to end the TCP connection. */
bool ws_closed(const struct ws_conn *);
/* Bytes held for an unfinished message. */
size_t ws_pending(const struct ws_conn *);

#endif
