/* SPDX-License-Identifier: Apache-2.0 */
#include "master/master.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "ipc/board.h"
#include "ipc/ring.h"
#include "master/ctl.h"
#include "master/outside.h"
#include "master/state.h"

enum { STOP_TIME_MS = 5000, QUIT_EXTRA_MS = 5000 };

/* --- speaking ------------------------------------------------------------------ */

void
master_complain_text(const struct master *m, struct str text)
{
	struct str rest = text, line;

	if (!m->ready)
		fprintf(stderr, "%.*s", STR_FMT(text));
	if (!m->ready && (!m->config ||
	    strcmp(m->config->log_error_target, "stderr") == 0))
		return;
	while (rest.n && str_next(&rest, '\n', &line))
		if (!str_blank(line))
			log_line(LOG_L_ERROR, STR(""), line);
}

void
master_complain(const struct master *m, const struct err *err)
{
	struct buf b = { 0 };

	buf_printf(&b, "wsgw: %s\n", err->text);
	master_complain_text(m, buf_str(&b));
	buf_fini(&b);
}

int
master_status_of(const struct err *err)
{
	switch (err->kind) {
	case ERR_INUSE:
		return EX_UNAVAILABLE;
	case ERR_DENIED:
		return EX_NOPERM;
	case ERR_NOTFOUND:
	case ERR_VALUE:
	case ERR_SYNTAX:
		return EX_CONFIG;
	case ERR_NONE:
	case ERR_IO:
	case ERR_LIMIT:
	case ERR_PROTOCOL:
	case ERR_TIMEOUT:
	case ERR_CLOSED:
	case ERR_UNSUPPORTED:
	case ERR_STATE:
		return EXIT_FAILURE;
	}
	unreachable();
}

int
master_open_log(const struct master *m, const struct config *c,
    struct err *err)
{
	enum log_level level = LOG_L_INFO;
	enum log_format format = strcmp(c->log_error_format, "json") == 0 ?
	    LOG_F_JSON : LOG_F_TEXT;

	must(log_level_parse(str_of(c->log_error_level), &level));
	privs_make_log(&m->privs, c->log_error_target);
	privs_make_log(&m->privs, c->log_access_target);
	return log_open(c->log_error_target, level, format, err);
}

void
master_drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* --- settings ------------------------------------------------------------------- */

/* A daemon has no standard error: what would go there goes to syslog. */
struct config *
master_load_config(const struct master *m, struct diag *diag)
{
	struct config *c = config_load(m->p.config_file, m->p.settings, diag);
	struct buf more = { 0 };

	if (!c || !m->p.daemonise || strcmp(c->log_error_target, "stderr") != 0)
		return c;
	config_free(&c);
	buf_printf(&more, "%s;log.error.target=\"syslog\"",
	    m->p.settings ? m->p.settings : "");
	c = config_load(m->p.config_file, buf_cstr(&more), diag);
	buf_fini(&more);
	return c;
}

static unsigned
worker_count(const struct config *c)
{
	long n = c->process_workers;

	if (n == 0)
		n = sysconf(_SC_NPROCESSORS_ONLN);
	if (n < 1)
		n = 1;
	return n > BOARD_SLOTS ? BOARD_SLOTS : (unsigned)n;
}

static void
print_ports(const struct plan *plan, FILE *f)
{
	for (size_t i = 0; i < plan->count; i++)
		fprintf(f, "%s %u\n", plan->item[i].name, plan->item[i].port);
}

/* By way of another name, so that nobody reads half of it. */
void
master_write_ports(const struct master *m)
{
	struct buf tmp = { 0 };
	struct err err;
	FILE *f;

	if (!m->p.ports_file)
		return;
	buf_printf(&tmp, "%s.new", m->p.ports_file);
	f = fopen(buf_cstr(&tmp), "we");
	if (f) {
		bool bad;

		print_ports(m->plan, f);
		bad = ferror(f) != 0;
		if (fclose(f) == 0 && !bad &&
		    rename(buf_cstr(&tmp), m->p.ports_file) == 0) {
			buf_fini(&tmp);
			return;
		}
	}
	err_sys(&err, "cannot write %s", m->p.ports_file);
	master_complain(m, &err);
	buf_fini(&tmp);
}

