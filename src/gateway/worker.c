/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "config/config.h"
#include "gateway/artifacts.h"
#include "gateway/backend_http.h"
#include "gateway/bus.h"
#include "gateway/gateway.h"
#include "ipc/board.h"
#include "ipc/heritage.h"
#include "mediation/inbound.h"
#include "msg/xml.h"
#include "net/resolve.h"
#include "net/sock.h"

enum { ACCEPTS_A_TURN = 64, LIST_CHUNK = 32768 };

bool
worker_once(struct worker *w, struct str what)
{
	return hmap_set(&w->warned, what, w) == NULL;
}

/* ---- listeners --------------------------------------------------------- */

static void
on_unpaused(void *ctx)
{
	struct listener *l = ctx;

	loop_fd_want(l->worker->loop, &l->fd, LOOP_READ);
}

/* Above the limit a client is told so by a 503; but those that are being told
 * cost something too. */
static bool
is_flooded(const struct worker *w)
{
	int64_t most = w->config->limits_connections;

	return w->session_count >= most + most / 10 + 64;
}

static void
on_acceptable(void *ctx, unsigned ready UNUSED)
{
	static struct log_rate rate, flood;
	struct listener *l = ctx;
	struct worker *w = l->worker;
	char text[SOCK_TEXT_MAX];

	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sock_addr peer;
		struct err err;
		int fd = sock_accept(l->fd.fd, &peer, &err);

		if (fd >= 0 && is_flooded(w)) {
			log_limited(&flood, LOG_L_WARN, "more connections "
			    "than limits.connections allows and time to tell "
			    "them, closing");
			close(fd);
			continue;
		}
		if (fd >= 0) {
			session_new(l, fd, sock_addr_text(&peer, text));
			continue;
		}
		if (err.kind == ERR_LIMIT) {
			/* Out of descriptors: the queue waits, we do not
			 * spin. */
			log_limited(&rate, LOG_L_ERROR, "%s; accepting again "
			    "in 200 ms", err.text);
			loop_fd_want(w->loop, &l->fd, 0);
			loop_timer_set(w->loop, &l->pause, 200, on_unpaused, l);
		}
		if (err.kind != ERR_IO)
			return;
	}
}

struct listener *
listener_new(struct worker *w, int fd, uint16_t port, const char *name)
{
	struct listener *l = xcalloc(1, sizeof(*l));
	struct err err;

	l->worker = w;
	l->port = port;
	l->name = name ? xstrdup(name) : NULL;
	list_add_tail(&w->listeners, &l->link);
	if (loop_fd_add(w->loop, &l->fd, fd, LOOP_READ, on_acceptable, l,
	    &err) < 0)
		log_error("port %u: %s", (unsigned)port, err.text);
	return l;
}

static void
destroy_listener(void *p)
{
	struct listener *l = p;

	free(l->name);
	free(l);
}

void
listener_free(struct listener *l)
{
	struct worker *w = l->worker;

	/* Who has not sent its head yet has no inbound but this door. */
	list_each(&w->sessions, s, struct session, link)
		if (s->phase == SESSION_HEAD && s->port == l->port)
			session_drain(s);
	loop_timer_stop(w->loop, &l->pause);
	loop_fd_del(w->loop, &l->fd);
	close(l->fd.fd);
	list_del(&l->link);
	loop_defer_free(w->loop, l, destroy_listener);
}

static void
close_all_listeners(struct worker *w)
{
	list_each(&w->listeners, l, struct listener, link)
		listener_free(l);
}

/* ---- ending ------------------------------------------------------------ */

static void
stop(struct worker *w)
{
	w->phase = WORKER_STOPPED;
	loop_stop(w->loop);
}

void
worker_session_gone(struct worker *w)
{
	if (w->phase == WORKER_DRAINING && w->session_count == 0)
		stop(w);
}

static void
on_drained(void *ctx)
{
	struct worker *w = ctx;

	log_info("%u connections are still open after the drain time, closing",
	    w->session_count);
	stop(w);
}

static void
drain(struct worker *w)
{
	if (w->phase != WORKER_RUNNING)
		return;
	w->phase = WORKER_DRAINING;
	close_all_listeners(w);
	loop_timer_set(w->loop, &w->drain_timer, w->config->process_drain_time,
	    on_drained, w);
	list_each(&w->sessions, s, struct session, link)
		session_drain(s);
	if (w->session_count == 0)
		stop(w);
}

/* ---- the master -------------------------------------------------------- */

