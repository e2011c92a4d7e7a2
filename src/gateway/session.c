/* SPDX-License-Identifier: Apache-2.0 */
/* One client connection, from the first frame to the last byte. */
#include "gateway/session.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/must.h"
#include "config/config.h"
#include "gateway/backend_http.h"
#include "gateway/gateway.h"
#include "http/head.h"
#include "ipc/board.h"
#include "mediation/inbound.h"
#include "net/sock.h"
#include "net/stream.h"
#include "ws/ws.h"

enum {
	SESSION_MAGIC = 0x73657373,
	STALL_MS = 60000,	/* a client that takes nothing for so long */
};

static const struct stream_handler handler;

static void on_timer(void *ctx);

static struct session *
self(void *ctx)
{
	struct session *s = ctx;

	must(s->magic == SESSION_MAGIC);
	return s;
}

static void
arm(struct session *s, int64_t after_ms)
{
	loop_timer_set(s->worker->loop, &s->timer, after_ms, on_timer, s);
}

void
session_expect_head(struct session *s)
{
	arm(s, s->worker->config->limits_handshake_timeout);
}

void
session_new(struct listener *l, int fd, const char *peer)
{
	struct worker *w = l->worker;
	struct session *s = xcalloc(1, sizeof(*s));
	struct sock_addr local;
	char text[SOCK_TEXT_MAX] = "";

	s->magic = SESSION_MAGIC;
	s->worker = w;
	s->id = ++w->next_id;
	s->port = l->port;
	s->peer = xstrdup(peer);
	if (sock_local_addr(fd, &local) == 0)
		sock_addr_text(&local, text);
	s->local = xstrdup(text);
	s->started_ms = loop_now(w->loop);
	s->started_us = clock_wall_us();
	lane_init(&s->in, s);
	lane_init(&s->out, s);
	list_init(&s->backends);
	list_init(&s->requests);
	list_init(&s->group_link);
	list_add_tail(&w->sessions, &s->link);
	w->session_count++;
	s->listener_name = l->name;
	s->stream = stream_new(w->loop, fd, &handler, s);
	stream_watermarks(s->stream, (size_t)w->config->limits_send_queue,
	    (size_t)w->config->limits_send_queue / 4);
	board_add(w->board, accepted, 1);
	board_add(w->board, connections, 1);
	session_expect_head(s);
}

static void
destroy(void *p)
{
	struct session *s = p;

	free(s->peer);
	free(s->local);
	free(s->path_copy);
	free(s->content_type_copy);
	buf_fini(&s->head);
	endpoint_forget(&s->kept);
	free(s);
}

/* Everything that keeps a session alive is gone. */
static void
end(struct session *s)
{
	struct worker *w = s->worker;

	http_client_cancel(w->http, s);
	list_del(&s->link);
	w->session_count--;
	med_set_put(&s->set);
	s->magic = 0;
	med_engine_forget(w->engine, &s->in);
	med_engine_forget(w->engine, &s->out);
	loop_defer_free(w->loop, s, destroy);
	worker_session_gone(w);
}

/* The disconnect event runs once, whatever ended the connection. */
static void
disconnected(struct session *s)
{
	group_leave(s);
	if (!s->connected)
		return;
	s->connected = false;
	lane_take(&(struct arrival){
		.kind = EVENT_DISCONNECT, .session = s });
}

/* The stream is at its end: what remains are runs and back-ends. */
static void
gone(struct session *s)
{
	struct worker *w = s->worker;

	if (s->phase == SESSION_GONE)
		return;
	access_write(w->access, s);
	board_add(w->board, connections, -1);
	board_add(w->board, bytes_in, (int64_t)stream_bytes_in(s->stream));
	board_add(w->board, bytes_out, (int64_t)stream_bytes_out(s->stream));
	loop_timer_stop(w->loop, &s->timer);
	if (s->ws)
		w->open_count--;
	s->phase = SESSION_GONE;
	s->pauses = 0;
	stream_free(&s->stream);
	disconnected(s);
	ws_conn_free(&s->ws);
}

/* Nothing more will be read nor written by anybody: the rest of the queue goes
 * out, and that is all. */
