/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "ipc/board.h"
#include "ipc/heritage.h"
#include "master/ctl.h"
#include "master/outside.h"
#include "master/state.h"

enum {
	BACKOFF_FIRST_MS = 100, BACKOFF_MAX_MS = 10000,
	LONG_LIFE_MS = 10000,		/* makes earlier deaths forgiven */
	EARLY_DEATHS_MAX = 5,
	DEATHS_SPAN_MS = 60000,
	LOST_CHANNEL_MS = 5000,
};

/* --- in the child ----------------------------------------------------------- */

static void
close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

/* What a child must not hold: it would keep connections open that the master
 * closes, or let it speak in another one's name. */
static void
close_masters(struct master *m, const struct worker *self)
{
	close_fd(m->signal_fd);
	close_fd(m->ctl_fd);
	close_fd(m->daemon_fd);
	close_fd(m->p.ready_fd);
	list_each(&m->clients, c, struct ctl_client, link)
		close_fd(c->fd);
	pidfile_leave(&m->pidfile);
	chan_free(&m->check.chan);
	close_fd(m->check.snapshot_fd);
	close_fd(m->reload.snapshot_fd);
	if (!self)
		close_fd(m->snapshot_fd);
	for (unsigned i = 0; i < m->worker_count; i++) {
		chan_free(&m->worker[i].chan);
		list_each(&m->listeners, l, struct listener, link)
			if (&m->worker[i] != self)
				close_fd(l->fd[i]);
	}
}

static void
reset_signals(void)
{
	static const int ignored[] = { SIGPIPE, SIGHUP, SIGINT, SIGQUIT,
		SIGUSR1 };
	sigset_t none;

	for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
		signal(ignored[i], SIG_IGN);
	signal(SIGTERM, SIG_DFL);
	signal(SIGCHLD, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void
run_child(struct master *m, const struct role *role, const char *title,
    const struct heritage *h) NORETURN;

static void
run_child(struct master *m, const struct role *role, const char *title,
    const struct heritage *h)
{
	struct err err;

	reset_signals();
	if (m->p.daemonise)
		daemon_detach();
	title_set(title);
	log_process(title);
	if (privs_drop(&m->privs, &err) < 0) {
		log_error("%s", err.text);
		_exit(EX_NOPERM);
	}
	exit(role->main(h));
}

static void
become_worker(struct master *m, struct worker *w, int chan_fd) NORETURN;

static void
become_worker(struct master *m, struct worker *w, int chan_fd)
{
	struct heritage h = { .config_file = m->p.config_file,
		.config = m->config, .board = m->board, .ring = m->ring,
		.index = w->index,
		.generation = m->generation, .chan_fd = chan_fd,
		.snapshot_fd = m->snapshot_fd };
	char title[32];
	size_t n = 0;

	list_each(&m->listeners, l, struct listener, link)
		n += !l->fresh;
	h.listener = xcalloc(n, sizeof(*h.listener));
	list_each(&m->listeners, l, struct listener, link) {
		if (l->fresh)
			close_fd(l->fd[w->index]);
		else
			h.listener[h.listener_count++] =
			    (struct heritage_listener){ .port = l->port,
			    .name = l->name, .fd = l->fd[w->index] };
	}
	close_masters(m, w);
	snprintf(title, sizeof(title), "worker %u", w->index + 1);
	run_child(m, &m->p.worker, title, &h);
}

static void
become_check(struct master *m, const struct config *c, int64_t generation,
    int chan_fd) NORETURN;

static void
become_check(struct master *m, const struct config *c, int64_t generation,
    int chan_fd)
{
	const struct heritage h = { .config_file = m->p.config_file,
		.config = c, .board = m->board, .generation = generation,
		.chan_fd = chan_fd, .snapshot_fd = -1 };

	close_masters(m, NULL);
	run_child(m, &m->p.check, "check", &h);
}

/* --- starting ----------------------------------------------------------------- */

static pid_t
fork_with_channel(int pair_out[2], struct err *err)
{
	pid_t pid;

	if (chan_pair(pair_out, err) < 0)
		return -1;
	pid = fork();
	if (pid < 0) {
		err_sys(err, "cannot fork");
		close(pair_out[0]);
		close(pair_out[1]);
	} else if (pid > 0) {
		close(pair_out[1]);
	} else {
		close(pair_out[0]);
	}
	return pid;
}

static void
back_off(struct worker *w, int64_t now)
{
	w->start_at_ms = now + w->backoff_ms;
	if (w->backoff_ms == 0)
		w->backoff_ms = BACKOFF_FIRST_MS;
	else if (w->backoff_ms < BACKOFF_MAX_MS / 2)
		w->backoff_ms *= 2;
	else
		w->backoff_ms = BACKOFF_MAX_MS;
}

static void
start_worker(struct master *m, struct worker *w)
{
	struct err err;
	int pair[2];
	pid_t pid = fork_with_channel(pair, &err);

	if (pid == 0)
		become_worker(m, w, pair[1]);
	w->born_ms = clock_ms();
	if (pid < 0) {
		log_error("worker %u: %s", w->index + 1, err.text);
		back_off(w, w->born_ms);
		return;
	}
	w->pid = pid;
	w->chan = chan_new(pair[0]);
	w->started = false;
	w->kill_at_ms = 0;
	log_debug("worker %u is pid %ld", w->index + 1, (long)pid);
}

void
spawn_due_workers(struct master *m)
{
	int64_t now = clock_ms();

	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].pid == 0 && m->worker[i].start_at_ms <= now)
			start_worker(m, &m->worker[i]);
}

