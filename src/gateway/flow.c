/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's host: what sequences ask for is done here. */
#include "gateway/gateway.h"

#include "config/config.h"
#include "gateway/backend_http.h"
#include "http/emit.h"
#include "http/head.h"
#include "http/uri.h"
#include "ipc/board.h"
#include "mediation/inbound.h"
#include "ws/ws.h"

#define CUSTOM_HEADER "websocket.custom.header."

/* ---- respond ----------------------------------------------------------- */

/* Rows 1 and 10 of websocket.md 5.1: the artifact asks for a Close. Returns
 * true when nothing more is to be sent. */
static bool
asked_to_close(struct event *ev, struct message *m)
{
	struct session *s = ev->session;
	struct value code;
	struct str reason;
	int64_t n;

	if (message_prop(m, SCOPE_DEFAULT, STR("errorCode"), &code)) {
		reason = message_prop_text(m, SCOPE_DEFAULT,
		    STR("ERROR_MESSAGE"));
		if (reason.p && str_to_i64(value_text(&code,
		    message_arena(m)), &n) && n > 0 && n < 5000) {
			session_close(s, (unsigned)n, reason);
			ev->answered = true;
		}
	}
	if (!message_prop(m, SCOPE_DEFAULT,
	    STR("websocket.close.frame.status.code"), &code))
		return false;
	reason = message_prop_text(m, SCOPE_DEFAULT,
	    STR("websocket.close.frame.reason.text"));
	if (!reason.p || code.type != VALUE_INT || code.i <= 0 || code.i > 4999)
		return false;
	session_close(s, (unsigned)code.i, reason);
	ev->answered = true;
	return true;
}

/* Events that are no message of anybody: nothing is sent for them. */
static bool
is_handshake(const struct event *ev, struct message *m)
{
	if (ev->kind == EVENT_CONNECT)
		return message_prop_is_true(m, SCOPE_DEFAULT,
		    STR("source.handshake.present"));
	return ev->kind == EVENT_TARGET_OPEN &&
	    message_prop_is_true(m, SCOPE_DEFAULT,
	    STR("websocket.target.handshake.present"));
}

bool
flow_may_deliver(const struct session *s, size_t n)
{
	return s->inbound->broadcast == BROADCAST_NONE ||
	    n <= (size_t)s->worker->config->broadcast_max_message;
}

void
flow_deliver(struct session *s, enum msg_frame frame, struct str bytes)
{
	switch (s->inbound->broadcast) {
	case BROADCAST_NONE:
		session_send(s, frame, bytes);
		return;
	case BROADCAST_ALL:
		group_send(s, NULL, frame, bytes);
		return;
	case BROADCAST_OTHERS:
		group_send(s, s, frame, bytes);
		return;
	}
}

/* Text frames must be UTF-8 (RFC 6455 8.1); a formatted body that is not goes
 * nowhere. */
static int
format(struct message *m, struct msg_output *out, struct fault *fault)
{
	struct err err;

	if (message_format(m, out, &err) == 0)
		return 0;
	return fault_set(fault,
	    err.kind == ERR_SYNTAX ? FAULT_PARSE : FAULT_MEDIATOR,
	    "Failed for format message to specified output format: %s",
	    err.text);
}

static enum med_host_result
respond(void *ctx, struct med_run *run UNUSED, struct message *m,
    struct fault *fault)
{
	struct event *ev = ctx;
	struct msg_output out;

	if (asked_to_close(ev, m) || is_handshake(ev, m))
		return MED_HOST_DONE;
	if (format(m, &out, fault) < 0)
		return MED_HOST_FAULT;
	if (out.none)
		return MED_HOST_DONE;
	if (!flow_may_deliver(ev->session, out.bytes.n)) {
		fault_set(fault, FAULT_TOO_LARGE, "a message of %zu bytes is "
		    "larger than broadcast.max_message", out.bytes.n);
		return MED_HOST_FAULT;
	}
	flow_deliver(ev->session, out.frame, out.bytes);
	ev->answered = true;
	return MED_HOST_DONE;
}