static void
leave(struct session *s)
{
	if (stream_queued(s->stream) == 0) {
		gone(s);
		return;
	}
	if (s->phase != SESSION_LINGER)
		session_linger(s);
	/* on_drain tells when it is empty. */
	stream_watermarks(s->stream, 0, 0);
	stream_flush(s->stream);
}

static bool
is_idle(const struct session *s)
{
	return lane_idle(&s->in) && lane_idle(&s->out);
}

void
session_settle(struct session *s)
{
	if (!s->magic)
		return;
	lanes_go_on(s);
	if (LIKELY(s->phase == SESSION_OPEN)) {
		if (UNLIKELY(s->close_when_idle) && is_idle(s))
			session_close_shutdown(s);
		return;
	}
	if ((s->phase != SESSION_HALF && s->phase != SESSION_GONE) ||
	    !is_idle(s))
		return;
	backend_drop_all(s);
	if (!list_empty(&s->backends) || !is_idle(s))
		return;
	if (s->phase == SESSION_HALF)
		leave(s);
	if (s->phase == SESSION_GONE)
		end(s);
}

void
session_kill(struct session *s)
{
	s->connected = false;
	http_client_cancel(s->worker->http, s);
	lane_clear(&s->in);
	lane_clear(&s->out);
	gone(s);
	backend_kill_all(s);
	end(s);
}

void
session_linger(struct session *s)
{
	s->phase = SESSION_LINGER;
	s->pauses = 0;
	stream_resume(s->stream);
	stream_flush(s->stream);
	stream_finish(s->stream);
	arm(s, s->worker->config->limits_close_timeout);
	disconnected(s);
}

void
session_close(struct session *s, unsigned code, struct str reason)
{
	struct err err;

	if (!session_hears(s))
		return;
	if (ws_close(s->ws, code, reason, &err) < 0) {
		log_warn("client %s: close code %u may not be sent, 1011 is "
		    "sent instead", s->peer, code);
		if (ws_close(s->ws, WS_CLOSE_INTERNAL, reason, &err) < 0)
			return;
	}
	s->phase = SESSION_CLOSING;
	if (!s->ended)
		s->closed_by = CLOSED_BY_US;
	s->pauses = 0;
	group_leave(s);
	stream_resume(s->stream);
	stream_flush(s->stream);
	arm(s, s->worker->config->limits_close_timeout);
	/* It would not answer. */
	if (s->ended)
		leave(s);
}

void
session_close_shutdown(struct session *s)
{
	if (s->phase == SESSION_OPEN)
		session_close(s, s->inbound->shutdown_code,
		    s->inbound->shutdown_reason);
	else if (s->phase == SESSION_HEAD)
		gone(s);
}

void
session_drain(struct session *s)
{
	if (s->phase == SESSION_HEAD)
		session_close_shutdown(s);
	session_pause(s, PAUSE_DRAIN);
	s->close_when_idle = true;
	session_settle(s);
}

void
session_pause(struct session *s, unsigned reason)
{
	if (!session_hears(s))
		return;
	if (!s->pauses)
		stream_pause(s->stream);
	s->pauses |= reason;
}

void
session_unpause(struct session *s, unsigned reason)
{
	if (!(s->pauses & reason))
		return;
	s->pauses &= ~reason;
	if (!s->pauses && session_hears(s))
		stream_resume(s->stream);
}

size_t
send_queue_hard(const struct worker *w)
{
	/* What one read of a source can cause may be more than a small
	 * limit: that is no sign of a slow peer. */
	enum { AT_ONCE = 256 * 1024 };
	size_t limit = (size_t)w->config->limits_send_queue;

	return 4 * (limit > AT_ONCE ? limit : AT_ONCE);
}

static void
too_slow(struct session *s)
{
	log_info("client %s: %zu bytes wait for it, closing", s->peer,
	    stream_queued(s->stream));
	session_close(s, WS_CLOSE_TRY_LATER, STR("too slow"));
}

/* The client does not read: stop reading what is turned into its messages.
 * n bytes came just now; how large one message is says nothing about it. */