int
spawn_check(struct master *m, const struct config *c, int64_t generation,
    struct err *err)
{
	int pair[2];
	pid_t pid = fork_with_channel(pair, err);

	if (pid < 0)
		return -1;
	if (pid == 0)
		become_check(m, c, generation, pair[1]);
	m->check = (struct check){ .pid = pid, .chan = chan_new(pair[0]),
		.snapshot_fd = -1 };
	return 0;
}

/* --- channels ------------------------------------------------------------------ */

void
worker_lost_channel(struct worker *w)
{
	chan_free(&w->chan);
	w->kill_at_ms = clock_ms() + LOST_CHANNEL_MS;
}

void
worker_send(struct worker *w, const struct chan_msg *msg)
{
	struct err err;

	if (w->chan && chan_send(w->chan, msg, &err) < 0) {
		if (err.kind != ERR_CLOSED)
			log_error("worker %u: %s", w->index + 1, err.text);
		worker_lost_channel(w);
	}
}

void
worker_flush(struct worker *w)
{
	struct err err;

	if (w->chan && chan_wants_write(w->chan) &&
	    chan_flush(w->chan, &err) < 0)
		worker_lost_channel(w);
}

void
workers_send(struct master *m, const struct chan_msg *msg)
{
	for (unsigned i = 0; i < m->worker_count; i++)
		worker_send(&m->worker[i], msg);
}

bool
workers_any(const struct master *m)
{
	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].pid)
			return true;
	return false;
}

void
workers_kill(struct master *m, int signo)
{
	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].pid)
			kill(m->worker[i].pid, signo);
}

void
workers_kill_due(struct master *m)
{
	int64_t now = clock_ms();

	for (unsigned i = 0; i < m->worker_count; i++) {
		struct worker *w = &m->worker[i];

		if (!w->pid || !w->kill_at_ms || now < w->kill_at_ms)
			continue;
		log_error("worker %u does not answer: killing pid %ld",
		    w->index + 1, (long)w->pid);
		kill(w->pid, SIGKILL);
		w->kill_at_ms = 0;
	}
}

/* Who wants to keep one of them has a copy. */
static void
close_given(const struct chan_msg *msg)
{
	for (size_t i = 0; i < msg->fd_count; i++)
		close(msg->fds[i]);
}

