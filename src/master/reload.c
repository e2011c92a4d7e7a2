/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check -> bind -> prepare -> commit, or nothing at all. Until the commit,
 * whatever fails leaves all as it was; the commit cannot fail: a worker that
 * dies then comes back with the new generation.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/snap.h"
#include "config/config.h"
#include "master/ctl.h"
#include "master/outside.h"
#include "master/state.h"

enum { STEP_TIME_MS = 30000 };

static void begin(struct master *);

/* --- the end ------------------------------------------------------------------ */

static void
log_text(enum log_level level, struct str text)
{
	struct str line;

	while (text.n && str_next(&text, '\n', &line))
		if (!str_blank(line))
			log_line(level, STR(""), line);
}

static void
note_outcome(struct master *m, bool ok, struct str text)
{
	struct outcome *o = &m->last;

	o->any = true;
	o->ok = ok;
	o->generation = m->reload.generation;
	o->at_us = clock_wall_us();
	buf_clear(&o->text);
	buf_add_str(&o->text, text);
}

static void
forget(struct master *m)
{
	struct reload *r = &m->reload;

	config_free(&r->config);
	plan_free(&r->plan);
	master_drop_fd(&r->snapshot_fd);
	plan_free(&m->check.plan);
	master_drop_fd(&m->check.snapshot_fd);
	buf_fini(&m->check.text);
	buf_fini(&r->notes);
	r->phase = RELOAD_IDLE;
	r->first = false;
	for (unsigned i = 0; i < m->worker_count; i++)
		m->worker[i].step = STEP_NONE;
}

static void
end(struct master *m, bool ok, struct str text)
{
	note_outcome(m, ok, text);
	ctl_reload_done(m, ok, text);
	forget(m);
	if (m->ready)
		notify_ready();
	if (m->reload.queued) {
		m->reload.queued = false;
		begin(m);
	}
}

static void
roll_back(struct master *m)
{
	const struct chan_msg msg = { .type = CHAN_ROLLBACK,
		.number = m->reload.generation };

	listen_rollback(m);
	if (m->reload.phase != RELOAD_PREPARING)
		return;
	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].step != STEP_NONE)
			worker_send(&m->worker[i], &msg);
}

static void
fail(struct master *m, int status, struct str text)
{
	struct buf copy = { 0 };

	buf_add_str(&copy, text);	/* may be part of what is forgotten */
	roll_back(m);
	if (m->reload.first) {
		forget(m);
		master_complain_text(m, buf_str(&copy));
		master_stop(m, status);
	} else {
		log_text(LOG_L_ERROR, buf_str(&copy));
		log_error("reload failed: generation %" PRId64
		    " stays in force", m->generation);
		end(m, false, buf_str(&copy));
	}
	buf_fini(&copy);
}

static void
fail_printf(struct master *m, int status, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void
fail_printf(struct master *m, int status, const char *fmt, ...)
{
	struct buf text = { 0 };
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	buf_putc(&text, '\n');
	fail(m, status, buf_str(&text));
	buf_fini(&text);
}

/* --- commit --------------------------------------------------------------------- */

static bool
all_past(const struct master *m, enum step step)
{
	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].step == step)
			return false;
	return true;
}

static void
succeed_when_committed(struct master *m)
{
	struct buf text = { 0 };

	if (!all_past(m, STEP_COMMITTING))
		return;
	buf_add_str(&text, buf_str(&m->reload.notes));
	if (!m->reload.first)
		log_info("reloaded: generation %" PRId64, m->generation);
	end(m, true, buf_str(&text));
	buf_fini(&text);
}

static void
send_commit(struct master *m, struct worker *w)
{
	struct buf lines = { 0 };
	int fds[CHAN_FDS_MAX];
	struct chan_msg msg = { .type = CHAN_COMMIT,
		.number = m->reload.generation, .fds = fds };

	list_each(&m->listeners, l, struct listener, link) {
		if (!l->fresh)
			continue;
		buf_printf(&lines, "%u%s%s\n", l->port, l->name ? " " : "",
		    l->name ? l->name : "");
		fds[msg.fd_count++] = l->fd[w->index];
	}
	msg.text = buf_str(&lines);
	w->step = STEP_COMMITTING;
	worker_send(w, &msg);
	buf_fini(&lines);
}

/* What the reload brought is in force. */
static void
adopt(struct master *m)
{
	struct reload *r = &m->reload;

	if (r->config) {
		config_free(&m->config);
		m->config = r->config;
		r->config = NULL;
	}
	plan_free(&m->plan);
	m->plan = r->plan;
	r->plan = NULL;
	master_drop_fd(&m->snapshot_fd);
	m->snapshot_fd = r->snapshot_fd;
	r->snapshot_fd = -1;
	m->generation = r->generation;
	listen_commit(m);
}