static void
want_chan(struct worker *w)
{
	loop_fd_want(w->loop, &w->chan_fd, LOOP_READ |
	    (chan_wants_write(w->chan) ? LOOP_WRITE : 0));
}

void
worker_tell(struct worker *w, enum chan_type type, int64_t number,
    struct str text)
{
	const struct chan_msg msg = {
		.type = type, .number = number, .text = text,
	};
	struct err err;

	if (chan_send(w->chan, &msg, &err) < 0)
		log_error("to the master: %s", err.text);
	want_chan(w);
}

static void
list_connections(struct worker *w, int64_t query)
{
	struct buf text = { 0 };

	list_each(&w->sessions, s, struct session, link) {
		session_describe(s, &text);
		buf_putc(&text, '\n');
		if (buf_len(&text) > LIST_CHUNK) {
			worker_tell(w, CHAN_LISTED, query,
			    str_head(buf_str(&text), CHAN_TEXT_MAX));
			buf_clear(&text);
		}
	}
	if (buf_len(&text))
		worker_tell(w, CHAN_LISTED, query, buf_str(&text));
	worker_tell(w, CHAN_LISTED, query, STR(""));
	buf_fini(&text);
}

static void
reopen_logs(struct worker *w)
{
	struct err err;

	if (log_reopen(&err) < 0)
		log_error("%s", err.text);
	if (access_reopen(w->access, &err) < 0)
		log_error("%s", err.text);
}

static void
on_master(struct worker *w, const struct chan_msg *msg)
{
	if (msg->type == CHAN_PREPARE)
		worker_prepare(w, msg);
	else if (msg->type == CHAN_COMMIT)
		worker_commit(w, msg);
	else if (msg->type == CHAN_ROLLBACK)
		worker_rollback(w);
	else if (msg->type == CHAN_REOPEN)
		reopen_logs(w);
	else if (msg->type == CHAN_QUIT)
		drain(w);
	else if (msg->type == CHAN_STOP)
		stop(w);
	else if (msg->type == CHAN_LIST)
		list_connections(w, msg->number);
	else
		log_error("unknown message %d from the master",
		    (int)msg->type);
}

static void
on_chan(void *ctx, unsigned ready)
{
	struct worker *w = ctx;
	struct chan_msg msg;
	struct err err;

	if ((ready & LOOP_WRITE) && chan_flush(w->chan, &err) < 0)
		log_error("to the master: %s", err.text);
	for (;;) {
		switch (chan_recv(w->chan, &msg, &err)) {
		case CHAN_GOT:
			on_master(w, &msg);
			continue;
		case CHAN_EMPTY:
			want_chan(w);
			return;
		case CHAN_GONE:
			log_error("the master is gone, ending");
			w->exit_status = 1;
			stop(w);
			return;
		case CHAN_BROKEN:
			log_error("from the master: %s", err.text);
			w->exit_status = 1;
			stop(w);
			return;
		}
	}
}

/* ---- life -------------------------------------------------------------- */

/* A terminal's Ctrl-C reaches the whole process group; what is to be done then
 * is the master's word. */
static void
set_signals(void)
{
	static const int ignored[] = { SIGINT, SIGHUP, SIGQUIT, SIGUSR1,
		SIGUSR2, SIGPIPE };

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGTERM, SIG_DFL);
}

static int
load(struct worker *w, int snapshot_fd)
{
	struct diag *diag = xmalloc(sizeof(*diag));

	diag_init(diag);
	w->set = artifacts_load_snapshot(w->config, snapshot_fd, diag);
	close(snapshot_fd);
	for (int i = 0; !w->set && i < diag->count; i++)
		log_error("%s:%d: %s", diag->item[i].file, diag->item[i].line,
		    diag->item[i].text);
	free(diag);
	return w->set ? 0 : -1;
}

void
worker_limits(const struct config *c, struct med_limits *out)
{
	*out = (struct med_limits){
		.steps = (unsigned)c->limits_steps,
		.depth = (unsigned)c->limits_depth,
		.memory = (size_t)c->limits_memory,
		.groups = (unsigned)c->limits_groups,
		.group_memory = (size_t)c->limits_group_memory,
		.group_time = c->limits_group_time,
	};
}

/* ---- the engine's clock ------------------------------------------------ */

static int64_t
group_now(void *ctx)
{
	const struct worker *w = ctx;

	return loop_now(w->loop);
}

static void
on_group_time(void *ctx)
{
	struct worker *w = ctx;

	med_engine_wake(w->engine);
}

