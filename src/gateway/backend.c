/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/backend.h"

#include <stdio.h>
#include <stdarg.h>
#include <stdlib.h>

#include "base/must.h"
#include "config/config.h"
#include "ipc/board.h"
#include "mediation/inbound.h"
#include "net/resolve.h"
#include "net/stream.h"
#include "ws/ws.h"

enum {
	BACKEND_MAGIC = 0x6261636b,
	BACKENDS_MAX = 64,	/* of one session: addresses may be made of what
				   the client sends */
	STALL_MS = 60000,	/* one that takes nothing for so long, when its
				   endpoint has no timeout */
};

static struct backend *
self(void *ctx)
{
	struct backend *b = ctx;

	must(b->magic == BACKEND_MAGIC);
	return b;
}

struct backend *
backend_of_link(struct backend_link *l)
{
	return container_of(l, struct backend, link);
}

static struct str
key_of(const char *z)
{
	return z ? str_of(z) : STR_NULL;
}

static bool
fits(struct backend *b, const struct backend_key *key)
{
	if (b->phase > BACKEND_OPEN)
		return false;
	if ((b->endpoint != key->endpoint ||
	    endpoint_is_dynamic(key->endpoint)) &&
	    !str_eq(str_of(b->uri_text), key->uri))
		return false;
	/* What a message does not ask for, it leaves as the one that opened
	 * the connection had it: artifacts set such properties on the connect
	 * event only. */
	if (key->protocol.p && !str_eq(key_of(b->protocol_key), key->protocol))
		return false;
	return key->headers.n == 0 ||
	    str_eq(key_of(b->headers_key), key->headers);
}

struct backend *
backend_find(struct session *s, const struct backend_key *key)
{
	list_each(&s->backends, l, struct backend_link, link) {
		struct backend *b = backend_of_link(l);

		if (!fits(b, key))
			continue;
		if (UNLIKELY(b->endpoint != key->endpoint)) {
			/* After a reload: let go of the old set. */
			med_set_put(&b->set);
			b->set = med_set_get(key->set);
			b->endpoint = key->endpoint;
			b->seen = UINT64_MAX;
		}
		return b;
	}
	return NULL;
}

static void on_timer(void *ctx);

static void
arm(struct backend *b, int64_t after_ms)
{
	loop_timer_set(b->session->worker->loop, &b->timer, after_ms, on_timer,
	    b);
}

static void
destroy(void *p)
{
	struct backend *b = p;

	free(b->uri_text);
	free(b->protocol_key);
	free(b->headers_key);
	free(b->type_key);
	free(b->addr);
	free(b->dial_protocol);
	free(b->dial_headers);
	free(b->content_type_copy);
	free(b->close_reason);
	buf_fini(&b->head);
	free(b);
}

/* Is any connection of the session slow to take what it gets? */
static bool
is_any_congested(struct session *s)
{
	list_each(&s->backends, l, struct backend_link, link) {
		struct backend *b = backend_of_link(l);

		if (b->phase == BACKEND_OPEN && stream_congested(b->stream))
			return true;
	}
	return false;
}

/* One that was slow is slow no more, or is no more. */
static void
relieve(struct session *s)
{
	if (is_any_congested(s))
		return;
	session_unpause(s, PAUSE_BACKEND);
	backends_unpause(s, PAUSE_BACKEND);
}

/* Nothing more is sent to it. */
static void
leave_open(struct backend *b)
{
	b->phase = BACKEND_CLOSING;
	if (b->pauses)
		stream_resume(b->stream);
	b->pauses = 0;
	b->watched = false;
	loop_timer_stop(b->session->worker->loop, &b->timer);
	relieve(b->session);
}

/* Takes it out of everything; no event may wait for it any more. */
static void
end(struct backend *b)
{
	struct session *s = b->session;
	struct worker *w = s->worker;

	if (b->phase == BACKEND_DEAD)
		return;
	must(list_empty(&b->waiters));
	if (b->phase >= BACKEND_OPEN)
		board_add(w->board, backends, -1);
	if (b->phase == BACKEND_OPEN)
		leave_open(b);
	b->phase = BACKEND_DEAD;
	b->magic = 0;
	if (b->query)
		resolve_cancel(b->query);
	loop_timer_stop(w->loop, &b->timer);
	stream_free(&b->stream);
	ws_conn_free(&b->ws);
	list_del(&b->link.link);
	if (s->straight == b)
		s->straight = NULL;
	lane_forget(&s->out, b);
	med_set_put(&b->set);
	loop_defer_free(w->loop, b, destroy);
}

static int
check_room(const struct session *s, const struct backend_key *key,
    struct fault *fault)
{
	unsigned n = 0;