/* --- edges ---------------------------------------------------------------------- */

static void
tell_ready(struct master *m)
{
	m->ready = true;
	m->state = MASTER_RUNNING;
	if (!m->p.quiet)
		log_info("wsgw %s is ready: %u workers, %zu inbound endpoints",
		    m->p.version, m->worker_count, m->plan->count);
	if (m->p.ready_fd >= 0) {
		if (write(m->p.ready_fd, "\n", 1) < 0)
			log_warn("ready descriptor %d: %s", m->p.ready_fd,
			    strerror(errno));
		close(m->p.ready_fd);
		m->p.ready_fd = -1;
	}
	if (m->daemon_fd >= 0) {
		daemon_detach();
		daemon_ready(m->daemon_fd);
		m->daemon_fd = -1;
	}
	notify_ready();
}

void
master_on_started(struct master *m)
{
	if (m->state != MASTER_STARTING)
		return;
	for (unsigned i = 0; i < m->worker_count; i++)
		if (!m->worker[i].started)
			return;
	tell_ready(m);
}

static void
leave(struct master *m, enum master_state state, int64_t within_ms,
    enum chan_type type)
{
	const struct chan_msg msg = { .type = type };

	m->state = state;
	m->deadline_ms = clock_ms() + within_ms;
	notify_stopping();
	reload_abort(m);
	if (m->check.pid)
		kill(m->check.pid, SIGKILL);
	listen_close_all(m);
	workers_send(m, &msg);
}

void
master_quit(struct master *m)
{
	if (m->state == MASTER_QUITTING || m->state == MASTER_STOPPING)
		return;
	log_info("stopping gracefully");
	leave(m, MASTER_QUITTING, m->config->process_drain_time +
	    QUIT_EXTRA_MS, CHAN_QUIT);
}

void
master_stop(struct master *m, int exit_status)
{
	if (m->state == MASTER_STOPPING) {
		workers_kill(m, SIGKILL);
		return;
	}
	if (m->ready)
		log_info("stopping");
	m->exit_status = exit_status;
	leave(m, MASTER_STOPPING, STOP_TIME_MS, CHAN_STOP);
}

void
master_reopen(struct master *m)
{
	const struct chan_msg msg = { .type = CHAN_REOPEN };
	struct err err;

	privs_make_log(&m->privs, m->config->log_error_target);
	privs_make_log(&m->privs, m->config->log_access_target);
	if (log_reopen(&err) < 0)
		log_error("%s", err.text);
	workers_send(m, &msg);
	log_info("log files opened again");
}

/* --- the loop -------------------------------------------------------------------- */

static void
on_signal(struct master *m, int signo)
{
	switch (signo) {
	case SIGHUP:
		reload_request(m);
		break;
	case SIGUSR1:
		master_reopen(m);
		break;
	case SIGQUIT:
		master_quit(m);
		break;
	case SIGTERM:
	case SIGINT:
		master_stop(m, EXIT_SUCCESS);
		break;
	case SIGCHLD:
		spawn_reap(m);
		break;
	default:
		break;
	}
}

static void
read_signals(struct master *m)
{
	struct signalfd_siginfo si;

	while (read(m->signal_fd, &si, sizeof(si)) == sizeof(si))
		on_signal(m, (int)si.ssi_signo);
}

enum { POLL_SIGNAL, POLL_CTL, POLL_CHECK, POLL_WORKERS };

static struct pollfd
poll_chan(const struct chan *c)
{
	if (!c)
		return (struct pollfd){ .fd = -1 };
	return (struct pollfd){ .fd = chan_fd(c),
		.events = chan_wants_write(c) ? POLLIN | POLLOUT : POLLIN };
}