static void
group_wake(void *ctx, int64_t at_ms)
{
	struct worker *w = ctx;
	int64_t after = at_ms - loop_now(w->loop);

	loop_timer_set(w->loop, &w->group_timer, after > 0 ? after : 0,
	    on_group_time, w);
}

static void
group_again(void *ctx UNUSED, void *home, struct med_group *group)
{
	struct lane *lane = home;
	struct session *s = lane->session;

	lane_again(lane, group);
	session_settle(s);
}

static int
init(struct worker *w, const struct heritage *h, struct err *err)
{
	const struct config *c = h->config;
	struct med_limits limits;

	w->config = c;
	w->board = &h->board->slot[h->index];
	w->shared = h->board;
	w->generation = h->generation;
	list_init(&w->listeners);
	list_init(&w->sessions);
	w->chan = chan_new(h->chan_fd);
	w->loop = loop_new(c->process_poller, err);
	if (!w->loop)
		return -1;
	w->resolver = resolver_new(w->loop, err);
	if (!w->resolver)
		return -1;
	worker_limits(c, &limits);
	w->engine = med_engine_new(&limits);
	w->clock = (struct med_clock){ .now = group_now, .wake = group_wake,
	    .again = group_again, .ctx = w };
	med_engine_set_clock(w->engine, &w->clock);
	w->pool = msg_pool_new(64, &(struct msg_limits){
		.max_bytes = (size_t)c->limits_message_size * 16 });
	w->http = http_client_new(w, err);
	if (!w->http)
		return -1;
	if (bus_new(w, h->ring, h->index, &w->bus, err) < 0)
		return -1;
	if (access_open(c, &w->access, err) < 0)
		return -1;
	return loop_fd_add(w->loop, &w->chan_fd, chan_fd(w->chan), LOOP_READ,
	    on_chan, w, err);
}

/* Nobody is waited for, but who can take a Close at once gets it. */
static void
say_goodbye(struct worker *w)
{
	struct err err;

	list_each(&w->sessions, s, struct session, link)
		session_close_shutdown(s);
	if (loop_turn(w->loop, 0, &err) < 0)
		log_error("%s", err.text);
}

/* Ends what lives in the loop. */
static void
leave(struct worker *w)
{
	struct err err;

	close_all_listeners(w);
	say_goodbye(w);
	list_each(&w->sessions, s, struct session, link)
		session_kill(s);
	bus_free(&w->bus);
	http_client_free(&w->http);
	resolver_free(&w->resolver);
	loop_timer_stop(w->loop, &w->drain_timer);
	loop_timer_stop(w->loop, &w->group_timer);
	loop_fd_del(w->loop, &w->chan_fd);
	/* The deferred frees. */
	if (loop_turn(w->loop, 0, &err) < 0)
		log_error("%s", err.text);
}

static void
fini(struct worker *w)
{
	if (w->loop)
		leave(w);
	worker_rollback(w);
	med_set_put(&w->set);
	med_engine_free(&w->engine);
	msg_pool_free(&w->pool);
	access_close(&w->access);
	config_free(&w->own_config);
	endpoint_forget(&w->endpoints);
	hmap_fini(&w->groups);
	hmap_fini(&w->warned);
	loop_free(&w->loop);
	chan_free(&w->chan);
}

static void
serve(struct worker *w, const struct heritage *h)
{
	struct err err;

	board_set(w->board, pid, getpid());
	board_set(w->board, started_us, clock_wall_us());
	board_set(w->board, generation, w->generation);
	for (size_t i = 0; i < h->listener_count; i++)
		listener_new(w, h->listener[i].fd, h->listener[i].port,
		    h->listener[i].name);
	worker_tell(w, CHAN_STARTED, w->generation, STR(""));
	if (loop_run(w->loop, &err) < 0) {
		log_error("%s", err.text);
		w->exit_status = 1;
	}
}

int
worker_main(const struct heritage *h)
{
	struct worker *w = xcalloc(1, sizeof(*w));
	struct err err;
	int status;

	set_signals();
	xml_global_init();
	if (init(w, h, &err) < 0) {
		log_error("cannot start: %s", err.text);
		w->exit_status = 1;
	} else if (load(w, h->snapshot_fd) < 0) {
		w->exit_status = EX_CONFIG;
	} else {
		serve(w, h);
	}
	fini(w);
	status = w->exit_status;
	free(w);
	xml_global_fini();
	return status;
}
