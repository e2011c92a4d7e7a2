/* SPDX-License-Identifier: Apache-2.0 */
/* Private to master: the control socket and those who speak there. */
#ifndef MASTER_CTL_H
#define MASTER_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/str.h"
#include "ipc/ctlproto.h"

struct chan_msg;
struct master;
struct worker;

enum ctl_wait {
	CTL_READING,			/* its request */
	CTL_RELOAD, CTL_NEXT_RELOAD,	/* the outcome of this one, or of the
					   one that is queued */
	CTL_LIST,			/* the workers' lists */
	CTL_WRITING,			/* its answer */
	CTL_HELD,			/* answered, stays until the master ends */
	CTL_THROUGH,			/* to be freed */
};

struct ctl_client {
	struct list link;
	int fd;
	enum ctl_wait wait;
	bool hold;			/* CTL_HELD comes after CTL_WRITING */
	int64_t deadline_ms;		/* 0 = none */
	int64_t list_id;
	char line[CTL_LINE_MAX];
	size_t line_len;
	struct buf out;			/* the list, then the answer */
};

int ctl_open(struct master *, struct err *) MUST_CHECK;
void ctl_close(struct master *);
void ctl_accept(struct master *);
short ctl_events(const struct ctl_client *);
void ctl_on_ready(struct master *, struct ctl_client *, short revents);
void ctl_on_time(struct master *);
/* Frees those that are through. */
void ctl_sweep(struct master *);
/* When the next client runs out of time; INT64_MAX = none. */
int64_t ctl_next_ms(const struct master *);
/* Those who wait for the queued one wait for this one now. */
void ctl_reload_started(struct master *);
void ctl_reload_done(struct master *, bool ok, struct str text);
void ctl_on_listed(struct master *, struct worker *, const struct chan_msg *);
void ctl_on_worker_death(struct master *, struct worker *);

#endif