static void
commit(struct master *m)
{
	struct err err;

	for (unsigned i = 0; i < m->worker_count; i++)
		if (m->worker[i].step == STEP_PREPARED)
			send_commit(m, &m->worker[i]);
	m->reload.phase = RELOAD_COMMITTING;
	m->reload.deadline_ms = clock_ms() + STEP_TIME_MS;
	adopt(m);
	if (!m->reload.first && master_open_log(m, m->config, &err) < 0)
		log_error("%s", err.text);
	master_write_ports(m);
	succeed_when_committed(m);
}

/* --- prepare --------------------------------------------------------------------- */

static size_t
count_fresh(struct master *m)
{
	size_t n = 0;

	list_each(&m->listeners, l, struct listener, link)
		n += l->fresh;
	return n;
}

static void
prepare_all(struct master *m)
{
	struct buf dump = { 0 };
	struct chan_msg msg = { .type = CHAN_PREPARE,
		.number = m->reload.generation,
		.fds = &m->reload.snapshot_fd, .fd_count = 1 };

	config_dump(m->reload.config, &dump);
	msg.text = buf_str(&dump);
	m->reload.phase = RELOAD_PREPARING;
	m->reload.deadline_ms = clock_ms() + STEP_TIME_MS;
	for (unsigned i = 0; i < m->worker_count; i++) {
		struct worker *w = &m->worker[i];

		if (!w->chan)
			continue;
		w->step = STEP_PREPARING;
		worker_send(w, &msg);
	}
	log_debug("generation %" PRId64 " is checked, the workers prepare it",
	    m->reload.generation);
	buf_fini(&dump);
}

static void
prepare(struct master *m)
{
	struct reload *r = &m->reload;
	struct err err;

	if (listen_bind(m, r->plan, &err) < 0) {
		fail_printf(m, err.kind == ERR_DENIED ? EX_NOPERM :
		    EX_UNAVAILABLE, "%s", err.text);
		return;
	}
	if (r->first) {
		commit(m);
		return;
	}
	if (count_fresh(m) > CHAN_FDS_MAX) {
		fail_printf(m, EX_CONFIG, "more than %d new ports in one "
		    "reload: restart, or add them in several reloads",
		    CHAN_FDS_MAX);
		return;
	}
	prepare_all(m);
	if (all_past(m, STEP_PREPARING))
		commit(m);
}

static void
on_prepared(struct master *m, struct worker *w, struct str digest)
{
	if (!str_is(digest, m->reload.plan->digest)) {
		fail_printf(m, EX_CONFIG, "worker %u has loaded another set "
		    "than the check, from the same files", w->index + 1);
		return;
	}
	w->step = STEP_PREPARED;
	if (all_past(m, STEP_PREPARING))
		commit(m);
}

void
reload_on_worker_message(struct master *m, struct worker *w,
    const struct chan_msg *msg)
{
	if (msg->number != m->reload.generation)
		return;		/* late, of one that was rolled back */
	if (msg->type == CHAN_PREPARED && w->step == STEP_PREPARING) {
		on_prepared(m, w, msg->text);
	} else if (msg->type == CHAN_FAILED && w->step == STEP_PREPARING) {
		fail_printf(m, EX_CONFIG, "worker %u: %.*s", w->index + 1,
		    STR_FMT(str_trim(msg->text)));
	} else if (msg->type == CHAN_COMMITTED && w->step == STEP_COMMITTING) {
		w->step = STEP_NONE;
		succeed_when_committed(m);
	} else {
		log_warn("worker %u sent message %d out of turn", w->index + 1,
		    (int)msg->type);
	}
}

void
reload_on_worker_death(struct master *m, struct worker *w)
{
	enum step step = w->step;

	w->step = STEP_NONE;
	if (step == STEP_COMMITTING)
		succeed_when_committed(m);
	else if (step != STEP_NONE)
		fail_printf(m, EX_CONFIG,
		    "worker %u died while it prepared the new generation",
		    w->index + 1);
}

/* --- check ------------------------------------------------------------------------- */

/* A snapshot that somebody could still change is none. Keeps a copy of its
 * descriptor. */
static int
take_plan(struct check *c, const struct chan_msg *msg, struct err *err)
{
	plan_free(&c->plan);
	master_drop_fd(&c->snapshot_fd);
	if (msg->fd_count != 1 || !snap_is_sealed(msg->fds[0]))
		return err_set(err, ERR_PROTOCOL,
		    "no snapshot came with the plan");
	c->snapshot_fd = fcntl(msg->fds[0], F_DUPFD_CLOEXEC, 0);
	if (c->snapshot_fd < 0)
		return err_sys(err, "cannot keep the snapshot");
	c->plan = plan_parse(msg->text, err);
	return c->plan ? 0 : -1;
}

void
reload_on_check_message(struct master *m, const struct chan_msg *msg)
{
	struct check *c = &m->check;
	struct err err;

	if (m->reload.phase != RELOAD_CHECKING)
		return;		/* aborted, and nobody will forget it again */
	if (msg->type == CHAN_PLAN) {
		if (take_plan(c, msg, &err) < 0)
			log_error("check: %s", err.text);
	} else if (msg->type == CHAN_DIAG) {
		c->answered = true;
		c->ok = msg->number == 0;
		buf_clear(&c->text);
		buf_add_str(&c->text, msg->text);
	}
}