/* What to wait for; a descriptor of -1 is passed over by the kernel. */
static size_t
fill_pollfds(struct master *m)
{
	size_t n = POLL_WORKERS + m->worker_count + m->client_count;
	struct pollfd *p;

	if (n > m->poll_cap) {
		m->pollfds = xrealloc(m->pollfds, n * sizeof(*p));
		m->poll_cap = n;
	}
	p = m->pollfds;
	p[POLL_SIGNAL] = (struct pollfd){ m->signal_fd, POLLIN, 0 };
	p[POLL_CTL] = (struct pollfd){ m->ctl_fd, POLLIN, 0 };
	p[POLL_CHECK] = poll_chan(m->check.chan);
	n = POLL_WORKERS;
	for (unsigned i = 0; i < m->worker_count; i++)
		p[n++] = poll_chan(m->worker[i].chan);
	list_each(&m->clients, c, struct ctl_client, link)
		p[n++] = (struct pollfd){ c->fd, ctl_events(c), 0 };
	return n;
}

/* Workers are not started while others prepare a generation that this one
 * would not know of. */
static bool
may_spawn(const struct master *m)
{
	return (m->state == MASTER_STARTING || m->state == MASTER_RUNNING) &&
	    m->generation && m->reload.phase != RELOAD_PREPARING;
}

static int64_t
next_deadline(const struct master *m)
{
	int64_t at = ctl_next_ms(m);
	bool leaving = m->state == MASTER_QUITTING ||
	    m->state == MASTER_STOPPING;

	if (leaving && m->deadline_ms < at)
		at = m->deadline_ms;
	if (m->reload.phase != RELOAD_IDLE && m->reload.deadline_ms < at)
		at = m->reload.deadline_ms;
	for (unsigned i = 0; i < m->worker_count; i++) {
		const struct worker *w = &m->worker[i];

		if (w->pid && w->kill_at_ms && w->kill_at_ms < at)
			at = w->kill_at_ms;
		if (!w->pid && may_spawn(m) && w->start_at_ms < at)
			at = w->start_at_ms;
	}
	return at;
}

static int
poll_timeout(const struct master *m)
{
	int64_t at = next_deadline(m), now = clock_ms();

	if (at == INT64_MAX)
		return -1;
	if (at <= now)
		return 0;
	return at - now > INT_MAX ? INT_MAX : (int)(at - now);
}

static void
dispatch(struct master *m, size_t n)
{
	const struct pollfd *p = m->pollfds;
	size_t at = POLL_WORKERS;

	for (unsigned i = 0; i < m->worker_count; i++, at++) {
		if (p[at].revents & POLLOUT)
			worker_flush(&m->worker[i]);
		if (p[at].revents & (POLLIN | POLLHUP | POLLERR))
			worker_read(m, &m->worker[i]);
	}
	if (p[POLL_CHECK].revents)
		check_read(m);
	list_each(&m->clients, c, struct ctl_client, link)
		if (at < n && p[at++].revents)
			ctl_on_ready(m, c, p[at - 1].revents);
	if (p[POLL_CTL].revents && m->ctl_fd >= 0)
		ctl_accept(m);
	if (p[POLL_SIGNAL].revents)
		read_signals(m);
}

static void
on_time(struct master *m)
{
	bool leaving = m->state == MASTER_QUITTING ||
	    m->state == MASTER_STOPPING;

	reload_on_time(m);
	ctl_on_time(m);
	workers_kill_due(m);
	if (leaving && clock_ms() >= m->deadline_ms) {
		m->deadline_ms = clock_ms() + STOP_TIME_MS;
		master_stop(m, m->exit_status);
	}
}

static void
turn(struct master *m)
{
	size_t n;
	int ready;

	if (may_spawn(m))
		spawn_due_workers(m);
	n = fill_pollfds(m);
	ready = poll(m->pollfds, n, poll_timeout(m));
	if (ready < 0) {
		must(errno == EINTR || errno == ENOMEM);
		return;
	}
	if (ready > 0)
		dispatch(m, n);
	on_time(m);
	ctl_sweep(m);
}

static void
run(struct master *m)
{
	for (;;) {
		if ((m->state == MASTER_QUITTING ||
		    m->state == MASTER_STOPPING) && !workers_any(m) &&
		    !m->check.pid)
			break;
		turn(m);
	}
	m->state = MASTER_DONE;
	if (m->ready)
		log_info("stopped");
}

/* --- start and end ---------------------------------------------------------------- */

