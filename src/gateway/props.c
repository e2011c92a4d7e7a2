/* SPDX-License-Identifier: Apache-2.0 */
/* The properties that a message has because of the connection it came on
 * (websocket.md 4.1, 4.2, 6.5). They are made when somebody asks. */
#include "gateway/gateway.h"

#include "http/head.h"
#include "mediation/inbound.h"
#include "msg/content.h"

/* Bits of scopes in which a property is visible. */
enum { IN_DEFAULT = 1, IN_AXIS2 = 2, IN_BOTH = 3 };
/* Kinds of events that have it. */
enum { OF_CLIENT = 1, OF_TARGET = 2, OF_ALL = 3 };

typedef bool prop_fn(const struct event *, enum msg_scope, struct arena *,
    struct value *out);

static bool
prop_true(const struct event *ev UNUSED, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_BOOL(true);
	return true;
}

static bool
text_value(struct str s, struct value *out)
{
	if (!s.p)
		return false;
	*out = VALUE_OF_STR(s);
	return true;
}

static struct str
channel_id(const struct session *s, struct arena *a)
{
	return arena_printf(a, "[id: 0x%08x, L:/%s - R:/%s]", (unsigned)s->id,
	    s->local, s->peer);
}

static bool
prop_channel(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a, struct value *out)
{
	*out = VALUE_OF_STR(channel_id(ev->session, a));
	return true;
}

static bool
prop_object(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a, struct value *out)
{
	out->type = VALUE_OBJECT;
	out->s = channel_id(ev->session, a);
	return true;
}

static bool
prop_outflow(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	return text_value(ev->session->inbound->outflow_name, out);
}

static bool
prop_outflow_fault(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	return text_value(ev->session->inbound->outflow_fault_name, out);
}

/* Of a back-end's message, its address (websocket.md 6.5). */
static bool
prop_path(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a, struct value *out)
{
	if (ev->kind < EVENT_TARGET_OPEN)
		return text_value(ev->session->target, out);
	return text_value(ev->backend ?
	    arena_str(a, backend_uri(ev->backend)) : ev->from, out);
}

static bool
prop_inbound(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	return text_value(ev->session->inbound->name, out);
}

static bool
prop_client_id(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_INT((int64_t)ev->session->id);
	return true;
}

static bool
prop_tenant(const struct event *ev UNUSED, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_STR(STR("carbon.super"));
	return true;
}

static bool
prop_in_url(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a, struct value *out)
{
	struct str host = session_header(ev->session, STR("Host"), true);

	*out = VALUE_OF_STR(arena_printf(a, "ws://%.*s%.*s", STR_FMT(host),
	    STR_FMT(ev->session->target)));
	return true;
}

static bool
prop_protocol(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	return text_value(ev->session->protocol_text, out);
}

static bool
prop_connecting(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_BOOL(true);
	return ev->kind == EVENT_CONNECT;
}

static bool
prop_terminate(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_BOOL(true);
	return ev->kind == EVENT_DISCONNECT;
}

static bool
prop_target_open(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_BOOL(true);
	return ev->kind == EVENT_TARGET_OPEN;
}

/* In default scope the flag says whether the frame itself is what a builder of
 * plain text / binary would have made of it (websocket.md 4.2, rows 2 and 3). */
static bool
frame_present(const struct event *ev, enum msg_scope scope,
    enum msg_frame frame, enum content_kind plain, struct value *out)
{
	enum content_kind kind = message_kind(ev->message);
	bool is_frame = ev->kind == EVENT_MESSAGE ||
	    ev->kind == EVENT_TARGET_MESSAGE;

	if (!is_frame || ev->frame != frame)
		return false;
	/* A text frame of a typed connection is no frame to its artifacts. */
	if (ev->typed && frame == MSG_TEXT)
		return false;
	*out = VALUE_OF_BOOL(scope == SCOPE_AXIS2 || kind == CONTENT_NONE ||
	    kind == plain);
	return true;
}

static bool
prop_text_frame(const struct event *ev, enum msg_scope scope,
    struct arena *a UNUSED, struct value *out)
{
	return frame_present(ev, scope, MSG_TEXT, CONTENT_TEXT, out);
}

static bool
prop_binary_frame(const struct event *ev, enum msg_scope scope,
    struct arena *a UNUSED, struct value *out)
{
	return frame_present(ev, scope, MSG_BINARY, CONTENT_BINARY, out);
}

static bool
prop_close_code(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_INT(ev->code);
	return ev->kind == EVENT_TARGET_CLOSE;
}

static bool
prop_close_reason(const struct event *ev, enum msg_scope scope UNUSED,
    struct arena *a UNUSED, struct value *out)
{
	*out = VALUE_OF_STR(ev->text);
	return ev->kind == EVENT_TARGET_CLOSE;
}