/* ---- send and call ----------------------------------------------------- */

static bool
is_custom(struct str name)
{
	return name.n >= sizeof(CUSTOM_HEADER) - 1 &&
	    memcmp(name.p, CUSTOM_HEADER, sizeof(CUSTOM_HEADER) - 1) == 0;
}

/* Headers by which the request is framed, or that are the handshake's own: a
 * client could smuggle a second request behind ours with them. */
static bool
is_ours(struct str name)
{
	static const char *const ours[] = { "host", "connection", "upgrade",
		"content-length", "transfer-encoding", "te", "trailer",
		"expect", "keep-alive", "proxy-connection" };

	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		if (str_iis(name, ours[i]))
			return true;
	return str_istarts(name, "sec-websocket-");
}

static void
add_custom(struct buf *lines, struct str name, struct str value)
{
	name = str_from(name, sizeof(CUSTOM_HEADER) - 1);
	if (!is_ours(name))
		http_emit_header(lines, name, value);
}

/* Header lines that the artifact asks for on this message. */
static struct str
artifact_headers(struct message *m)
{
	struct buf lines = { 0 };
	const void *at = NULL;
	struct value v;
	struct str name, result;

	while (message_next_prop(m, SCOPE_AXIS2, &at, &name, &v))
		if (UNLIKELY(is_custom(name)))
			add_custom(&lines, name,
			    value_text(&v, message_arena(m)));
	if (LIKELY(!lines.p))
		return STR("");
	result = arena_str(message_arena(m), buf_str(&lines));
	buf_fini(&lines);
	return result;
}

/* Header lines that the client asks for: its own headers with the prefix are
 * custom headers too (websocket.md 3.4). They are the same for the whole
 * connection, so they do not take part in the key. */
static struct str
client_headers(const struct session *s, struct message *m)
{
	struct buf lines = { 0 };
	struct http_head head;
	struct str result;

	session_head(s, &head);
	for (size_t i = 0; i < head.count; i++)
		if (is_custom(head.header[i].name))
			add_custom(&lines, head.header[i].name,
			    head.header[i].value);
	result = arena_str(message_arena(m), buf_str(&lines));
	buf_fini(&lines);
	return result;
}

static int
make_key(struct med_run *run, const struct endpoint *ep, struct message *m,
    struct backend_key *key, struct fault *fault)
{
	struct str protocol, type;

	key->endpoint = ep;
	/* Not the session's: a reload may have come since the run began. */
	key->set = med_run_set(run);
	if (endpoint_address(ep, m, &key->uri, fault) < 0)
		return -1;
	protocol = message_prop_text(m, SCOPE_AXIS2,
	    STR("websocket.subprotocol"));
	type = message_prop_text(m, SCOPE_AXIS2,
	    STR("websocket.accept.contenType"));
	if (!protocol.p && type.p)
		/* The name only: backend.c writes synapse(...) around it. */
		protocol = type;
	key->protocol = protocol;
	key->type = type;
	key->headers = artifact_headers(m);
	return 0;
}

static bool
is_lifecycle(const struct event *ev)
{
	return ev->kind == EVENT_CONNECT || ev->kind == EVENT_DISCONNECT ||
	    ev->kind == EVENT_TARGET_OPEN;
}

/* The connection is what this event wants, it carries no data (websocket.md
 * 6.4 row 5). */
static bool
only_connects(const struct event *ev, struct message *m)
{
	return ev->kind == EVENT_CONNECT && message_prop_is_true(m,
	    SCOPE_AXIS2, STR("websocket.source.handshake.present"));
}

/* Row 4. */
static bool
only_closes(const struct event *ev, struct message *m)
{
	return ev->kind == EVENT_DISCONNECT && message_prop_is_true(m,
	    SCOPE_AXIS2, STR("connection.terminate"));
}

static enum med_host_result
write_message(struct event *ev, const struct endpoint *ep, struct message *m,
    struct backend *b, struct fault *fault)
{
	struct msg_output out;

