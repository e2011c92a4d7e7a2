/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/ws.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/rand.h"
#include "base/utf8.h"
#include "ws/frame.h"

enum {
	WS_CONN_MAGIC = 0x77736364,
	REASON_MAX = FRAME_CONTROL_MAX - 2,
};

enum ws_state {
	WS_STATE_OPEN,
	WS_STATE_CLOSING,	/* we sent Close, the peer did not yet */
	WS_STATE_ENDED,		/* nothing that comes is looked at */
};

struct ws_conn {
	uint32_t magic;
	uint8_t role, state;	/* enum ws_role, enum ws_state */
	bool in_frame;		/* payload of a frame is expected */
	bool in_message;	/* ... of a message that is not whole */
	bool text;		/* the message is text */
	uint8_t first;		/* first byte of the frame's header */
	uint8_t head_len;	/* bytes in head: header not whole */
	uint8_t control_len;	/* bytes in control: frame not whole */
	struct frame_key key;	/* for the next byte of payload */
	struct utf8 utf8;	/* at its start whenever no text is open */
	uint64_t left;		/* payload of the frame still to come */
	struct buf *out;
	struct buf message;	/* what has come of an unfinished message */
	struct ws_params params;
	unsigned fragments;	/* frames of the message so far */
	uint16_t sent, received;	/* close codes */
	uint8_t head[FRAME_HEAD_MAX];
	char control[FRAME_CONTROL_MAX];
};

/* An idle connection is meant to cost next to nothing. */
_Static_assert(sizeof(struct ws_conn) <= 256, "struct ws_conn has grown");

/* One call of ws_feed(): the bytes not yet taken, and whom to tell. */
struct feed {
	char *p, *end;
	ws_event_fn *fn;
	void *ctx;
	struct err *err;
};

struct ws_conn *
ws_conn_new(enum ws_role role, const struct ws_params *params,
    struct buf *out)
{
	struct ws_conn *c = xcalloc(1, sizeof(*c));

	c->magic = WS_CONN_MAGIC;
	c->role = (uint8_t)role;
	c->state = WS_STATE_OPEN;
	c->params = *params;
	c->out = out;
	return c;
}

void
ws_conn_free(struct ws_conn **cp)
{
	struct ws_conn *c = *cp;

	if (!c)
		return;
	must(c->magic == WS_CONN_MAGIC);
	*cp = NULL;
	buf_fini(&c->message);
	c->magic = 0;
	free(c);
}

void
ws_conn_set_out(struct ws_conn *c, struct buf *out)
{
	must(c->magic == WS_CONN_MAGIC);
	c->out = out;
}

unsigned
ws_close_sent(const struct ws_conn *c)
{
	return c->sent;
}

unsigned
ws_close_received(const struct ws_conn *c)
{
	return c->received;
}

bool
ws_closed(const struct ws_conn *c)
{
	return c->state == WS_STATE_ENDED;
}

size_t
ws_pending(const struct ws_conn *c)
{
	return buf_len(&c->message) + c->control_len;
}

/* ---- out ---- */

/* Appends one frame; a client's is masked on the way. */
static void
put_frame(struct ws_conn *c, enum ws_opcode op, const char *p, size_t n)
{
	char *to = buf_room(c->out, FRAME_HEAD_MAX + n);
	uint8_t first = (uint8_t)(FRAME_FIN | op);
	size_t head;

	if (c->role == WS_SERVER) {
		head = frame_write_head((uint8_t *)to, first, 0, n);
		if (n)
			memcpy(to + head, p, n);
	} else {
		struct frame_key key;
		uint32_t random = rand_u32();

		head = frame_write_head((uint8_t *)to, first, FRAME_MASKED, n);
		memcpy(key.byte, &random, sizeof(key.byte));
		memcpy(to + head, key.byte, sizeof(key.byte));
		head += sizeof(key.byte);
		if (n)
			frame_mask(to + head, p, n, key);
	}
	buf_added(c->out, head + n);
}

int
ws_send(struct ws_conn *c, enum ws_opcode op, const void *p, size_t n,
    struct err *err)
{
	must(c->magic == WS_CONN_MAGIC);
	if (UNLIKELY(c->sent))
		return err_set(err, ERR_STATE,
		    "connection is closing, nothing can be sent");
	switch (op) {
	case WS_OP_TEXT:
	case WS_OP_BINARY:
		break;
	case WS_OP_PING:
	case WS_OP_PONG:
		if (n > FRAME_CONTROL_MAX)
			return err_set(err, ERR_VALUE,
			    "control frame of %zu bytes, at most %d fit",
			    n, FRAME_CONTROL_MAX);
		break;
	case WS_OP_CONT:
	case WS_OP_CLOSE:
		return err_set(err, ERR_VALUE,
		    "opcode %d is not sent this way", (int)op);
	}
	put_frame(c, op, p, n);
	return 0;
}