	list_each(&s->backends, l, struct backend_link, link)
		n++;
	if (n < BACKENDS_MAX)
		return 0;
	return fault_set(fault, FAULT_CONNECT_FAILED, "%.*s: this client has "
	    "%u back-end connections already", STR_FMT(key->uri), n);
}

struct backend *
backend_open(struct session *s, const struct backend_key *key,
    struct str client_headers, int64_t timeout_ms, struct fault *fault)
{
	struct backend *b;
	struct buf headers = { 0 };

	if (check_room(s, key, fault) < 0)
		return NULL;
	b = xcalloc(1, sizeof(*b));
	b->magic = BACKEND_MAGIC;
	b->session = s;
	b->seen = UINT64_MAX;
	b->endpoint = key->endpoint;
	b->set = med_set_get(key->set);
	b->uri_text = str_dup(key->uri);
	b->protocol_key = str_dup(key->protocol);
	b->type_key = str_dup(key->type);
	b->headers_key = str_dup(key->headers);
	buf_add_str(&headers, key->headers);
	buf_add_str(&headers, client_headers);
	b->dial_headers = xstrdup(buf_cstr(&headers));
	buf_fini(&headers);
	list_init(&b->waiters);
	list_add_tail(&s->backends, &b->link.link);
	b->timeout_ms = timeout_ms;
	arm(b, timeout_ms > 0 ? timeout_ms :
	    s->worker->config->limits_handshake_timeout);
	if (backend_start(b, fault) < 0) {
		end(b);
		return NULL;
	}
	return b;
}

enum backend_phase
backend_phase(const struct backend *b)
{
	return b->phase;
}

void
backend_wait(struct backend *b, struct event *ev)
{
	must(b->phase < BACKEND_OPEN);
	list_add_tail(&b->waiters, &ev->link);
}

void
backend_failed(struct backend *b, int code, const char *fmt, ...)
{
	struct session *s = b->session;
	struct fault fault;
	struct event *ev;
	struct list waiters;
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("back-end %s: %s", b->uri_text, text);
	fault_set(&fault, code, "%s", text);
	board_add(s->worker->board, backend_failures, 1);
	endpoint_broke(s->worker, b->endpoint, code);
	/* The connection goes first: what the faults start finds none. */
	list_init(&waiters);
	while ((ev = list_first(&b->waiters, struct event, link))) {
		list_del(&ev->link);
		list_add_tail(&waiters, &ev->link);
	}
	end(b);
	while ((ev = list_first(&waiters, struct event, link))) {
		list_del(&ev->link);
		lane_fail(ev, &fault);
	}
	session_settle(s);
}

static void
tell(struct backend *b, enum event_kind kind, int code, const char *text)
{
	if (session_hears(b->session))
		lane_take(&(struct arrival){
			.kind = kind, .session = b->session, .backend = b,
			.code = code, .text = str_of(text) });
}

static void
on_message(struct backend *b, const struct ws_event *wev)
{
	struct session *s = b->session;
	enum msg_frame frame = wev->opcode == WS_OP_TEXT ? MSG_TEXT :
	    MSG_BINARY;
	struct str type = b->content_type;

	board_add(s->worker->board, backend_messages_in, 1);
	if (UNLIKELY(!session_hears(s)) ||
	    pass_to_client(s, frame, (struct str){ wev->data, wev->len }))
		return;
	if (frame == MSG_BINARY && b->typed && b->type_is_text)
		type = STR("application/octet-stream");
	lane_take(&(struct arrival){
		.kind = EVENT_TARGET_MESSAGE, .session = s, .backend = b,
		.bytes = { wev->data, wev->len }, .type = type,
		.frame = frame, .typed = b->typed });
}

/* Pings are answered also while its queue does not shrink: to stop reading it
 * could be what it waits for. But there is an end to that. */
static bool
heaps_up(const struct backend *b)
{
	return stream_congested(b->stream) &&
	    stream_queued(b->stream) > send_queue_hard(b->session->worker);
}

static bool
on_event(void *ctx, const struct ws_event *wev)
{
	struct backend *b = ctx;

	switch (wev->type) {
	case WS_EV_MESSAGE:
		if (LIKELY(b->phase <= BACKEND_CLOSING))
			on_message(b, wev);
		return b->phase != BACKEND_DEAD;
	case WS_EV_PING:
		stream_flush(b->stream);
		return !heaps_up(b);
	case WS_EV_PONG:
		return true;
	case WS_EV_CLOSE:
		b->close_code = wev->code;
		free(b->close_reason);
		b->close_reason = str_dup(wev->reason.p ? wev->reason :
		    STR(""));
		return true;
	}
	return true;
}

