/* SPDX-License-Identifier: Apache-2.0 */
/* From the first byte of a client to the 101 or the refusal. */
#include "gateway/gateway.h"

#include <stdlib.h>

#include "base/must.h"
#include "config/config.h"
#include "http/emit.h"
#include "http/head.h"
#include "http/uri.h"
#include "ipc/board.h"
#include "mediation/inbound.h"
#include "net/stream.h"
#include "ws/handshake.h"
#include "ws/ws.h"

static const struct http_limits limits = {
	.line_bytes = 4096, .head_bytes = 16384, .headers = HTTP_MAX_HEADERS,
};

enum {
	MAX_OFFERED = 32,
	PROBES_UNREAD = 64 * 1024,	/* bytes of answers to /health */
};

/* The answer is written: it is the last one. */
static void
refused(struct session *s)
{
	board_add(s->worker->board, handshakes_refused, 1);
	session_linger(s);
}

static void
refuse(struct session *s, int status, const char *text)
{
	struct ws_refusal r = { .status = status, .extra = "" };

	snprintf(r.text, sizeof(r.text), "%s", text);
	ws_refuse_write(stream_out(s->stream), &r);
	refused(s);
}

static bool
serves(const struct session *s, const struct med_inbound *in)
{
	if (in->suspended)
		return false;
	if (in->port == 0)
		return s->listener_name && str_is(in->name, s->listener_name);
	return in->port == s->port;
}

/* How well the path of an inbound fits; 0 = not at all. */
static size_t
fit(const struct med_inbound *in, struct str path)
{
	if (!in->path.p)
		return 1;
	if (!in->path_is_prefix)
		return str_eq(in->path, path) ? SIZE_MAX : 0;
	if (in->path.n > path.n || memcmp(in->path.p, path.p, in->path.n) != 0)
		return 0;
	return in->path.n + 2;
}

static const struct med_inbound *
choose_inbound(const struct session *s, struct str path)
{
	const struct med_set *set = s->worker->set;
	const struct med_inbound *best = NULL;
	size_t most = 0;

	for (size_t i = 0; i < med_set_inbound_count(set); i++) {
		const struct med_inbound *in = med_set_inbound(set, i);
		size_t n = serves(s, in) ? fit(in, path) : 0;

		if (n > most)
			most = n, best = in;
	}
	return best;
}

static void
choose_protocol(struct session *s, const struct http_head *head,
    const struct med_inbound *in)
{
	struct str offered[MAX_OFFERED];
	size_t n = ws_offered_protocols(head, offered, MAX_OFFERED);

	s->content_type = STR_NULL;
	for (size_t i = 0; i < n; i++)
		if (subprotocol_parse(offered[i], in->echo_handler,
		    &s->protocol)) {
			s->protocol_text = offered[i];
			s->content_type = s->protocol.type;
			return;
		}
	if (in->default_content_type.p) {
		/* Outlives the set that it comes from. */
		s->content_type_copy = str_dup(in->default_content_type);
		s->content_type = str_of(s->content_type_copy);
	}
}

static int
take_path(struct session *s, const struct http_head *head)
{
	struct str path, query;
	struct buf decoded = { 0 };
	struct err err;

	if (uri_split_target(head->target, &path, &query, &err) < 0) {
		refuse(s, 400, err.text);
		return -1;
	}
	if (!uri_decode(&decoded, path)) {
		buf_fini(&decoded);
		refuse(s, 400, "bad escape in the request target");
		return -1;
	}
	s->target = head->target;
	s->path_copy = str_dup(buf_str(&decoded));
	s->path = (struct str){ s->path_copy, buf_len(&decoded) };
	buf_fini(&decoded);
	return 0;
}

static void
open_frames(struct session *s, const struct http_head *head,
    const struct med_inbound *in)
{
	struct worker *w = s->worker;
	struct ws_params params = {
		.max_message = (size_t)w->config->limits_message_size,
		.max_fragments = 65536,
	};

	choose_protocol(s, head, in);
	s->type_is_text = s->content_type.p &&
	    content_is_text(content_kind_of(s->content_type));
	ws_accept_write(stream_out(s->stream), head, s->protocol_text,
	    STR(""));
	s->ws = ws_conn_new(WS_SERVER, &params, stream_out(s->stream));
	s->phase = SESSION_OPEN;
	s->connected = true;
	w->open_count++;
	loop_timer_stop(w->loop, &s->timer);
	session_adopt(s, in);
	stream_flush(s->stream);
}

static bool
is_health_probe(const struct http_head *head)
{
	uint64_t length;

	return str_is(head->method, "GET") && str_is(head->target, "/health") &&
	    !http_get(head, "Upgrade").p &&
	    http_body(head, &length) == HTTP_BODY_NONE;
}