int
ws_ping(struct ws_conn *c, struct str payload, struct err *err)
{
	return ws_send(c, WS_OP_PING, payload.p, payload.n, err);
}

/* The longest beginning of s that is valid UTF-8 and fits. */
static size_t
reason_len(struct str s)
{
	size_t n = 0, len;
	uint32_t code;

	while ((len = utf8_decode(s.p + n, s.n - n, &code)) > 0 &&
	    n + len <= REASON_MAX)
		n += len;
	return n;
}

/* Sends the one Close; code WS_CLOSE_NO_STATUS = without a code. */
static void
put_close(struct ws_conn *c, unsigned code, struct str reason)
{
	char payload[FRAME_CONTROL_MAX];
	size_t n = 0;

	if (code != WS_CLOSE_NO_STATUS) {
		payload[0] = (char)(code >> 8);
		payload[1] = (char)(code & 0xff);
		n = reason.n ? reason_len(reason) : 0;
		if (n)
			memcpy(payload + 2, reason.p, n);
		n += 2;
	}
	put_frame(c, WS_OP_CLOSE, payload, n);
	c->sent = (uint16_t)code;
	if (c->state == WS_STATE_OPEN)
		c->state = WS_STATE_CLOSING;
}

int
ws_close(struct ws_conn *c, unsigned code, struct str reason,
    struct err *err)
{
	must(c->magic == WS_CONN_MAGIC);
	if (c->sent)
		return 0;
	if (code && !ws_close_sendable(code))
		return err_set(err, ERR_VALUE,
		    "close code %u may not be sent", code);
	put_close(c, code ? code : WS_CLOSE_NO_STATUS, reason);
	return 0;
}

/* ---- in ---- */

/* The peer broke a rule: tells it, and ends. */
static int fail(struct ws_conn *, struct feed *, unsigned code,
    const char *fmt, ...) PRINTF_LIKE(4, 5);

static int
fail(struct ws_conn *c, struct feed *f, unsigned code, const char *fmt, ...)
{
	enum err_kind kind = code == WS_CLOSE_TOO_BIG ? ERR_LIMIT :
	    code == WS_CLOSE_BAD_DATA ? ERR_VALUE : ERR_PROTOCOL;
	char text[REASON_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!c->sent)
		put_close(c, code, str_of(text));
	c->state = WS_STATE_ENDED;
	buf_fini(&c->message);
	return err_set(f->err, kind, "%s", text);
}

static void
tell(struct ws_conn *c, struct feed *f, const struct ws_event *ev)
{
	if (!f->fn(f->ctx, ev))
		c->state = WS_STATE_ENDED;
}

static bool
is_control(uint8_t first)
{
	return (first & 0x08) != 0;
}

static int
check_control(struct ws_conn *c, struct feed *f, uint8_t first, size_t len7)
{
	uint8_t op = first & FRAME_OPCODE;

	if (!(first & FRAME_FIN))
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "fragmented control frame");
	if (len7 > FRAME_CONTROL_MAX)
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "control frame with payload length > 125 octets");
	if (op > WS_OP_PONG)
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "control frame using reserved opcode %u", op);
	if (op == WS_OP_CLOSE && len7 == 1)
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "received close control frame with payload len 1");
	return 0;
}

static int
check_data(struct ws_conn *c, struct feed *f, uint8_t first)
{
	uint8_t op = first & FRAME_OPCODE;

	if (op > WS_OP_BINARY)
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "data frame using reserved opcode %u", op);
	if (op == WS_OP_CONT && !c->in_message)
		return fail(c, f, WS_CLOSE_PROTOCOL, "received continuation "
		    "data frame outside fragmented message");
	if (op != WS_OP_CONT && c->in_message)
		return fail(c, f, WS_CLOSE_PROTOCOL, "received "
		    "non-continuation data frame while inside fragmented "
		    "message");
	return 0;
}

/*
 * What the first two bytes alone can tell. No extension is ever negotiated, so
 * all three reserved bits are refused; permessage-deflate would allow the first
 * one on the first frame of a message (RFC 7692 section 6).
 */
static int
check_first(struct ws_conn *c, struct feed *f, const uint8_t *head)
{
	bool masked = (head[1] & FRAME_MASKED) != 0;

	if (UNLIKELY(head[0] & FRAME_RSV))
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "RSV != 0 and no extension negotiated, RSV:%d",
		    (head[0] & FRAME_RSV) >> 4);
	if (UNLIKELY(masked != (c->role == WS_SERVER)))
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "received a frame that is not masked as expected");
	if (is_control(head[0]))
		return check_control(c, f, head[0], head[1] & FRAME_LEN7);
	return check_data(c, f, head[0]);
}

