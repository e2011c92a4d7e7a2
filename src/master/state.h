/* SPDX-License-Identifier: Apache-2.0 */
/* Private to master: its state, and what its files offer each other. */
#ifndef MASTER_STATE_H
#define MASTER_STATE_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "base/buf.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "ipc/chan.h"
#include "master/master.h"
#include "master/plan.h"
#include "master/privs.h"
#include "master/pidfile.h"

struct board;
struct ring;
struct config;
struct plan;

/* --- children -------------------------------------------------------------- */

/* Where a worker stands in the reload that is going on. */
enum step {
	STEP_NONE, STEP_PREPARING, STEP_PREPARED, STEP_COMMITTING
};

enum { DEATHS_KEPT = 10 };

struct worker {
	unsigned index;
	pid_t pid;			/* 0 = none: wait for start_at_ms */
	struct chan *chan;		/* NULL = gone */
	bool started;			/* it said so */
	int64_t list_id;		/* owes the end of this list; 0 = none */
	enum step step;
	int64_t born_ms, start_at_ms, kill_at_ms;	/* kill: 0 = not */
	int64_t backoff_ms;		/* before the next start */
	unsigned early;			/* deaths in a row before STARTED */
	unsigned deaths;		/* all */
	unsigned counted;
	int64_t death_ms[DEATHS_KEPT];	/* the last counted ones, a ring */
};

struct check {
	pid_t pid;			/* 0 = none */
	struct chan *chan;
	bool answered, ok, late;
	struct plan *plan;
	int snapshot_fd;		/* comes with the plan; -1 = none */
	struct buf text;		/* diagnostics */
};

/* --- sockets ---------------------------------------------------------------- */

struct listener {
	struct list link;
	char *name;			/* of the inbound with port 0, or NULL */
	uint16_t port;
	bool fresh;			/* bound for a reload, not committed */
	int *fd;			/* one a worker */
};

/* --- the whole --------------------------------------------------------------- */

enum master_state { MASTER_STARTING, MASTER_RUNNING, MASTER_QUITTING,
	MASTER_STOPPING, MASTER_DONE };
enum reload_phase { RELOAD_IDLE, RELOAD_CHECKING, RELOAD_PREPARING,
	RELOAD_COMMITTING };

struct reload {
	enum reload_phase phase;
	bool queued;			/* one more is asked for */
	bool first;			/* the load at start */
	int64_t generation, deadline_ms;
	struct config *config;		/* the new one */
	struct plan *plan;
	int snapshot_fd;		/* of what it loads; -1 = none */
	struct buf notes;		/* warnings that go with the outcome */
};

/* What became of the last reload, for status. */
struct outcome {
	bool any, ok;
	int64_t generation, at_us;
	struct buf text;
};

struct master {
	struct master_params p;		/* strings are the master's own */
	enum master_state state;
	int exit_status;
	int64_t started_ms, deadline_ms;	/* of QUITTING, STOPPING */
	struct config *config;
	int64_t generation, last_generation;
	struct plan *plan;		/* in force */
	int snapshot_fd;		/* of what that was loaded from: a
					   worker that comes back needs it */
	struct privs privs;
	struct pidfile pidfile;
	struct board *board;
	struct ring *ring;		/* NULL with a single worker */
	int signal_fd, ctl_fd, daemon_fd;	/* -1 = none */
	bool ready;			/* said so to the outside */
	struct worker *worker;
	unsigned worker_count;
	struct check check;
	struct list listeners, clients;
	unsigned client_count;
	int64_t last_list;		/* id of the newest list query */
	struct reload reload;
	struct outcome last;
	struct pollfd *pollfds;
	size_t poll_cap;
};

/* --- master.c ---------------------------------------------------------------- */

/* Tells the log and, as long as somebody sees it, standard error. */
void master_complain(const struct master *, const struct err *);
void master_complain_text(const struct master *, struct str text);
/* 69, 77 or 78 for what went wrong. */
int master_status_of(const struct err *);
/* Graceful or fast; a second call may only make it faster. */
void master_quit(struct master *);
void master_stop(struct master *, int exit_status);
void master_reopen(struct master *);
/* Ready when all workers are, for the first time. */
void master_on_started(struct master *);
/* Log sink and level of the config in force. */
int master_open_log(const struct master *, const struct config *,
    struct err *) MUST_CHECK;
struct config *master_load_config(const struct master *, struct diag *)
    MUST_CHECK;
/* Writes -p; failures are complained about. */
void master_write_ports(const struct master *);

/* Closes what is there. */
void master_drop_fd(int *fd);

/* --- spawn.c ------------------------------------------------------------------ */

void spawn_due_workers(struct master *);
int spawn_check(struct master *, const struct config *, int64_t generation,
    struct err *) MUST_CHECK;
/* All children that have ended. */
void spawn_reap(struct master *);
/* Sends to one, or to all that have a channel; a broken channel is closed. */
void worker_send(struct worker *, const struct chan_msg *);
void workers_send(struct master *, const struct chan_msg *);
void worker_flush(struct worker *);
/* Takes what has come over the channel. */
void worker_read(struct master *, struct worker *);
void check_read(struct master *);
bool workers_any(const struct master *);
void workers_kill(struct master *, int signo);
/* Kills those whose time is up. */
void workers_kill_due(struct master *);
void worker_lost_channel(struct worker *);

/* --- listen.c ----------------------------------------------------------------- */

/* Binds what the plan needs and is not there; those are fresh. Fills the port
 * of items with port 0. On failure none of the fresh is left. */
int listen_bind(struct master *, struct plan *, struct err *) MUST_CHECK;
void listen_rollback(struct master *);
/* Keeps what the plan in force needs, closes the rest. */
void listen_commit(struct master *);
void listen_close_all(struct master *);

/* --- reload.c ------------------------------------------------------------------ */

/* Starts one, or queues it behind the one that is running. */
void reload_request(struct master *);
/* The first load; its failure ends the master. */
void reload_first(struct master *);
void reload_on_check_message(struct master *, const struct chan_msg *);
void reload_on_check_exit(struct master *, int wait_status);
void reload_on_worker_message(struct master *, struct worker *,
    const struct chan_msg *);
/* w->step is still where it was when it died. */
void reload_on_worker_death(struct master *, struct worker *);
void reload_on_time(struct master *);
/* Forgets the one that is running: the master ends. */
void reload_abort(struct master *);

/* --- status.c ------------------------------------------------------------------- */

void status_json(const struct master *, struct buf *to);

#endif
