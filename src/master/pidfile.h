/* SPDX-License-Identifier: Apache-2.0 */
/* Private to master: the pid file, locked as long as its master lives. */
#ifndef MASTER_PIDFILE_H
#define MASTER_PIDFILE_H

#include <sys/types.h>
#include "base/attr.h"
#include "base/err.h"

struct pidfile {
	char *path;		/* NULL = none */
	int fd;
};

/* Writes our pid. ERR_INUSE, naming the pid, when another one holds it; path
 * "" makes none. */
int pidfile_open(struct pidfile *, const char *path, struct err *) MUST_CHECK;
/* Removes the file. */
void pidfile_close(struct pidfile *);
/* In a child: lets go of the descriptor, not of the lock. */
void pidfile_leave(struct pidfile *);
/* The pid of the live master; ERR_STATE when there is none. */
int pidfile_read(const char *path, pid_t *out, struct err *) MUST_CHECK;

#endif