/* Answers the probe; false when the connection ends with that: the client
 * wants it, or does not read what it asks for. */
static bool
answer_probe(struct session *s, const struct http_head *head)
{
	bool old = head->minor == 0;
	bool keep = old ? http_has_token(head, "Connection", "keep-alive") :
	    !http_has_token(head, "Connection", "close");

	http_emit_text(stream_out(s->stream), 200,
	    keep ? HTTP_KEEP : HTTP_CLOSE,
	    keep && old ? STR("Connection: keep-alive\r\n") : STR(""),
	    STR(""));
	if (!keep || stream_queued(s->stream) > PROBES_UNREAD) {
		session_linger(s);
		return false;
	}
	stream_flush(s->stream);
	session_expect_head(s);
	return true;
}

/* True when the connection now carries frames. */
static bool
answer(struct session *s, const struct http_head *head)
{
	struct worker *w = s->worker;
	const struct med_inbound *in;
	struct ws_refusal r;

	if (w->phase != WORKER_RUNNING) {
		refuse(s, 503, "shutting down");
		return false;
	}
	if (w->open_count >= w->config->limits_connections) {
		refuse(s, 503, "too many connections");
		return false;
	}
	if (ws_check_request(head, &r) < 0) {
		ws_refuse_write(stream_out(s->stream), &r);
		refused(s);
		return false;
	}
	if (take_path(s, head) < 0)
		return false;
	in = choose_inbound(s, s->path);
	if (!in) {
		refuse(s, 404, "no inbound endpoint serves this path");
		return false;
	}
	open_frames(s, head, in);
	return true;
}

/* The head stays in memory as long as the session: cut the room to its size,
 * so that an idle connection holds no spare. The slices of *head point into
 * the old place and are made anew. */
static void
keep_head(struct session *s, size_t used, struct http_head *head)
{
	struct buf exact = { 0 };
	size_t scanned = 0;
	int status;
	struct err err;

	exact.p = xmalloc(used);
	exact.cap = exact.to = used;
	memcpy(exact.p, buf_data(&s->head), used);
	buf_fini(&s->head);
	s->head = exact;
	must(http_parse_request(exact.p, used, &scanned, &limits, head, &used,
	    &status, &err) == HTTP_DONE);
}

/* One head out of what has arrived; false when more is needed or it is over.
 * *rest_n is how much follows the head of an upgrade. */
static bool
one_head(struct session *s, size_t *rest_n)
{
	struct http_head head;
	size_t used;
	int status;
	struct err err;

	switch (http_parse_request(buf_data(&s->head), buf_len(&s->head),
	    &s->scanned, &limits, &head, &used, &status, &err)) {
	case HTTP_MORE:
		return false;
	case HTTP_BAD:
		refuse(s, status, err.text);
		return false;
	case HTTP_DONE:
		break;
	}
	s->scanned = 0;
	if (is_health_probe(&head)) {
		bool goes_on = answer_probe(s, &head);

		buf_consume(&s->head, used);
		return goes_on && buf_len(&s->head);
	}
	*rest_n = buf_len(&s->head) - used;
	keep_head(s, used, &head);
	answer(s, &head);
	return false;
}

void
session_on_head_bytes(struct session *s, const char *bytes, size_t n)
{
	char *end = UNCONST(bytes + n);
	size_t rest_n = 0;

	buf_add(&s->head, bytes, n);
	while (one_head(s, &rest_n))
		;
	if (s->phase != SESSION_OPEN)
		return;
	lane_take(&(struct arrival){ .kind = EVENT_CONNECT, .session = s });
	/* It lies at the end of the last read. */
	if (rest_n && s->phase <= SESSION_CLOSING)
		session_start_frames(s, end - rest_n, rest_n);
}

void
session_head(const struct session *s, struct http_head *out)
{
	size_t scanned = 0, used;
	int status;
	struct err err;

	out->count = 0;
	if (buf_len(&s->head) == 0 || http_parse_request(buf_data(&s->head),
	    buf_len(&s->head), &scanned, &limits, out, &used, &status,
	    &err) != HTTP_DONE)
		out->count = 0;
}

struct str
session_header(const struct session *s, struct str name, bool any_case)
{
	struct http_head head;
	struct str found = STR_NULL;

	session_head(s, &head);
	for (size_t i = 0; i < head.count; i++) {
		struct str have = head.header[i].name;

		if (any_case ? str_ieq(have, name) : str_eq(have, name))
			found = head.header[i].value;
	}
	return found;
}
