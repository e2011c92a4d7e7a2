/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/backend_http.h"

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_CURL
#include <curl/curl.h>
#endif

#include "base/must.h"
#include "base/utf8.h"
#include "config/config.h"
#include "http/emit.h"
#include "ipc/board.h"
#include "mediation/epstate.h"
#include "mediation/inbound.h"

#ifdef HAVE_CURL

enum { GLOBAL_TIMEOUT_MS = 120000 };	/* synapse.global_timeout_interval */

struct http_client {
	struct worker *worker;
	CURLM *multi;
	struct loop_timer timer;
	struct list requests;
};

/* A socket of libcurl's on our loop. */
struct http_socket {
	struct http_client *client;
	struct loop_fd fd;
};

struct request {
	struct list link;		/* client.requests */
	struct list of_session;		/* session.requests */
	struct http_client *client;
	struct session *session;
	struct event *event;		/* waits for the answer */
	enum med_sending how;
	int64_t timeout_ms;		/* the endpoint's; 0 = none */
	struct med_set *set;		/* keeps endpoint alive */
	const struct endpoint *endpoint;
	CURL *easy;
	struct curl_slist *headers;
	struct buf sent, body, head;	/* head: "Name: value\n" lines */
	bool too_large;
	char error[CURL_ERROR_SIZE];
};

/* ---- libcurl on the loop ----------------------------------------------- */

static void collect(struct http_client *);

static void
act(struct http_client *c, curl_socket_t fd, int what)
{
	int running;

	curl_multi_socket_action(c->multi, fd, what, &running);
	collect(c);
}

static void
on_socket_ready(void *ctx, unsigned ready)
{
	struct http_socket *s = ctx;
	int what = 0;

	if (ready & LOOP_READ)
		what |= CURL_CSELECT_IN;
	if (ready & LOOP_WRITE)
		what |= CURL_CSELECT_OUT;
	act(s->client, s->fd.fd, what);
}

static int
on_socket_change(CURL *easy UNUSED, curl_socket_t fd, int what, void *ctx,
    void *socket_ctx)
{
	struct http_client *c = ctx;
	struct http_socket *s = socket_ctx;
	struct loop *loop = c->worker->loop;
	unsigned want = 0;
	struct err err;

	if (what == CURL_POLL_REMOVE) {
		if (!s)
			return 0;
		loop_fd_del(loop, &s->fd);
		curl_multi_assign(c->multi, fd, NULL);
		loop_defer_free(loop, s, free);
		return 0;
	}
	if (what & CURL_POLL_IN)
		want |= LOOP_READ;
	if (what & CURL_POLL_OUT)
		want |= LOOP_WRITE;
	if (s) {
		loop_fd_want(loop, &s->fd, want);
		return 0;
	}
	s = xcalloc(1, sizeof(*s));
	s->client = c;
	if (loop_fd_add(loop, &s->fd, fd, want, on_socket_ready, s, &err) < 0) {
		log_error("HTTP client: %s", err.text);
		free(s);
		return -1;
	}
	curl_multi_assign(c->multi, fd, s);
	return 0;
}

static void
on_timeout(void *ctx)
{
	act(ctx, CURL_SOCKET_TIMEOUT, 0);
}

static int
on_timer_change(CURLM *multi UNUSED, long ms, void *ctx)
{
	struct http_client *c = ctx;

	if (ms < 0)
		loop_timer_stop(c->worker->loop, &c->timer);
	else
		loop_timer_set(c->worker->loop, &c->timer, ms, on_timeout, c);
	return 0;
}

struct http_client *
http_client_new(struct worker *w, struct err *err)
{
	struct http_client *c;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
		err_set(err, ERR_STATE, "libcurl does not start");
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->worker = w;
	list_init(&c->requests);
	c->multi = curl_multi_init();
	must(c->multi != NULL);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_socket_change);
	curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_timer_change);
	curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
	return c;
}

static void
request_free(struct request *r)
{
	curl_multi_remove_handle(r->client->multi, r->easy);
	curl_easy_cleanup(r->easy);
	curl_slist_free_all(r->headers);
	buf_fini(&r->sent);
	buf_fini(&r->body);
	buf_fini(&r->head);
	med_set_put(&r->set);
	list_del(&r->link);
	list_del(&r->of_session);
	free(r);
}

