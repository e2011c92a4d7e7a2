/* SPDX-License-Identifier: Apache-2.0 */
/*
 * master: binds and keeps the sockets, forks the roles, reaps and respawns
 * them, reloads in two phases, serves the control socket. It parses not one
 * byte from the network and no XML.
 */
#ifndef MASTER_MASTER_H
#define MASTER_MASTER_H

#include <stdbool.h>
#include "base/attr.h"
#include "base/err.h"

struct config;
struct heritage;

/* A kind of child process. The master knows only this much of it. */
struct role {
	const char *name;			/* "worker", "check" */
	int (*main)(const struct heritage *);	/* returns the exit status */
};

struct master_params {
	const char *config_file;
	const char *settings;		/* -g, or NULL */
	const char *ports_file;		/* -p: "NAME PORT" a line once bound */
	const char *version;		/* for status */
	int ready_fd;			/* -R: gets one byte when all workers
					   accept; -1 = none */
	bool daemonise;
	bool quiet;			/* no warnings and no notes at start */
	struct role worker, check;
};

/* The whole life of the master; returns the exit status (0, 1, 69, 77, 78).
 * In the parent of -D it ends the process. */
int master_run(const struct master_params *) MUST_CHECK;

/* Remembers where the arguments are, so that the processes can write their
 * titles there. Before anything else; moves the environment. */
void master_title_init(int argc, char **argv);

/* For wsgw -t: becomes the user of the workers, if started by root. */
int master_drop_privileges(const struct config *, struct err *) MUST_CHECK;

/* For wsgw -s: sends signo to the master that holds the pid file. ERR_STATE
 * when there is none. */
int master_signal(const struct config *, int signo, struct err *) MUST_CHECK;

#endif