	ev->sent = true;
	if (only_connects(ev, m))
		return MED_HOST_DONE;
	if (format(m, &out, fault) < 0)
		return MED_HOST_FAULT;
	if (out.none)
		return MED_HOST_DONE;
	if (backend_send(b, out.frame, out.bytes, fault) < 0)
		return MED_HOST_FAULT;
	backend_works(b);
	pass_learn(ev->session, ep, b);
	return MED_HOST_DONE;
}

static enum med_host_result
send_ws(struct event *ev, const struct backend_key *key, struct message *m,
    struct fault *fault)
{
	struct session *s = ev->session;
	struct backend *b = backend_find(s, key);

	if (only_closes(ev, m)) {
		if (b)
			backend_close(b);
		return MED_HOST_DONE;
	}
	if (!b)
		b = backend_open(s, key, client_headers(s, m),
		    endpoint_timeout_ms(key->endpoint, m), fault);
	if (!b)
		return MED_HOST_FAULT;
	if (backend_phase(b) == BACKEND_OPEN)
		return write_message(ev, key->endpoint, m, b, fault);
	backend_wait(b, ev);
	return MED_HOST_WAIT;
}

static bool
is_http(struct str uri)
{
	return uri.n && (uri.p[0] == 'h' || uri.p[0] == 'H') &&
	    (str_istarts(uri, "http:") || str_istarts(uri, "https:"));
}

static enum med_host_result
send_by_key(struct event *ev, enum med_sending how,
    const struct backend_key *key, struct message *m, struct fault *fault)
{
	struct session *s = ev->session;
	const struct endpoint *ep = key->endpoint;
	bool http = is_http(key->uri);

	if (http && is_lifecycle(ev) && s->inbound->lifecycle != LIFECYCLE_ON)
		return MED_HOST_DONE;
	if (ev->kind != EVENT_DISCONNECT &&
	    UNLIKELY(!endpoint_take(s->worker, ep))) {
		fault_set(fault, FAULT_SUSPENDED,
		    "Currently , Address endpoint : [ Name : %.*s ] [ State "
		    ": SUSPENDED ]", STR_FMT(endpoint_name(ep)));
		return MED_HOST_FAULT;
	}
	if (http)
		return http_client_send(s->worker->http, ev, how, key, m,
		    fault);
	return send_ws(ev, key, m, fault);
}

static enum med_host_result
send_to(void *ctx, struct med_run *run, enum med_sending how,
    const struct endpoint *ep, struct message *m, struct fault *fault)
{
	struct event *ev = ctx;
	struct backend_key key;
	enum med_host_result result = MED_HOST_FAULT;

	ev->run = run;
	if (endpoint_apply_properties(ep, m, fault) == 0 &&
	    make_key(run, ep, m, &key, fault) == 0)
		result = send_by_key(ev, how, &key, m, fault);
	if (UNLIKELY(result == MED_HOST_FAULT))
		ev->sent = false;
	return result;
}

/* Who leaves goes to where it was, ready or not. */
static bool
ready(void *ctx, const struct endpoint *ep)
{
	const struct event *ev = ctx;

	return ev->kind == EVENT_DISCONNECT ||
	    endpoint_ready(ev->session->worker, ep);
}

/* What is no message takes nobody's turn. */
static uint64_t
number(void *ctx, enum med_number what, const struct endpoint *ep,
    uint64_t value)
{
	const struct event *ev = ctx;

	return endpoint_number(ev->session, what == MED_TURN &&
	    is_lifecycle(ev) ? MED_KEPT : what, ep, value);
}

static void *
home(void *ctx)
{
	return lane_of(ctx);
}

/* ---- waiting ----------------------------------------------------------- */

void
flow_target_open(struct event *ev, struct backend *b)
{
	struct fault fault;

	if (write_message(ev, NULL, med_run_message(ev->run), b, &fault) ==
	    MED_HOST_FAULT)
		lane_fail(ev, &fault);
	else
		lane_resume(ev);
}

const struct med_host flow_host = {
	.send = send_to,
	.ready = ready,
	.number = number,
	.home = home,
	.respond = respond,
};