/* Nothing that we do not deliver has to fit. */
static int
check_limits(struct ws_conn *c, struct feed *f, uint64_t len)
{
	size_t have = buf_len(&c->message);
	size_t max = c->params.max_message ? c->params.max_message : SIZE_MAX;

	if (c->params.max_frame && len > c->params.max_frame)
		return fail(c, f, WS_CLOSE_TOO_BIG,
		    "Max frame length of %zu has been exceeded.",
		    c->params.max_frame);
	if (len > max - have)
		return fail(c, f, WS_CLOSE_TOO_BIG,
		    "Max message length of %zu has been exceeded.", max);
	if (c->params.max_fragments && c->fragments > c->params.max_fragments)
		return fail(c, f, WS_CLOSE_TOO_BIG,
		    "Max fragment count of %u has been exceeded.",
		    c->params.max_fragments);
	return 0;
}

/* Nobody wants its messages any more. */
static bool
is_deaf(const struct ws_conn *c)
{
	return c->state == WS_STATE_CLOSING && !c->params.late_messages;
}

/* A data frame begins; its header is whole. */
static int
begin_data(struct ws_conn *c, struct feed *f)
{
	if (!c->in_message) {
		c->in_message = true;
		c->text = (c->first & FRAME_OPCODE) == WS_OP_TEXT;
		c->fragments = 0;
	}
	if (is_deaf(c))
		return 0;
	c->fragments++;
	return check_limits(c, f, c->left);
}

static int
begin_frame(struct ws_conn *c, struct feed *f, const uint8_t *head)
{
	bool shortest;

	c->first = head[0];
	c->left = frame_payload_len(head, &shortest);
	if (UNLIKELY(!shortest))
		return fail(c, f, WS_CLOSE_PROTOCOL, "invalid data frame "
		    "length (not using minimal length encoding)");
	if (UNLIKELY(c->left >> 63))
		return fail(c, f, WS_CLOSE_PROTOCOL,
		    "invalid data frame length (most significant bit is set)");
	if (c->role == WS_SERVER)
		memcpy(c->key.byte, head + frame_head_len(head[1]) -
		    sizeof(c->key.byte), sizeof(c->key.byte));
	c->in_frame = true;
	return is_control(head[0]) ? 0 : begin_data(c, f);
}

/* Moves bytes into c->head until there are want; whether there are. */
static bool
gather_head(struct ws_conn *c, struct feed *f, size_t want)
{
	while (c->head_len < want && f->p < f->end)
		c->head[c->head_len++] = (uint8_t)*f->p++;
	return c->head_len >= want;
}

/* A header that comes in pieces, or the start of one. */
static int
take_split_head(struct ws_conn *c, struct feed *f)
{
	if (!gather_head(c, f, 2))
		return 0;
	if (check_first(c, f, c->head) < 0)
		return -1;
	if (!gather_head(c, f, frame_head_len(c->head[1])))
		return 0;
	c->head_len = 0;
	return begin_frame(c, f, c->head);
}

static int
take_head(struct ws_conn *c, struct feed *f)
{
	const uint8_t *head = (const uint8_t *)f->p;
	size_t n = (size_t)(f->end - f->p), need;

	if (c->head_len || n < 2)
		return take_split_head(c, f);
	need = frame_head_len(head[1]);
	if (n < need)
		return take_split_head(c, f);
	if (check_first(c, f, head) < 0)
		return -1;
	f->p += need;
	return begin_frame(c, f, head);
}

static void
deliver(struct ws_conn *c, struct feed *f, char *p, size_t n)
{
	struct ws_event ev = {
		.type = WS_EV_MESSAGE,
		.opcode = c->text ? WS_OP_TEXT : WS_OP_BINARY,
		.data = p,
		.len = n,
	};

	c->in_message = false;
	tell(c, f, &ev);
}

/* Keeps what has come; memory grows with what came, not with what a header
 * promises. */
static void
keep(struct ws_conn *c, const char *p, size_t n)
{
	if (!c->message.p)
		c->message.pool = c->out->pool;
	buf_add(&c->message, p, n);
}