void
http_client_cancel(struct http_client *c UNUSED, struct session *s)
{
	list_each(&s->requests, r, struct request, of_session)
		request_free(r);
}

void
http_client_free(struct http_client **cp)
{
	struct http_client *c = *cp;

	if (!c)
		return;
	*cp = NULL;
	list_each(&c->requests, r, struct request, link)
		request_free(r);
	curl_multi_cleanup(c->multi);
	loop_timer_stop(c->worker->loop, &c->timer);
	curl_global_cleanup();
	free(c);
}

/* ---- the answer -------------------------------------------------------- */

static size_t
on_body(char *p, size_t size, size_t n, void *ctx)
{
	struct request *r = ctx;
	size_t most = (size_t)r->client->worker->config->limits_message_size;

	if (buf_len(&r->body) + size * n > most) {
		r->too_large = true;
		return 0;
	}
	buf_add(&r->body, p, size * n);
	return size * n;
}

/* Header lines of the final answer; a new status line starts anew. */
static size_t
on_header(char *p, size_t size, size_t n, void *ctx)
{
	struct request *r = ctx;
	struct str line = str_trim((struct str){ p, size * n });

	if (str_starts(line, "HTTP/"))
		buf_clear(&r->head);
	else if (line.n && str_find(line, ':') < line.n) {
		buf_add_str(&r->head, line);
		buf_putc(&r->head, '\n');
	}
	return size * n;
}

static void
take_headers(struct request *r, struct message *m)
{
	struct arena *a = message_arena(m);
	struct str rest = buf_str(&r->head), line;

	while (str_next(&rest, '\n', &line)) {
		size_t colon = str_find(line, ':');

		if (line.n)
			message_set_prop(m, SCOPE_TRANSPORT,
			    str_head(line, colon), VALUE_OF_STR(arena_str(a,
			    str_trim(str_from(line, colon + 1)))));
	}
}

/* Text that is no UTF-8 cannot go into a text frame. */
static enum msg_frame
frame_for(struct str type, struct str body)
{
	enum content_kind kind = content_kind_of(type);

	if ((kind == CONTENT_NONE || content_is_text(kind)) &&
	    utf8_valid(body.p, body.n))
		return MSG_TEXT;
	return MSG_BINARY;
}

static void
deliver(struct request *r, struct message *m)
{
	const char *type = NULL;
	long status = 0;
	struct str body = buf_str(&r->body), t;

	curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
	curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
	t = arena_str(message_arena(m), str_of(type));
	if (body.n)
		message_set_body(m, body, t, frame_for(t, body));
	else
		message_set_empty(m);
	take_headers(r, m);
	message_set_prop(m, SCOPE_AXIS2, STR("HTTP_SC"),
	    VALUE_OF_INT(status));
	if (t.p)
		message_set_prop(m, SCOPE_AXIS2, STR("messageType"),
		    VALUE_OF_STR(t));
}

static int
code_of(const struct request *r, CURLcode result)
{
	double connected = 0;

	if (result == CURLE_OPERATION_TIMEDOUT) {
		curl_easy_getinfo(r->easy, CURLINFO_CONNECT_TIME, &connected);
		return connected > 0 ? FAULT_TIMEOUT : FAULT_CONNECT_TIMEOUT;
	}
	if (result == CURLE_COULDNT_CONNECT ||
	    result == CURLE_COULDNT_RESOLVE_HOST ||
	    result == CURLE_SSL_CONNECT_ERROR ||
	    result == CURLE_PEER_FAILED_VERIFICATION)
		return FAULT_CONNECT_FAILED;
	if (result == CURLE_GOT_NOTHING || result == CURLE_RECV_ERROR ||
	    result == CURLE_PARTIAL_FILE)
		return FAULT_CLOSED;
	if (result == CURLE_SEND_ERROR)
		return FAULT_SEND;
	return FAULT_PROTOCOL;
}

/* Did the endpoint's own time run out? */
static bool
expired(const struct request *r, CURLcode result)
{
	double took = 0;

	if (result != CURLE_OPERATION_TIMEDOUT || r->timeout_ms <= 0)
		return false;
	curl_easy_getinfo(r->easy, CURLINFO_TOTAL_TIME, &took);
	return took * 1000 + 1 >= (double)r->timeout_ms;
}