static void
fail_without_answer(struct master *m, int status)
{
	if (m->check.late)
		fail_printf(m, EX_CONFIG, "the check took longer than %d s",
		    STEP_TIME_MS / 1000);
	else if (WIFSIGNALED(status))
		fail_printf(m, EX_CONFIG,
		    "the check process was killed by signal %d (%s)",
		    WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		fail_printf(m, WEXITSTATUS(status) == EX_NOPERM ? EX_NOPERM :
		    EX_CONFIG, "the check process ended with status %d and "
		    "without an answer", WEXITSTATUS(status));
}

void
reload_on_check_exit(struct master *m, int status)
{
	struct check *c = &m->check;
	struct reload *r = &m->reload;

	if (r->phase != RELOAD_CHECKING)
		return;		/* aborted */
	if (!c->answered || (c->ok && !c->plan)) {
		fail_without_answer(m, status);
		return;
	}
	if (!c->ok) {
		fail(m, EX_CONFIG, buf_str(&c->text));
		return;
	}
	if (!m->p.quiet || !r->first)
		log_text(LOG_L_WARN, buf_str(&c->text));
	buf_add_str(&r->notes, buf_str(&c->text));
	r->plan = c->plan;
	c->plan = NULL;
	r->snapshot_fd = c->snapshot_fd;
	c->snapshot_fd = -1;
	prepare(m);
}

/* --- the start ---------------------------------------------------------------------- */

static void
start_check(struct master *m, const struct config *c)
{
	struct err err;

	m->reload.phase = RELOAD_CHECKING;
	m->reload.deadline_ms = clock_ms() + STEP_TIME_MS;
	if (spawn_check(m, c, m->reload.generation, &err) < 0)
		fail_printf(m, EX_OSERR, "%s", err.text);
}

static void
print_diag(const struct diag *diag, struct buf *to)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	must(f != NULL);
	diag_print(diag, f);
	fclose(f);
	buf_add(to, text, n);
	free(text);
}

/* The settings as they are now, without those that need a restart. */
static struct config *
read_config(struct master *m, struct buf *text)
{
	struct diag *diag = xmalloc(sizeof(*diag));
	struct buf kept = { 0 };
	struct config *c;

	diag_init(diag);
	c = master_load_config(m, diag);
	print_diag(diag, text);
	free(diag);
	if (!c)
		return NULL;
	config_keep(c, m->config, &kept);
	if (buf_len(&kept)) {
		log_warn("changed, but needs a restart: %s", buf_cstr(&kept));
		buf_printf(text, "changed, but needs a restart: %s\n",
		    buf_cstr(&kept));
	}
	buf_fini(&kept);
	return c;
}

static void
begin(struct master *m)
{
	struct buf text = { 0 };

	log_info("reload asked for");
	notify_reloading();
	ctl_reload_started(m);
	m->reload.generation = ++m->last_generation;
	m->reload.config = read_config(m, &text);
	if (m->reload.config) {
		buf_add_str(&m->reload.notes, buf_str(&text));
		start_check(m, m->reload.config);
	} else {
		fail(m, EX_CONFIG, buf_str(&text));
	}
	buf_fini(&text);
}

void
reload_first(struct master *m)
{
	m->reload.first = true;
	m->reload.generation = ++m->last_generation;
	start_check(m, m->config);
}

void
reload_request(struct master *m)
{
	if (m->state != MASTER_STARTING && m->state != MASTER_RUNNING)
		return;
	if (m->reload.phase == RELOAD_IDLE)
		begin(m);
	else
		m->reload.queued = true;
}

void
reload_on_time(struct master *m)
{
	if (m->reload.phase == RELOAD_IDLE ||
	    clock_ms() < m->reload.deadline_ms)
		return;
	m->reload.deadline_ms = clock_ms() + STEP_TIME_MS;
	if (m->reload.phase == RELOAD_CHECKING) {
		m->check.late = true;
		kill(m->check.pid, SIGKILL);
		return;
	}
	for (unsigned i = 0; i < m->worker_count; i++) {
		struct worker *w = &m->worker[i];

		if (w->step == STEP_PREPARING) {
			fail_printf(m, EX_CONFIG, "worker %u did not prepare "
			    "the new generation within %d s", i + 1,
			    STEP_TIME_MS / 1000);
			return;
		}
		if (w->step == STEP_COMMITTING)
			w->kill_at_ms = clock_ms();
	}
}

void
reload_abort(struct master *m)
{
	m->reload.queued = false;
	if (m->reload.phase == RELOAD_IDLE)
		return;
	listen_rollback(m);
	ctl_reload_done(m, false, STR("the gateway is stopping\n"));
	forget(m);
}
