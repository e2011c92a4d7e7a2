/* SPDX-License-Identifier: Apache-2.0 */
/* Private to net: what the loop asks of the kernel's readiness interface. */
#ifndef NET_POLLER_H
#define NET_POLLER_H

#include "base/attr.h"
#include "base/err.h"

struct poller_ops;

struct poller {
	const struct poller_ops *ops;
	int fd;			/* the backend's, or unused */
	void *state;		/* the backend's, or unused */
};

/* ready: LOOP_READ | LOOP_WRITE; an error or a hang-up sets both. */
struct poll_event {
	void *udata;
	unsigned ready;
};

enum { POLL_BATCH = 256 };

/*
 * Level-triggered. set: had is what the last set() for this fd wanted, 0 at
 * the first; want 0 forgets fd, so that one which hung up and is not being
 * read does not wake the loop for ever. wait: at most max (up to POLL_BATCH)
 * events; returns their number, 0 after a signal, -1 with errno.
 */
struct poller_ops {
	const char *name;
	int (*init)(struct poller *, struct err *);
	int (*set)(struct poller *, int fd, unsigned had, unsigned want,
	    void *udata);
	int (*wait)(struct poller *, struct poll_event *, int max,
	    int timeout_ms);
	void (*fini)(struct poller *);
};

#define POLLER(name) extern const struct poller_ops poller_##name;
#include "net/poller.def"
#undef POLLER

#endif