static const struct prop {
	const char *name;
	unsigned char len, scopes, events;
	prop_fn *get;
} props[] = {
#define PROP(name) name, sizeof(name) - 1
	{ PROP("isInbound"), IN_BOTH, OF_ALL, prop_true },
	{ PROP("inbound-response-worker"), IN_BOTH, OF_ALL, prop_object },
	{ PROP("websocket.source.handler.context"), IN_BOTH, OF_CLIENT, prop_object },
	{ PROP("websocket.source.channel.identifier"), IN_BOTH, OF_CLIENT,
	    prop_channel },
	{ PROP("ws.outflow.dispatch.sequence"), IN_BOTH, OF_CLIENT, prop_outflow },
	{ PROP("ws.outflow.dispatch.fault.sequence"), IN_BOTH, OF_CLIENT,
	    prop_outflow_fault },
	{ PROP("websocket.subscriber.path"), IN_DEFAULT, OF_ALL, prop_path },
	{ PROP("inbound.endpoint.name"), IN_DEFAULT, OF_ALL, prop_inbound },
	{ PROP("api caller"), IN_DEFAULT, OF_CLIENT, prop_inbound },
	{ PROP("clientId"), IN_AXIS2, OF_CLIENT, prop_client_id },
	{ PROP("tenantDomain"), IN_AXIS2, OF_CLIENT, prop_tenant },
	{ PROP("TransportInURL"), IN_AXIS2, OF_CLIENT, prop_in_url },
	{ PROP("CLIENT_API_NON_BLOCKING"), IN_AXIS2, OF_CLIENT, prop_true },
	{ PROP("websocket.client.subprotocol"), IN_DEFAULT, OF_ALL, prop_protocol },
	{ PROP("source.handshake.present"), IN_BOTH, OF_CLIENT, prop_connecting },
	{ PROP("websocket.source.handshake.present"), IN_BOTH, OF_CLIENT,
	    prop_connecting },
	{ PROP("connection.terminate"), IN_BOTH, OF_CLIENT, prop_terminate },
	{ PROP("websocket.target.handshake.present"), IN_DEFAULT, OF_TARGET,
	    prop_target_open },
	{ PROP("websocket.text.frame.present"), IN_BOTH, OF_ALL, prop_text_frame },
	{ PROP("websocket.binary.frame.present"), IN_BOTH, OF_ALL,
	    prop_binary_frame },
	{ PROP("websocket.close.code"), IN_BOTH, OF_TARGET, prop_close_code },
	{ PROP("websocket.reason.text"), IN_BOTH, OF_TARGET, prop_close_reason },
#undef PROP
};

/* Names that mean something to the engine: a header of the client never
 * becomes one of them (decisions.md row 10). */
static const char *const reserved[] = {
	"OUT_ONLY", "messageType", "ContentType", "TransportURL",
	"TransportOutURL", "HTTP_SC", "NO_ENTITY_BODY", "FORCE_SC_ACCEPTED",
	"ERROR_CODE", "ERROR_MESSAGE", "ERROR_DETAIL", "ERROR_EXCEPTION",
	"errorCode", "websocket.accept.contenType", "websocket.subprotocol",
	"websocket.close.frame.status.code",
	"websocket.close.frame.reason.text", "To", "From", "Action",
	"FaultTo", "ReplyTo", "RelatesTo", "MessageID", "FAULT",
	"MESSAGE_FORMAT", "OperationName", "OperationNamespace",
	"SYSTEM_TIME", "SYSTEM_DATE", "isTCPTransport",
	"backendMessageType", "REST_URL_POSTFIX", "HTTP_METHOD",
};

static bool
is_reserved(struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
		if (str_iis(name, reserved[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(props); i++)
		if (str_iis(name, props[i].name))
			return true;
	return false;
}

static bool
from_header(const struct event *ev, enum msg_scope scope, struct str name,
    struct value *out)
{
	if (scope == SCOPE_TRANSPORT)
		return text_value(session_header(ev->session, name, true), out);
	if (ev->kind != EVENT_CONNECT || is_reserved(name))
		return false;
	return text_value(session_header(ev->session, name, false), out);
}

/*
 * Most look-ups ask for names that no connection has (what the artifact may
 * have set, and did not). The rows are chained by the length of their names,
 * which tells nearly all of those apart at once.
 */
enum { LONGEST = 48 };
static struct {
	unsigned char first[LONGEST + 1], next[ARRAY_LEN(props)];
	bool made;
} chains;			/* 1-based rows; 0 ends a chain */

static void
make_chains(void)
{
	for (size_t i = 0; i < ARRAY_LEN(props); i++) {
		chains.next[i] = chains.first[props[i].len];
		chains.first[props[i].len] = (unsigned char)(i + 1);
	}
	chains.made = true;
}

static size_t
row_of(struct str name)
{
	size_t row;

	if (UNLIKELY(!chains.made))
		make_chains();
	row = name.n <= LONGEST ? chains.first[name.n] : 0;
	while (row && memcmp(props[row - 1].name, name.p, name.n) != 0)
		row = chains.next[row - 1];
	return row;
}

static bool
get(void *ctx, enum msg_scope scope, struct str name, struct arena *a,
    struct value *out)
{
	const struct event *ev = ctx;
	size_t row;
	unsigned want = scope == SCOPE_DEFAULT ? IN_DEFAULT : IN_AXIS2;
	unsigned events = ev->kind < EVENT_TARGET_OPEN ? OF_CLIENT : OF_TARGET;

	if (scope == SCOPE_TRANSPORT) {
		if (events == OF_TARGET)
			return false;
		return from_header(ev, scope, name, out);
	}
	if (scope != SCOPE_DEFAULT && scope != SCOPE_AXIS2)
		return false;
	row = row_of(name);
	if (row) {
		const struct prop *p = &props[row - 1];

		return (p->scopes & want) && (p->events & events) &&
		    p->get(ev, scope, a, out);
	}
	return events == OF_CLIENT && from_header(ev, scope, name, out);
}

static bool
entry(void *ctx, struct str key, struct arena *a, struct str *text_out)
{
	const struct event *ev = ctx;

	return med_set_entry(ev->session->set, key, a, text_out);
}

void
flow_context(struct event *ev, struct msg_context *out)
{
	*out = (struct msg_context){
		.get = get, .ctx = ev, .entry = entry, .entry_ctx = ev,
	};
}
