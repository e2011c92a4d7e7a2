/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of ws: a connection, what its events said and what it sent, both in
 * words such as "text hello|close 1000 bye|". */
#ifndef TESTS_UNIT_WS_PEER_H
#define TESTS_UNIT_WS_PEER_H

#include "wire.h"
#include "ws/ws.h"

enum {
	FIN = 0x80, RSV1 = 0x40, RSV2 = 0x20, RSV3 = 0x10,
	CONT = 0, TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10,
};

struct frame_in {
	uint8_t first;
	struct str payload;
	unsigned form;
};

#define S(literal) { "" literal, sizeof(literal) - 1 }
static char zeros[70000];

/* Describes a payload: as it is, or "*length" for zeros. */
static inline void
describe(struct buf *b, const char *word, const char *p, size_t n)
{
	if (n >= 100 && n <= sizeof(zeros) && memcmp(p, zeros, n) == 0)
		buf_printf(b, "%s *%zu|", word, n);
	else
		buf_printf(b, "%s %.*s|", word, (int)n, n ? p : "");
}

struct peer {
	struct ws_conn *conn;
	struct buf out;
	struct buf told;
	enum ws_role role;
	bool stop;		/* what the callback returns false for */
	bool close;		/* the callback closes with 4000 */
	bool echo;
};

static inline bool
on_event(void *ctx, const struct ws_event *ev)
{
	static const char *const words[] = { "?", "ping", "pong" };
	struct peer *peer = ctx;
	struct err err;

	assert_non_null(ev->data);
	if (ev->type == WS_EV_CLOSE) {
		buf_printf(&peer->told, "close %u %.*s|", ev->code,
		    STR_FMT(ev->reason));
		return true;
	}
	describe(&peer->told, ev->type == WS_EV_PING ? words[1] :
	    ev->type == WS_EV_PONG ? words[2] :
	    ev->opcode == WS_OP_TEXT ? "text" : "binary", ev->data, ev->len);
	if (peer->echo)
		assert_int_equal(ws_send(peer->conn, ev->opcode, ev->data,
		    ev->len, &err), 0);
	if (peer->close)
		assert_int_equal(ws_close(peer->conn, 4000, STR("enough"),
		    &err), 0);
	/* The data is the receiver's to change. */
	memset(ev->data, 'x', ev->len);
	return !peer->stop;
}

static inline void
peer_init(struct peer *peer, enum ws_role role, const struct ws_params *params)
{
	*peer = (struct peer){ .role = role };
	peer->conn = ws_conn_new(role, params, &peer->out);
}

static inline void
peer_fini(struct peer *peer)
{
	ws_conn_free(&peer->conn);
	assert_null(peer->conn);
	buf_fini(&peer->out);
	buf_fini(&peer->told);
}

/* Feeds an exact copy: nothing may be read beyond it, or kept. */
static inline int
feed(struct peer *peer, const char *p, size_t n, struct err *err)
{
	char *copy = malloc(n ? n : 1);
	int r;

	memcpy(copy, p, n);
	r = ws_feed(peer->conn, copy, n, on_event, peer, err);
	free(copy);
	return r;
}

static inline void
add_frames(struct buf *wire, enum ws_role role, const struct frame_in *in,
    size_t count)
{
	for (size_t i = 0; i < count && (in[i].first || in[i].payload.p); i++)
		wire_frame(wire, role == WS_SERVER, in[i].first,
		    in[i].payload, in[i].form);
}

/* What peer sent, in words; also checks how it is masked. */
static inline void
describe_sent(struct peer *peer, struct buf *words)
{
	struct wire_got got = { .masked = 0 };

	while (wire_read(&peer->out, &got)) {
		const char *p = buf_data(&got.payload);
		size_t n = buf_len(&got.payload);

		assert_int_equal(got.masked, peer->role == WS_CLIENT);
		assert_int_equal(got.first & 0xf0, FIN);
		switch (got.first & 15) {
		case TEXT:
			describe(words, "text", p, n);
			break;
		case BINARY:
			describe(words, "binary", p, n);
			break;
		case PING:
			describe(words, "ping", p, n);
			break;
		case PONG:
			describe(words, "pong", p, n);
			break;
		case CLOSE:
			buf_printf(words, "close %u %.*s|", n < 2 ? 1005 :
			    (unsigned)(uint8_t)p[0] << 8 | (uint8_t)p[1],
			    n < 2 ? 0 : (int)n - 2, n < 2 ? "" : p + 2);
			break;
		default:
			fail_msg("sent opcode %d", got.first & 15);
		}
	}
	assert_int_equal(buf_len(&peer->out), 0);
	buf_fini(&got.payload);
}

static inline void
assert_words(const char *name, const char *what, struct buf *got,
    const char *want)
{
	if (!str_is(buf_str(got), want))
		fail_msg("%s: %s \"%s\", not \"%s\"", name, what,
		    buf_cstr(got), want);
}

#endif