void
check_read(struct master *m)
{
	struct chan_msg msg;
	struct err err;

	while (m->check.chan)
		switch (chan_recv(m->check.chan, &msg, &err)) {
		case CHAN_GOT:
			reload_on_check_message(m, &msg);
			close_given(&msg);
			continue;
		case CHAN_EMPTY:
			return;
		case CHAN_BROKEN:
			kill(m->check.pid, SIGKILL);
			log_error("check: %s", err.text);
			chan_free(&m->check.chan);
			return;
		case CHAN_GONE:
			chan_free(&m->check.chan);
			return;
		}
}

static void
on_worker_message(struct master *m, struct worker *w,
    const struct chan_msg *msg)
{
	if (msg->type == CHAN_STARTED) {
		w->started = true;
		master_on_started(m);
	} else if (msg->type == CHAN_LISTED) {
		ctl_on_listed(m, w, msg);
	} else {
		reload_on_worker_message(m, w, msg);
	}
}

void
worker_read(struct master *m, struct worker *w)
{
	struct chan_msg msg;
	struct err err;

	while (w->chan)
		switch (chan_recv(w->chan, &msg, &err)) {
		case CHAN_GOT:
			close_given(&msg);
			on_worker_message(m, w, &msg);
			continue;
		case CHAN_EMPTY:
			return;
		case CHAN_BROKEN:
			log_error("worker %u: %s", w->index + 1, err.text);
			worker_lost_channel(w);
			return;
		case CHAN_GONE:
			worker_lost_channel(w);
			return;
		}
}

/* --- the end of a child ----------------------------------------------------------- */

static void
log_death(const struct worker *w, int status, bool expected)
{
	char how[80];

	if (WIFSIGNALED(status))
		snprintf(how, sizeof(how), "was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		snprintf(how, sizeof(how), "ended with status %d",
		    WEXITSTATUS(status));
	log_at(expected && status == 0 ? LOG_L_DEBUG : LOG_L_ERROR,
	    "worker %u (pid %ld) %s", w->index + 1, (long)w->pid, how);
}

static bool
is_crash_loop(struct worker *w, int64_t now)
{
	w->death_ms[w->counted++ % DEATHS_KEPT] = now;
	if (w->started || now - w->born_ms > LONG_LIFE_MS)
		w->early = 0;
	else
		w->early++;
	return w->early >= EARLY_DEATHS_MAX || (w->counted >= DEATHS_KEPT &&
	    now - w->death_ms[w->counted % DEATHS_KEPT] < DEATHS_SPAN_MS);
}

static void
after_death(struct master *m, struct worker *w)
{
	int64_t now = clock_ms();
	struct err err;

	w->deaths++;
	if (now - w->born_ms >= LONG_LIFE_MS)
		w->backoff_ms = 0;
	if (is_crash_loop(w, now)) {
		err_set(&err, ERR_STATE,
		    "worker %u dies again and again: giving up", w->index + 1);
		master_complain(m, &err);
		master_stop(m, EXIT_FAILURE);
		return;
	}
	back_off(w, now);
}

static void
bury_worker(struct master *m, struct worker *w, int status)
{
	struct board_slot *slot = &m->board->slot[w->index];
	bool leaving = m->state == MASTER_QUITTING ||
	    m->state == MASTER_STOPPING;

	worker_read(m, w);	/* its last words */
	log_death(w, status, leaving);
	w->pid = 0;
	chan_free(&w->chan);
	board_set(slot, pid, 0);
	board_clear_gauges(slot);
	ctl_on_worker_death(m, w);
	reload_on_worker_death(m, w);
	w->step = STEP_NONE;
	if (!leaving)
		after_death(m, w);
}

static struct worker *
worker_of(struct master *m, pid_t pid)
{
	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].pid == pid)
			return &m->worker[i];
	return NULL;
}

void
spawn_reap(struct master *m)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		struct worker *w = worker_of(m, pid);

		if (w) {
			bury_worker(m, w, status);
		} else if (pid == m->check.pid) {
			check_read(m);
			m->check.pid = 0;
			chan_free(&m->check.chan);
			reload_on_check_exit(m, status);
		}
	}
}
