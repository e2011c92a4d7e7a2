/* SPDX-License-Identifier: Apache-2.0 */
/* Private to master: how it appears to the system around it: process titles,
 * the parent that waits for a daemon, the service manager. */
#ifndef MASTER_OUTSIDE_H
#define MASTER_OUTSIDE_H

#include "base/attr.h"
#include "base/err.h"

/* "wsgw: NAME" in ps and top. */
void title_set(const char *name);

/* Forks. The child returns 0 with a descriptor for daemon_ready(); the parent
 * does not return: it ends with 0 when the child is ready, else with the
 * child's status. -1: no fork. */
int daemon_start(int *fd_out, struct err *) MUST_CHECK;
/* Lets the parent go. */
void daemon_ready(int fd);
/* Lets the terminal go: what reads and writes there meets /dev/null. */
void daemon_detach(void);

/* sd_notify(3): nothing happens when $NOTIFY_SOCKET is not set. */
void notify_ready(void);
void notify_reloading(void);
void notify_stopping(void);

#endif