/* The connection broke while it was in use. */
static void
lost(struct backend *b, const char *why)
{
	struct session *s = b->session;

	if (b->phase == BACKEND_OPEN) {
		log_warn("back-end %s: %s", b->uri_text, why);
		board_add(s->worker->board, backend_failures, 1);
		/* What runs now must not find it. */
		leave_open(b);
		tell(b, EVENT_TARGET_LOST, FAULT_CLOSED, why);
	}
	end(b);
}

/* Both sides have said Close. We are the client: the server ends TCP first. */
static void
closed(struct backend *b)
{
	if (b->phase == BACKEND_OPEN) {
		leave_open(b);
		tell(b, EVENT_TARGET_CLOSE, (int)b->close_code,
		    b->close_reason ? b->close_reason : "");
	}
	stream_flush(b->stream);
	stream_finish(b->stream);
	arm(b, b->session->worker->config->limits_close_timeout);
}

static void
feed(struct backend *b, char *p, size_t n)
{
	struct err err;

	if (ws_feed(b->ws, p, n, on_event, b, &err) < 0) {
		/* Its Close is queued; give it a chance to leave. */
		log_warn("back-end %s: %s", b->uri_text, err.text);
		if (b->phase == BACKEND_OPEN) {
			board_add(b->session->worker->board,
			    backend_failures, 1);
			leave_open(b);
			tell(b, EVENT_TARGET_LOST, FAULT_CLOSED, err.text);
		}
		stream_flush(b->stream);
		stream_finish(b->stream);
		arm(b, b->session->worker->config->limits_close_timeout);
		return;
	}
	if (b->phase == BACKEND_OPEN && heaps_up(b))
		lost(b, "sends pings and does not read the answers");
	else if (b->phase != BACKEND_DEAD && ws_closed(b->ws))
		closed(b);
}

static bool
opened_by_connect(const struct backend *b)
{
	list_each(&b->waiters, ev, struct event, link)
		if (ev->kind == EVENT_CONNECT)
			return true;
	return false;
}

void
backend_opened(struct backend *b, char *rest, size_t n)
{
	struct session *s = b->session;
	struct worker *w = s->worker;
	struct ws_params params = {
		.max_message = (size_t)w->config->limits_message_size,
		.max_fragments = 65536,
		.late_messages = true,
	};
	const struct fault gone = { .code = FAULT_CLOSED,
		.message = "the back-end connection was closed again" };
	struct event *ev;

	loop_timer_stop(w->loop, &b->timer);
	b->ws = ws_conn_new(WS_CLIENT, &params, stream_out(b->stream));
	b->phase = BACKEND_OPEN;
	board_add(w->board, backends, 1);
	endpoint_ok(w, b->endpoint);
	if (opened_by_connect(b))
		tell(b, EVENT_TARGET_OPEN, 0, "");
	while ((ev = list_first(&b->waiters, struct event, link))) {
		list_del(&ev->link);
		/* A disconnect event that was next may have closed it. */
		if (b->phase == BACKEND_OPEN)
			flow_target_open(ev, b);
		else
			lane_fail(ev, &gone);
	}
	if (n && b->phase != BACKEND_DEAD)
		feed(b, rest, n);
}

/* Something happened to some endpoint. */
static bool
look_again(struct backend *b)
{
	struct worker *w = b->session->worker;
	uint64_t changes = board_endpoint_changes(w->shared);

	if (!endpoint_is_active(w, b->endpoint))
		return false;
	b->seen = changes;
	return true;
}

bool
backend_can_take(struct backend *b)
{
	return LIKELY(board_endpoints_same(b->session->worker->shared,
	    b->seen)) || look_again(b);
}

void
backend_works(struct backend *b)
{
	if (UNLIKELY(!backend_can_take(b)))
		endpoint_ok(b->session->worker, b->endpoint);
}

/* It does not read: stop reading what is turned into its messages. Itself it is
 * read on, its answers may be what keeps it from reading. */
static void
congested(struct backend *b)
{
	struct session *s = b->session;
	if (!b->watched) {
		b->watched = true;
		b->watch_mark = stream_bytes_taken(b->stream);
		arm(b, b->timeout_ms > 0 ? b->timeout_ms : STALL_MS);
	}
	session_pause(s, PAUSE_BACKEND);
	list_each(&s->backends, l, struct backend_link, link)
		if (backend_of_link(l) != b)
			backend_pause(backend_of_link(l), PAUSE_BACKEND);
}

/* Has it taken anything since the last look? */
static void
watch(struct backend *b)
{
	uint64_t before = b->watch_mark;

	b->watch_mark = stream_bytes_taken(b->stream);
	if (b->watch_mark == before) {
		lost(b, "does not read what is sent to it");
		return;
	}
	b->watched = false;
	congested(b);
}