static void
congested(struct session *s, size_t n)
{
	if (stream_queued(s->stream) > n + send_queue_hard(s->worker)) {
		too_slow(s);
		return;
	}
	if (!s->watched) {
		s->watched = true;
		s->watch_mark = stream_bytes_taken(s->stream);
		arm(s, STALL_MS);
	}
	session_pause(s, PAUSE_CLIENT);
	list_each(&s->backends, b, struct backend_link, link)
		backend_pause(backend_of_link(b), PAUSE_CLIENT);
}

/* Has it taken anything since the last look? */
static void
watch(struct session *s)
{
	uint64_t taken = stream_bytes_taken(s->stream);

	if (s->watch_mark == taken) {
		too_slow(s);
		return;
	}
	s->watch_mark = taken;
	arm(s, STALL_MS);
}

int
session_send(struct session *s, enum msg_frame frame, struct str bytes)
{
	struct err err;

	if (UNLIKELY(!session_hears(s)))
		return -1;
	if (ws_send(s->ws, frame == MSG_TEXT ? WS_OP_TEXT : WS_OP_BINARY,
	    bytes.p, bytes.n, &err) < 0)
		return -1;
	stream_flush(s->stream);
	s->messages_out++;
	board_add(s->worker->board, messages_out, 1);
	if (UNLIKELY(stream_congested(s->stream)))
		congested(s, bytes.n);
	return 0;
}

static void
on_message(struct session *s, const struct ws_event *wev)
{
	struct str bytes = { wev->data, wev->len };
	enum msg_frame frame = wev->opcode == WS_OP_TEXT ? MSG_TEXT :
	    MSG_BINARY;
	/* A binary frame on a connection with a text type is a binary message
	 * (decisions.md row 15). */
	bool typed = s->protocol.kind == SUBPROTOCOL_TYPED;
	struct str type = s->content_type;

	s->messages_in++;
	board_add(s->worker->board, messages_in, 1);
	if (UNLIKELY(s->protocol.kind == SUBPROTOCOL_ECHO)) {
		session_send(s, frame, bytes);
		return;
	}
	if (pass_to_backend(s, frame, bytes))
		return;
	if (frame == MSG_BINARY && typed && s->type_is_text)
		type = STR("application/octet-stream");
	lane_take(&(struct arrival){
		.kind = EVENT_MESSAGE, .session = s, .bytes = bytes,
		.type = type, .frame = frame, .typed = typed });
}

static bool
on_event(void *ctx, const struct ws_event *wev)
{
	struct session *s = ctx;

	switch (wev->type) {
	case WS_EV_MESSAGE:
		if (LIKELY(s->phase == SESSION_OPEN))
			on_message(s, wev);
		return true;
	case WS_EV_PING:
		stream_flush(s->stream);
		if (stream_congested(s->stream) && session_hears(s))
			congested(s, 0);
		return true;
	case WS_EV_PONG:
		return true;
	case WS_EV_CLOSE:
		if (s->phase == SESSION_OPEN)
			s->closed_by = CLOSED_BY_CLIENT;
		return true;
	}
	return true;
}

void
session_start_frames(struct session *s, char *p, size_t n)
{
	struct err err;

	if (ws_feed(s->ws, p, n, on_event, s, &err) < 0) {
		log_debug("client %s: %s", s->peer, err.text);
		board_add(s->worker->board, protocol_errors, 1);
		if (s->phase == SESSION_OPEN)
			s->closed_by = CLOSED_BY_ERROR;
		session_linger(s);
		return;
	}
	if (ws_closed(s->ws) && s->phase <= SESSION_CLOSING)
		session_linger(s);
}

static void
on_data(void *ctx, char *p, size_t n)
{
	struct session *s = self(ctx);

	switch (s->phase) {
	case SESSION_OPEN:
	case SESSION_CLOSING:
		session_start_frames(s, p, n);
		break;
	case SESSION_HEAD:
		session_on_head_bytes(s, p, n);
		break;
	case SESSION_HALF:
	case SESSION_LINGER:
	case SESSION_GONE:
		break;
	}
	session_settle(s);
}

/* No Close, but it may still read: what it has sent is answered, then the
 * back-ends are closed, and what they say before they agree goes out too. */
