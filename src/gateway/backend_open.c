/* SPDX-License-Identifier: Apache-2.0 */
/* From the URI of a back-end to its 101: resolve, connect, handshake. */
#include "gateway/backend.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/must.h"
#include "config/config.h"
#include "gateway/subprotocol.h"
#include "http/head.h"
#include "msg/content.h"
#include "net/resolve.h"
#include "net/stream.h"

static const struct stream_handler opening;

static void
try_next(struct backend *b)
{
	struct session *s = b->session;

	b->phase = BACKEND_CONNECTING;
	b->stream = stream_connect(s->worker->loop, &b->addr[b->addr_next++],
	    0, &opening, b);
	stream_watermarks(b->stream,
	    (size_t)s->worker->config->limits_send_queue,
	    (size_t)s->worker->config->limits_send_queue / 4);
}

static void
on_resolved(void *ctx, const struct sock_addr *addr, size_t count,
    const struct err *err)
{
	struct backend *b = ctx;

	b->query = NULL;
	if (count == 0) {
		backend_failed(b, FAULT_CONNECT_FAILED, "%s", err->text);
		return;
	}
	b->addr = xmalloc(count * sizeof(*addr));
	memcpy(b->addr, addr, count * sizeof(*addr));
	b->addr_count = count;
	try_next(b);
}

/* Sets what is asked of the back-end. websocket.accept.contenType asks for the
 * MI form; websocket.subprotocol is sent as it is (decisions.md). */
static void
set_protocol(struct backend *b)
{
	size_t n;

	if (!b->protocol_key)
		return;
	if (b->type_key && strcmp(b->type_key, b->protocol_key) == 0) {
		n = strlen(b->type_key) + sizeof("synapse(contentType='')");
		b->dial_protocol = xmalloc(n);
		snprintf(b->dial_protocol, n, "synapse(contentType='%s')",
		    b->type_key);
	} else {
		b->dial_protocol = xstrdup(b->protocol_key);
	}
	b->dial.protocol = str_of(b->dial_protocol);
}

static bool
has_origin(struct str lines)
{
	struct str line;

	while (str_next(&lines, '\n', &line))
		if (str_istarts(line, "origin:"))
			return true;
	return false;
}

int
backend_start(struct backend *b, struct fault *fault)
{
	struct worker *w = b->session->worker;
	struct err err;

	if (uri_split(str_of(b->uri_text), &b->uri, &err) < 0)
		return fault_set(fault, FAULT_CONNECT_FAILED, "%s: %s",
		    b->uri_text, err.text);
	if (b->uri.scheme != URI_WS)
		return fault_set(fault, FAULT_CONNECT_FAILED,
		    "%s: no transport for this scheme", b->uri_text);
	b->dial = (struct ws_dial){
		.host = b->uri.authority, .target = b->uri.target,
		.headers = str_of(b->dial_headers),
	};
	set_protocol(b);
	b->phase = BACKEND_RESOLVING;
	b->addr = xmalloc(sizeof(*b->addr));
	if (sock_addr_parse(b->uri.host, b->uri.port, b->addr)) {
		b->addr_count = 1;
		try_next(b);
		return 0;
	}
	free(b->addr);
	b->addr = NULL;
	b->query = resolve_start(w->resolver, b->uri.host, b->uri.port,
	    on_resolved, b);
	return 0;
}

static void
on_open(void *ctx)
{
	struct backend *b = ctx;
	char origin[300];

	b->phase = BACKEND_HANDSHAKE;
	if (!has_origin(b->dial.headers)) {
		snprintf(origin, sizeof(origin), "http://%.*s",
		    STR_FMT(b->uri.authority));
		b->dial.origin = str_of(origin);
	}
	ws_dial_write(stream_out(b->stream), &b->dial);
	b->dial.origin = STR_NULL;
	stream_flush(b->stream);
}

/* A back-end that returns no subprotocol is taken as it is, with one warning,
 * unless the endpoint insists (decisions.md). */
static int
judge_protocol(struct backend *b, struct str got)
{
	struct session *s = b->session;
	struct str asked = b->dial.protocol;
	struct str insist = endpoint_option(b->endpoint,
	    "websocket.require.subprotocol");
	struct str name = endpoint_name(b->endpoint);

	if (got.p ? asked.p && str_eq(asked, got) : !asked.p)
		return 0;
	if (got.p || str_iis(insist, "true")) {
		backend_failed(b, FAULT_CONNECT_FAILED,
		    "Invalid subprotocol. Actual: %.*s. Expected one of: %.*s",
		    STR_FMT(got.p ? got : STR("null")),
		    STR_FMT(asked.p ? asked : STR("")));
		return -1;
	}
	if (worker_once(s->worker, name))
		log_warn("endpoint %.*s: the back-end did not return the "
		    "subprotocol %.*s; going on without it", STR_FMT(name),
		    STR_FMT(asked));
	return 0;
}

static void
set_content(struct backend *b, struct str got)
{
	struct subprotocol p;
	struct str type = STR_NULL;

	if (got.p && subprotocol_parse(got, false, &p))
		type = p.type;
	else if (b->type_key)
		type = str_of(b->type_key);
	b->typed = type.p != NULL;
	b->content_type_copy = str_dup(type);
	b->content_type = (struct str){ b->content_type_copy, type.n };
	b->type_is_text = content_is_text(content_kind_of(type));
}

static void
on_head(struct backend *b, const struct http_head *head, char *rest, size_t n)
{
	struct str protocol;
	struct err err;

	if (head->status != 101) {
		backend_failed(b, FAULT_CONNECT_FAILED,
		    "Invalid handshake response getStatus: %d %.*s",
		    head->status, STR_FMT(head->reason));
		return;
	}
	if (ws_check_response(head, &b->dial, &protocol, &err) < 0) {
		backend_failed(b, FAULT_CONNECT_FAILED, "%s", err.text);
		return;
	}
	if (judge_protocol(b, protocol) < 0)
		return;
	set_content(b, protocol);
	buf_fini(&b->head);
	stream_set_handler(b->stream, &backend_handler, b);
	backend_opened(b, rest, n);
}

static void
on_data(void *ctx, char *p, size_t n)
{
	static const struct http_limits limits = {
		.line_bytes = 4096, .head_bytes = 16384,
		.headers = HTTP_MAX_HEADERS,
	};
	struct backend *b = ctx;
	struct session *s = b->session;
	struct http_head head;
	size_t used, rest;
	struct err err;

	buf_add(&b->head, p, n);
	switch (http_parse_response(buf_data(&b->head), buf_len(&b->head),
	    &b->scanned, &limits, &head, &used, &err)) {
	case HTTP_MORE:
		return;
	case HTTP_BAD:
		backend_failed(b, FAULT_CONNECT_FAILED, "%s", err.text);
		return;
	case HTTP_DONE:
		rest = buf_len(&b->head) - used;
		on_head(b, &head, p + n - rest, rest);
		break;
	}
	session_settle(s);
}

static void
on_eof(void *ctx)
{
	backend_failed(ctx, FAULT_CONNECT_FAILED,
	    "connection closed during the WebSocket handshake");
}

static void
on_error(void *ctx, const struct err *err)
{
	struct backend *b = ctx;

	if (b->phase == BACKEND_CONNECTING && b->addr_next < b->addr_count) {
		stream_free(&b->stream);
		try_next(b);
		return;
	}
	backend_failed(b, FAULT_CONNECT_FAILED, "%s", err->text);
}

static const struct stream_handler opening = {
	.on_open = on_open, .on_data = on_data, .on_eof = on_eof,
	.on_error = on_error,
};
