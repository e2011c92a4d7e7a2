/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte chooses the role, the limits and how the stream that follows
 * is chopped. Chopping must not change what is told or answered, text is UTF-8,
 * and what we send in answer is no violation for our own other end.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/utf8.h"
#include "ws/ws.h"

enum { CLIENT = 1, LIMITED = 2, ANSWER = 4, CHOP_SHIFT = 3 };

struct side {
	struct ws_conn *conn;
	struct buf out;
	struct buf told;	/* what the events said */
	bool answer;
};

static bool
on_event(void *ctx, const struct ws_event *ev)
{
	struct side *s = ctx;
	struct err err;

	if (ev->type == WS_EV_MESSAGE && ev->opcode == WS_OP_TEXT)
		must(utf8_valid(ev->data, ev->len));
	buf_printf(&s->told, "%d %d %u %zu ", (int)ev->type, (int)ev->opcode,
	    ev->code, ev->len);
	buf_add(&s->told, ev->data, ev->len);
	if (!s->answer || ev->type != WS_EV_MESSAGE)
		return true;
	if (ev->len == 7)
		return ws_close(s->conn, 4000, STR("seven"), &err) == 0;
	must(ws_send(s->conn, ev->opcode, ev->data, ev->len, &err) == 0);
	return ev->len != 9;
}

static void
side_init(struct side *s, unsigned how)
{
	struct ws_params params = { 0 };

	if (how & LIMITED)
		params = (struct ws_params){
			.max_message = 300, .max_frame = 200,
			.max_fragments = 5,
		};
	*s = (struct side){ .answer = (how & ANSWER) != 0 };
	s->conn = ws_conn_new(how & CLIENT ? WS_CLIENT : WS_SERVER, &params,
	    &s->out);
}

static void
side_fini(struct side *s)
{
	ws_conn_free(&s->conn);
	buf_fini(&s->out);
	buf_fini(&s->told);
}

/* Exact copies, step bytes at a time (0 = all at once). */
static int
feed(struct side *s, const char *p, size_t n, size_t step, struct err *err)
{
	int r = 0;

	while (n && r == 0) {
		size_t now = step && step < n ? step : n;
		char *copy = xmalloc(now);

		memcpy(copy, p, now);
		r = ws_feed(s->conn, copy, now, on_event, s, err);
		must(r < 0 || ws_pending(s->conn) == 0 ||
		    !ws_closed(s->conn));
		free(copy);
		p += now;
		n -= now;
	}
	return r;
}

static void
same(const struct buf *a, const struct buf *b)
{
	must(str_eq(buf_str(a), buf_str(b)));
}

/* Our other end takes all that s sent. */
static void
check_answers(struct side *s, unsigned how)
{
	struct side other;
	struct err err;

	side_init(&other, (how ^ CLIENT) & CLIENT);
	must(feed(&other, buf_data(&s->out), buf_len(&s->out), 0, &err) == 0);
	must(ws_close_received(other.conn) == ws_close_sent(s->conn));
	side_fini(&other);
}

int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct side whole, chopped;
	struct err a = { 0 }, b = { 0 };
	unsigned how;

	if (n == 0)
		return 0;
	how = p[0];
	p++, n--;
	side_init(&whole, how);
	side_init(&chopped, how);
	must(feed(&whole, (const char *)p, n, 0, &a) ==
	    feed(&chopped, (const char *)p, n, (how >> CHOP_SHIFT) + 1, &b));
	must(a.kind == b.kind && strcmp(a.text, b.text) == 0);
	must(ws_close_sent(whole.conn) == ws_close_sent(chopped.conn));
	must(ws_close_received(whole.conn) == ws_close_received(chopped.conn));
	must(ws_closed(whole.conn) == ws_closed(chopped.conn));
	must(ws_pending(whole.conn) == ws_pending(chopped.conn));
	must(ws_pending(whole.conn) <= n);
	same(&whole.told, &chopped.told);
	must(buf_len(&whole.out) == buf_len(&chopped.out));
	if (!(how & CLIENT))
		same(&whole.out, &chopped.out);
	if (buf_len(&whole.out))
		check_answers(&whole, how);
	side_fini(&whole);
	side_fini(&chopped);
	return 0;
}