static void
half(struct session *s)
{
	s->closed_by = CLOSED_BY_CLIENT;
	s->phase = SESSION_HALF;
	disconnected(s);
}

static void
on_eof(void *ctx)
{
	struct session *s = self(ctx);

	s->ended = true;
	if (s->phase == SESSION_OPEN)
		half(s);
	else
		leave(s);
	session_settle(s);
}

static void
on_drain(void *ctx)
{
	struct session *s = self(ctx);

	if (s->phase == SESSION_LINGER && s->ended)
		leave(s);
	if (s->watched && session_hears(s))
		loop_timer_stop(s->worker->loop, &s->timer);
	s->watched = false;
	session_unpause(s, PAUSE_CLIENT);
	backends_unpause(s, PAUSE_CLIENT);
	session_settle(s);
}

static void
on_error(void *ctx, const struct err *err)
{
	struct session *s = self(ctx);

	log_debug("client %s: %s", s->peer, err->text);
	if (s->phase == SESSION_OPEN)
		s->closed_by = CLOSED_BY_ERROR;
	gone(s);
	session_settle(s);
}

static void
on_timer(void *ctx)
{
	struct session *s = self(ctx);

	if (session_hears(s)) {
		watch(s);
		session_settle(s);
		return;
	}
	if (s->phase == SESSION_HEAD)
		log_debug("client %s: no complete request head in time",
		    s->peer);
	gone(s);
	session_settle(s);
}

static const struct stream_handler handler = {
	.on_data = on_data, .on_eof = on_eof, .on_drain = on_drain,
	.on_error = on_error,
};

static void
choose_custom(struct session *s)
{
	struct buf name = { 0 };
	struct str path = s->path;

	s->custom = NULL;
	if (!s->inbound->dispatch_custom)
		return;
	for (size_t i = path.n && path.p[0] == '/' ? 1 : 0; i < path.n; i++)
		buf_putc(&name, path.p[i] == '/' ? '-' : path.p[i]);
	s->custom = med_set_sequence(s->set, buf_str(&name));
	buf_fini(&name);
}

void
session_adopt(struct session *s, const struct med_inbound *in)
{
	bool grouped = in->broadcast != BROADCAST_NONE;

	med_set_put(&s->set);
	s->set = med_set_get(s->worker->set);
	s->inbound = in;
	choose_custom(s);
	s->in_shortcut = sequence_shortcut(s->custom ? s->custom :
	    in->sequence);
	s->out_shortcut = sequence_shortcut(in->outflow);
	s->straight = NULL;
	if (s->group && !grouped)
		group_leave(s);
	else if (!s->group && grouped && s->phase == SESSION_OPEN)
		group_join(s);
}

bool
session_refresh(struct session *s)
{
	const struct med_inbound *in;

	if (!s->inbound)
		return true;
	in = med_set_find_inbound(s->worker->set, s->inbound->name);
	if (!in || in->suspended || (in->port && in->port != s->port))
		return false;
	session_adopt(s, in);
	return true;
}

void
session_describe(struct session *s, struct buf *to)
{
	buf_printf(to, "{\"id\":%u,\"peer\":", (unsigned)s->id);
	log_json_string(to, str_of(s->peer));
	buf_addz(to, ",\"inbound\":");
	log_json_string(to, s->inbound ? s->inbound->name : STR(""));
	buf_addz(to, ",\"path\":");
	log_json_string(to, s->path.p ? s->path : STR(""));
	buf_addz(to, ",\"subprotocol\":");
	log_json_string(to, s->protocol_text.p ? s->protocol_text : STR(""));
	buf_printf(to, ",\"seconds\":%lld,\"messages_in\":%llu,"
	    "\"messages_out\":%llu,\"queued\":%zu,\"backends\":[",
	    (long long)(loop_now(s->worker->loop) - s->started_ms) / 1000,
	    (unsigned long long)s->messages_in,
	    (unsigned long long)s->messages_out,
	    s->stream ? stream_queued(s->stream) : 0);
	list_each(&s->backends, b, struct backend_link, link)
		backend_describe(backend_of_link(b), to);
	buf_addz(to, "]}");
}