static void
log_expired(const struct request *r)
{
	struct message *m = med_run_message(r->event->run);
	struct str id = message_id(m);
	struct str line = arena_printf(message_arena(m), "Expiring message ID "
	    ": %.*s; dropping message after ENDPOINT_TIMEOUT of : %lld seconds "
	    "for Endpoint [%.*s], Received through Inbound Endpoint : %.*s",
	    STR_FMT(id), (long long)(r->timeout_ms / 1000),
	    STR_FMT(endpoint_name(r->endpoint)),
	    STR_FMT(r->session->inbound->name));

	log_line(LOG_L_WARN, STR("TimeoutHandler"), line);
}

static void
failed(struct request *r, CURLcode result)
{
	struct session *s = r->session;
	struct event *ev = r->event;
	struct fault fault;
	int code = code_of(r, result);
	bool late = expired(r, result), drop;

	drop = late && endpoint_policy(r->endpoint)->action == EP_DISCARD;
	if (late) {
		code = FAULT_TIMEOUT;
		log_expired(r);
		fault_set(&fault, code, "Send timeout");
	} else if (r->too_large)
		fault_set(&fault, FAULT_CALL, "the answer is larger than %lld "
		    "bytes (limits.message_size)",
		    (long long)s->worker->config->limits_message_size);
	else
		fault_set(&fault, code, "%s", r->error[0] ? r->error :
		    curl_easy_strerror(result));
	log_warn("endpoint %.*s: %s", STR_FMT(endpoint_name(r->endpoint)),
	    fault.message);
	board_add(s->worker->board, backend_failures, 1);
	if (!r->too_large)
		endpoint_broke(s->worker, r->endpoint, code);
	request_free(r);
	if (drop)
		lane_drop(ev);
	else
		lane_fail(ev, &fault);
	session_settle(s);
}

/* As a message of its own, for the outflow sequence. */
static struct event *
answer_of(struct request *r)
{
	struct arrival a = { .kind = EVENT_TARGET_MESSAGE,
		.session = r->session, .bytes = STR(""), .typed = true };
	const char *url = NULL;
	struct event *ev;

	curl_easy_getinfo(r->easy, CURLINFO_EFFECTIVE_URL, &url);
	a.from = str_of(url);
	ev = event_new(&a);
	deliver(r, ev->message);
	return ev;
}

static void
succeeded(struct request *r)
{
	struct session *s = r->session;
	struct event *ev = r->event, *answer;

	endpoint_ok(s->worker, r->endpoint);
	ev->sent = true;
	if (r->how == MED_CALL) {
		deliver(r, med_run_message(ev->run));
		request_free(r);
	} else {
		answer = answer_of(r);
		request_free(r);
		lane_submit(answer);
	}
	lane_resume(ev);
	session_settle(s);
}

static void
collect(struct http_client *c)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(c->multi, &left))) {
		CURLcode result = msg->data.result;
		struct request *r;
		char *private;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &private);
		r = (struct request *)(void *)private;
		if (result == CURLE_OK)
			succeeded(r);
		else
			failed(r, result);
	}
}

/* ---- the request ------------------------------------------------------- */

/* Headers that libcurl or the connection decide. */
static bool
is_own_header(struct str name)
{
	static const char *const own[] = { "host", "content-length",
		"content-type", "connection", "upgrade", "transfer-encoding",
		"expect" };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (str_iis(name, own[i]))
			return true;
	return str_istarts(name, "sec-websocket-");
}

static void
add_header(struct request *r, struct str name, struct str value)
{
	struct buf line = { 0 };

	if (http_emit_header(&line, name, value)) {
		buf_truncate(&line, buf_len(&line) - 2);
		r->headers = curl_slist_append(r->headers, buf_cstr(&line));
	}
	buf_fini(&line);
}

static void
add_headers(struct request *r, struct message *m, struct str type)
{
	const void *at = NULL;
	struct str name;
	struct value v;

	while (message_next_prop(m, SCOPE_TRANSPORT, &at, &name, &v)) {
		struct str text = value_text(&v, message_arena(m));

		if (text.p && !is_own_header(name))
			add_header(r, name, text);
	}
	if (type.p)
		add_header(r, STR("Content-Type"), type);
	/* No "100 Continue" round trip. */
	r->headers = curl_slist_append(r->headers, "Expect:");
}

