/* SPDX-License-Identifier: Apache-2.0 */
/* All that a child process receives from the master by fork, and nothing
 * else. Everything here stays the child's until it exits. Signals come as the
 * kernel's defaults, unblocked, but for PIPE, HUP, INT, QUIT and USR1, which
 * are ignored: those are the master's business. */
#ifndef IPC_HERITAGE_H
#define IPC_HERITAGE_H

#include <stddef.h>
#include <stdint.h>
#include "ipc/chan.h"

struct board;
struct config;
struct ring;

struct heritage_listener {
	uint16_t port;		/* as bound, never 0 */
	const char *name;	/* the inbound with port 0 that it is for, or
				   NULL: for all inbounds with this port */
	int fd;			/* listening, SO_REUSEPORT; this worker's own */
};

struct heritage {
	const char *config_file;	/* for messages */
	const struct config *config;
	struct board *board;
	struct ring *ring;		/* NULL: a single worker */
	unsigned index;			/* of this role: 0 .. count - 1 */
	int64_t generation;
	int chan_fd;			/* to the master */
	int snapshot_fd;		/* workers: what the generation is made
					   of (base/snap.h) */
	struct heritage_listener *listener;
	size_t listener_count;
};

#endif
