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
	int ready_fd;			/* -R: gets one byte when all workers
					   accept; -1 = none */
	bool daemonise;
	bool quiet;
	struct role worker, check;
};

/* The whole life of the master; returns the exit status (0, 1, 69, 77, 78). */
int master_run(const struct master_params *) MUST_CHECK;

#endif