/* n unmasked bytes of a data frame; ascii: known to hold nothing else. */
static int
take_data(struct ws_conn *c, struct feed *f, char *p, size_t n, bool ascii)
{
	bool last = c->left == 0 && (c->first & FRAME_FIN);

	c->in_frame = c->left > 0;
	if (UNLIKELY(is_deaf(c))) {
		buf_fini(&c->message);
		c->in_message = !last;
		return 0;
	}
	if (c->text && !(ascii && utf8_done(&c->utf8)) &&
	    !utf8_feed(&c->utf8, p, n))
		return fail(c, f, WS_CLOSE_BAD_DATA, "bytes are not UTF-8");
	if (!last) {
		keep(c, p, n);
		return 0;
	}
	if (c->text && !utf8_done(&c->utf8))
		return fail(c, f, WS_CLOSE_BAD_DATA, "bytes are not UTF-8");
	if (LIKELY(buf_len(&c->message) == 0)) {
		deliver(c, f, p, n);
		return 0;
	}
	keep(c, p, n);
	deliver(c, f, buf_data(&c->message), buf_len(&c->message));
	buf_fini(&c->message);
	return 0;
}

static void
on_ping(struct ws_conn *c, struct feed *f, enum ws_event_type type, char *p,
    size_t n)
{
	struct ws_event ev = {
		.type = type,
		.opcode = type == WS_EV_PING ? WS_OP_PING : WS_OP_PONG,
		.data = p,
		.len = n,
	};

	if (c->sent)
		return;
	if (type == WS_EV_PING)
		put_frame(c, WS_OP_PONG, p, n);
	tell(c, f, &ev);
}

/* The peer's Close is answered with the same code and reason. */
static int
on_close(struct ws_conn *c, struct feed *f, char *p, size_t n)
{
	struct ws_event ev = {
		.type = WS_EV_CLOSE,
		.opcode = WS_OP_CLOSE,
		.data = p,
		.len = n,
		.code = WS_CLOSE_NO_STATUS,
		.reason = STR(""),
	};

	if (n >= 2) {
		ev.code = (unsigned)(uint8_t)p[0] << 8 | (uint8_t)p[1];
		ev.reason = (struct str){ p + 2, n - 2 };
		if (!ws_close_sendable(ev.code))
			return fail(c, f, WS_CLOSE_PROTOCOL,
			    "Invalid close frame getStatus code: %u", ev.code);
		if (!utf8_valid(ev.reason.p, ev.reason.n))
			return fail(c, f, WS_CLOSE_BAD_DATA,
			    "bytes are not UTF-8");
	}
	c->received = (uint16_t)ev.code;
	if (!c->sent)
		put_close(c, ev.code, ev.reason);
	c->state = WS_STATE_ENDED;
	buf_fini(&c->message);
	tell(c, f, &ev);
	return 0;
}

/* n unmasked bytes of a control frame. */
static int
take_control(struct ws_conn *c, struct feed *f, char *p, size_t n)
{
	if (c->left > 0 || c->control_len > 0) {
		memcpy(c->control + c->control_len, p, n);
		c->control_len = (uint8_t)(c->control_len + n);
		if (c->left > 0)
			return 0;
		p = c->control;
		n = c->control_len;
		c->control_len = 0;
	}
	c->in_frame = false;
	switch ((enum ws_opcode)(c->first & FRAME_OPCODE)) {
	case WS_OP_CLOSE:
		return on_close(c, f, p, n);
	case WS_OP_PING:
		on_ping(c, f, WS_EV_PING, p, n);
		return 0;
	case WS_OP_PONG:
		on_ping(c, f, WS_EV_PONG, p, n);
		return 0;
	case WS_OP_CONT:
	case WS_OP_TEXT:
	case WS_OP_BINARY:
		break;
	}
	unreachable();
}

static int
take_payload(struct ws_conn *c, struct feed *f)
{
	size_t n = (size_t)(f->end - f->p);
	char *p = f->p;
	bool ascii = false;

	if (n > c->left)
		n = (size_t)c->left;
	f->p += n;
	c->left -= n;
	if (c->role == WS_SERVER) {
		ascii = !frame_mask(p, p, n, c->key);
		if (c->left)
			c->key = frame_key_after(c->key, n);
	}
	if (is_control(c->first))
		return take_control(c, f, p, n);
	return take_data(c, f, p, n, ascii);
}

int
ws_feed(struct ws_conn *c, char *p, size_t n, ws_event_fn *fn, void *ctx,
    struct err *err)
{
	struct feed f = { p, p + n, fn, ctx, err };

	must(c->magic == WS_CONN_MAGIC);
	while (f.p < f.end && c->state != WS_STATE_ENDED) {
		if (!c->in_frame && take_head(c, &f) < 0)
			return -1;
		if (c->in_frame && take_payload(c, &f) < 0)
			return -1;
	}
	return 0;
}