static int
open_signals(struct master *m, struct err *err)
{
	static const int signos[] = { SIGHUP, SIGUSR1, SIGQUIT, SIGTERM,
		SIGINT, SIGCHLD };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_LEN(signos); i++)
		sigaddset(&set, signos[i]);
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_SETMASK, &set, NULL) < 0)
		return err_sys(err, "cannot block signals");
	m->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return m->signal_fd < 0 ? err_sys(err, "cannot read signals") : 0;
}

static void
make_workers(struct master *m)
{
	m->worker_count = worker_count(m->config);
	m->worker = xcalloc(m->worker_count, sizeof(*m->worker));
	for (unsigned i = 0; i < m->worker_count; i++)
		m->worker[i].index = i;
}

/* All that can go wrong before the first child. */
/* What one worker has to say to the others goes through it. */
static int
make_ring(struct master *m, struct err *err)
{
	size_t bytes = (size_t)m->config->broadcast_ring_size;
	size_t lane = (size_t)m->config->broadcast_max_message * 4;

	if (m->worker_count < 2)
		return 0;
	if (bytes < lane * m->worker_count)
		bytes = lane * m->worker_count;
	m->ring = ring_new(m->worker_count, bytes, err);
	return m->ring ? 0 : -1;
}

static int
prepare(struct master *m, struct err *err)
{
	if (privs_find(m->config, &m->privs, err) < 0)
		return -1;
	if (m->p.daemonise && daemon_start(&m->daemon_fd, err) < 0)
		return -1;
	privs_make_folder(m->config->process_pid_file);
	if (pidfile_open(&m->pidfile, m->config->process_pid_file, err) < 0 ||
	    master_open_log(m, m->config, err) < 0)
		return -1;
	log_process("master");
	title_set("master");
	privs_set_open_files(m->config->process_open_files);
	make_workers(m);
	m->board = board_new(err);
	if (!m->board || make_ring(m, err) < 0 || open_signals(m, err) < 0)
		return -1;
	return ctl_open(m, err);
}

/* The title is written over the arguments, so these are copied first; names
 * stay good wherever the process goes. */
static void
copy_params(struct master *m, const struct master_params *p)
{
	char *file = realpath(p->config_file, NULL);

	m->p = *p;
	m->p.config_file = file ? file : xstrdup(p->config_file);
	m->p.settings = p->settings ? xstrdup(p->settings) : NULL;
	m->p.ports_file = p->ports_file ? xstrdup(p->ports_file) : NULL;
}

static int
first_config(struct master *m)
{
	struct diag *diag = xmalloc(sizeof(*diag));

	diag_init(diag);
	m->config = master_load_config(m, diag);
	diag_print(diag, stderr);
	free(diag);
	return m->config ? 0 : -1;
}

static void
fini(struct master *m)
{
	ctl_close(m);
	listen_close_all(m);
	pidfile_close(&m->pidfile);
	if (m->signal_fd >= 0)
		close(m->signal_fd);
	board_free(&m->board);
	ring_free(&m->ring);
	plan_free(&m->plan);
	master_drop_fd(&m->snapshot_fd);
	config_free(&m->config);
	buf_fini(&m->last.text);
	log_close();
	free(m->worker);
	free(m->pollfds);
	free(UNCONST(m->p.config_file));
	free(UNCONST(m->p.settings));
	free(UNCONST(m->p.ports_file));
}

int
master_run(const struct master_params *p)
{
	struct master m = { .signal_fd = -1, .ctl_fd = -1, .daemon_fd = -1,
		.pidfile = { .fd = -1 }, .snapshot_fd = -1,
		.check.snapshot_fd = -1, .reload.snapshot_fd = -1,
		.started_ms = clock_ms() };
	struct err err;

	list_init(&m.listeners);
	list_init(&m.clients);
	copy_params(&m, p);
	if (first_config(&m) < 0) {
		m.exit_status = EX_CONFIG;
	} else if (prepare(&m, &err) < 0) {
		master_complain(&m, &err);
		m.exit_status = master_status_of(&err);
	} else {
		reload_first(&m);
		run(&m);
	}
	fini(&m);
	return m.exit_status;
}