static void
set_method(struct request *r, struct message *m)
{
	struct str method = message_prop_text(m, SCOPE_AXIS2,
	    STR("HTTP_METHOD"));

	if (!method.p)
		method = endpoint_option(r->endpoint, "http.method");
	if (!method.p || !method.n)
		method = STR("POST");
	if (str_iis(method, "GET") || str_iis(method, "HEAD")) {
		curl_easy_setopt(r->easy, CURLOPT_HTTPGET, 1L);
		if (str_iis(method, "HEAD"))
			curl_easy_setopt(r->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	curl_easy_setopt(r->easy, CURLOPT_POSTFIELDSIZE_LARGE,
	    (curl_off_t)buf_len(&r->sent));
	curl_easy_setopt(r->easy, CURLOPT_POSTFIELDS, buf_cstr(&r->sent));
	curl_easy_setopt(r->easy, CURLOPT_CUSTOMREQUEST,
	    arena_str(message_arena(m), method).p);
}

static void
set_options(struct request *r, const char *uri)
{
	const struct config *c = r->client->worker->config;

	curl_easy_setopt(r->easy, CURLOPT_URL, uri);
	curl_easy_setopt(r->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(r->easy, CURLOPT_PROXY, "");
	curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(r->easy, CURLOPT_PRIVATE, (char *)r);
	curl_easy_setopt(r->easy, CURLOPT_ERRORBUFFER, r->error);
	curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(r->easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(r->easy, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
	curl_easy_setopt(r->easy, CURLOPT_CONNECTTIMEOUT_MS,
	    (long)c->limits_handshake_timeout);
	curl_easy_setopt(r->easy, CURLOPT_TIMEOUT_MS,
	    (long)(r->timeout_ms > 0 ? r->timeout_ms : GLOBAL_TIMEOUT_MS));
}

static struct request *
request_new(struct http_client *c, struct event *ev, enum med_sending how,
    const struct backend_key *key, struct message *m)
{
	struct request *r = xcalloc(1, sizeof(*r));

	r->client = c;
	r->session = ev->session;
	r->event = ev;
	r->how = how;
	if (endpoint_policy(key->endpoint)->action != EP_NEVER)
		r->timeout_ms = endpoint_timeout_ms(key->endpoint, m);
	r->set = med_set_get(key->set);
	r->endpoint = key->endpoint;
	r->easy = curl_easy_init();
	must(r->easy != NULL);
	list_add_tail(&c->requests, &r->link);
	list_add_tail(&r->session->requests, &r->of_session);
	return r;
}

enum med_host_result
http_client_send(struct http_client *c, struct event *ev,
    enum med_sending how, const struct backend_key *key, struct message *m,
    struct fault *fault)
{
	struct msg_output out;
	struct request *r;
	struct err err;

	if (message_format(m, &out, &err) < 0) {
		fault_set(fault, FAULT_CALL, "%s", err.text);
		return MED_HOST_FAULT;
	}
	r = request_new(c, ev, how, key, m);
	if (!out.none)
		buf_add_str(&r->sent, out.bytes);
	add_headers(r, m, out.type);
	set_method(r, m);
	set_options(r, arena_str(message_arena(m), key->uri).p);
	if (curl_multi_add_handle(c->multi, r->easy) != CURLM_OK) {
		request_free(r);
		fault_set(fault, FAULT_CALL, "libcurl refuses the request");
		return MED_HOST_FAULT;
	}
	return MED_HOST_WAIT;
}

#else /* !HAVE_CURL: endpoints with http addresses do not load */

struct http_client *
http_client_new(struct worker *w, struct err *err UNUSED)
{
	return (struct http_client *)(void *)w;
}

void
http_client_free(struct http_client **c)
{
	*c = NULL;
}

void
http_client_cancel(struct http_client *c UNUSED, struct session *s UNUSED)
{
}

enum med_host_result
http_client_send(struct http_client *c UNUSED, struct event *ev UNUSED,
    enum med_sending how UNUSED, const struct backend_key *key UNUSED,
    struct message *m UNUSED, struct fault *fault)
{
	fault_set(fault, FAULT_CALL, "built without libcurl");
	return MED_HOST_FAULT;
}

#endif