int
backend_send(struct backend *b, enum msg_frame frame, struct str bytes,
    struct fault *fault)
{
	struct session *s = b->session;
	struct err err;

	if (UNLIKELY(stream_congested(b->stream)) &&
	    stream_queued(b->stream) > send_queue_hard(s->worker))
		return fault_set(fault, FAULT_SEND,
		    "back-end does not read: %zu bytes wait for it",
		    stream_queued(b->stream));
	if (ws_send(b->ws, frame == MSG_TEXT ? WS_OP_TEXT : WS_OP_BINARY,
	    bytes.p, bytes.n, &err) < 0)
		return fault_set(fault, FAULT_CLOSED, "%s", err.text);
	stream_flush(b->stream);
	board_add(s->worker->board, backend_messages_out, 1);
	if (UNLIKELY(stream_congested(b->stream)))
		congested(b);
	return 0;
}

void
backend_close(struct backend *b)
{
	struct err err;

	if (b->phase >= BACKEND_CLOSING)
		return;
	if (b->phase < BACKEND_OPEN) {
		if (list_empty(&b->waiters))
			end(b);
		return;
	}
	if (ws_close(b->ws, 0, STR(""), &err) < 0) {
		end(b);
		return;
	}
	leave_open(b);
	stream_flush(b->stream);
	arm(b, b->session->worker->config->limits_close_timeout);
}

struct str
backend_uri(const struct backend *b)
{
	return str_of(b->uri_text);
}

void
backend_drop_all(struct session *s)
{
	list_each(&s->backends, l, struct backend_link, link)
		backend_close(backend_of_link(l));
}

void
backend_kill_all(struct session *s)
{
	list_each(&s->backends, l, struct backend_link, link)
		end(backend_of_link(l));
}

void
backend_pause(struct backend *b, unsigned reason)
{
	if (b->phase != BACKEND_OPEN && b->phase != BACKEND_CLOSING)
		return;
	if (!b->pauses)
		stream_pause(b->stream);
	b->pauses |= reason;
}

void
backend_unpause(struct backend *b, unsigned reason)
{
	if (!(b->pauses & reason))
		return;
	b->pauses &= ~reason;
	if (!b->pauses)
		stream_resume(b->stream);
}

void
backends_unpause(struct session *s, unsigned reason)
{
	list_each(&s->backends, l, struct backend_link, link)
		backend_unpause(backend_of_link(l), reason);
}

static void
on_data(void *ctx, char *p, size_t n)
{
	struct backend *b = self(ctx);
	struct session *s = b->session;

	feed(b, p, n);
	session_settle(s);
}

static void
on_eof(void *ctx)
{
	struct backend *b = self(ctx);
	struct session *s = b->session;

	lost(b, "closed the connection without a Close frame");
	session_settle(s);
}

static void
on_drain(void *ctx)
{
	struct backend *b = self(ctx);
	struct session *s = b->session;

	if (b->watched)
		loop_timer_stop(s->worker->loop, &b->timer);
	b->watched = false;
	relieve(s);
	session_settle(s);
}

static void
on_error(void *ctx, const struct err *err)
{
	struct backend *b = self(ctx);
	struct session *s = b->session;

	lost(b, err->text);
	session_settle(s);
}

static void
on_timer(void *ctx)
{
	struct backend *b = self(ctx);
	struct session *s = b->session;

	if (b->phase < BACKEND_OPEN) {
		backend_failed(b, FAULT_CONNECT_TIMEOUT, "%s",
		    b->phase == BACKEND_HANDSHAKE ?
		    "no answer to the WebSocket handshake in time" :
		    "connect timed out");
		return;
	}
	if (b->phase == BACKEND_OPEN)
		watch(b);
	else
		end(b);
	session_settle(s);
}

const struct stream_handler backend_handler = {
	.on_data = on_data, .on_eof = on_eof, .on_drain = on_drain,
	.on_error = on_error,
};

void
backend_describe(const struct backend *b, struct buf *to)
{
	static const char *const phases[] = {
		[BACKEND_RESOLVING] = "resolving",
		[BACKEND_CONNECTING] = "connecting",
		[BACKEND_HANDSHAKE] = "handshake", [BACKEND_OPEN] = "open",
		[BACKEND_CLOSING] = "closing", [BACKEND_DEAD] = "closed",
	};

	if (buf_len(to) && buf_data(to)[buf_len(to) - 1] == '}')
		buf_putc(to, ',');
	buf_addz(to, "{\"uri\":");
	log_json_string(to, str_of(b->uri_text));
	buf_printf(to, ",\"state\":\"%s\"}", phases[b->phase]);
}
