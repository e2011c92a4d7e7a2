/* SPDX-License-Identifier: Apache-2.0 */
/* A reload as a worker sees it: prepare changes nothing, commit swaps the set
 * whole, rollback forgets. */
#include "gateway/gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/must.h"
#include "config/config.h"
#include "gateway/artifacts.h"
#include "ipc/board.h"
#include "mediation/inbound.h"

static void
tell_diag(struct worker *w, int64_t generation, const struct diag *d)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	must(f != NULL);
	diag_print(d, f);
	fclose(f);
	worker_tell(w, CHAN_FAILED, generation,
	    str_head((struct str){ text, n }, CHAN_TEXT_MAX));
	free(text);
}

void
worker_prepare(struct worker *w, const struct chan_msg *msg)
{
	struct diag *diag = xmalloc(sizeof(*diag));

	worker_rollback(w);
	diag_init(diag);
	w->next_config = config_parse("the new settings", msg->text, diag);
	if (w->next_config)
		w->next_set = artifacts_load_snapshot(w->next_config,
		    msg->fd_count ? msg->fds[0] : -1, diag);
	if (w->next_set) {
		w->next_generation = msg->number;
		worker_tell(w, CHAN_PREPARED, msg->number,
		    str_of(med_set_digest(w->next_set)));
	} else {
		tell_diag(w, msg->number, diag);
		worker_rollback(w);
	}
	for (size_t i = 0; i < msg->fd_count; i++)
		close(msg->fds[i]);
	free(diag);
}

void
worker_rollback(struct worker *w)
{
	config_free(&w->next_config);
	med_set_put(&w->next_set);
	w->next_generation = 0;
}

static bool
needed(const struct worker *w, const struct listener *l)
{
	for (size_t i = 0; i < med_set_inbound_count(w->set); i++) {
		const struct med_inbound *in = med_set_inbound(w->set, i);

		if (in->suspended)
			continue;
		if (l->name ? in->port == 0 && str_is(in->name, l->name) :
		    in->port == l->port)
			return true;
	}
	return false;
}

static void
close_listeners(struct worker *w)
{
	list_each(&w->listeners, l, struct listener, link)
		if (!needed(w, l))
			listener_free(l);
}

/* One line "PORT" or "PORT NAME" per descriptor. */
static void
open_listeners(struct worker *w, const struct chan_msg *msg)
{
	struct str rest = msg->text, line, word;
	size_t i = 0;

	while (str_next(&rest, '\n', &line) && i < msg->fd_count) {
		uint64_t port;
		char *name;

		if (str_blank(line))
			continue;
		if (!str_next(&line, ' ', &word) || !str_to_u64(word, &port) ||
		    port > UINT16_MAX) {
			log_error("commit: bad listener line from the master");
			break;
		}
		name = str_dup(line);
		listener_new(w, msg->fds[i++], (uint16_t)port, name);
		free(name);
	}
	for (; i < msg->fd_count; i++)
		close(msg->fds[i]);
}

static void
switch_logs(struct worker *w)
{
	const struct config *c = w->config;
	struct access_log *access;
	enum log_level level = LOG_L_INFO;
	struct err err;

	if (!log_level_parse(str_of(c->log_error_level), &level) ||
	    log_open(c->log_error_target, level,
	    strcmp(c->log_error_format, "json") == 0 ? LOG_F_JSON :
	    LOG_F_TEXT, &err) < 0)
		log_error("%s; the old log goes on", err.text);
	if (access_open(c, &access, &err) < 0) {
		log_error("%s; the old log goes on", err.text);
		return;
	}
	access_close(&w->access);
	w->access = access;
}

void
worker_commit(struct worker *w, const struct chan_msg *msg)
{
	struct med_limits limits;

	if (!w->next_set || w->next_generation != msg->number) {
		log_error("commit of generation %lld, which is not prepared",
		    (long long)msg->number);
		for (size_t i = 0; i < msg->fd_count; i++)
			close(msg->fds[i]);
		return;
	}
	med_set_put(&w->set);
	config_free(&w->own_config);
	w->set = w->next_set;
	w->config = w->own_config = w->next_config;
	w->generation = w->next_generation;
	w->next_set = NULL;
	w->next_config = NULL;
	worker_limits(w->config, &limits);
	med_engine_set_limits(w->engine, &limits);
	switch_logs(w);
	close_listeners(w);
	open_listeners(w, msg);
	list_each(&w->sessions, s, struct session, link)
		if (!session_refresh(s))
			session_drain(s);
	board_set(w->board, generation, w->generation);
	worker_tell(w, CHAN_COMMITTED, w->generation, STR(""));
}
