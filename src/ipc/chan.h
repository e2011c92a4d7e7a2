/* SPDX-License-Identifier: Apache-2.0 */
/* Master <-> child: typed datagrams over a SOCK_SEQPACKET pair, with
 * descriptors. Non-blocking at both ends; what does not fit into the socket is
 * queued here and written by chan_flush(). */
#ifndef IPC_CHAN_H
#define IPC_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/err.h"
#include "base/str.h"

enum chan_type {
	/* master to worker */
	CHAN_PREPARE = 1,	/* generation; text: config dump; descriptor: a
				   snapshot (base/snap.h). Load the set from
				   it, answer PREPARED or FAILED, change
				   nothing */
	CHAN_COMMIT,		/* generation; text: one line "PORT" (or "PORT
				   NAME" when the inbound NAME asked for port
				   0) for each listener that the new set needs
				   and that the worker has not; their
				   descriptors in the same order. Close the
				   listeners that no inbound needs any more.
				   Answer COMMITTED */
	CHAN_ROLLBACK,		/* generation: forget what was prepared */
	CHAN_REOPEN,		/* open log files again */
	CHAN_QUIT,		/* stop accepting, close clients with 1001, end
				   within drain_time */
	CHAN_STOP,		/* end now */
	CHAN_LIST,		/* number: query id; answer with LISTED */
	/* worker to master */
	CHAN_STARTED = 64,	/* generation: accepting */
	CHAN_PREPARED,		/* generation; text: digest of the set */
	CHAN_FAILED,		/* generation; text: diagnostics */
	CHAN_COMMITTED,		/* generation */
	CHAN_LISTED,		/* number: query id; text: one JSON object a
				   line, a connection each; an empty text
				   ends the answer */
	/* check to master */
	CHAN_PLAN = 128,	/* text: "digest HEX\n" and a line
				   "listen PORT NAME\n" per inbound; port 0
				   asks for a free one. Descriptor: the
				   snapshot of all that the set was loaded
				   from */
	CHAN_DIAG,		/* number: 0 ok, 1 errors; text: diagnostics as
				   printed */
};

enum { CHAN_TEXT_MAX = 65536, CHAN_FDS_MAX = 64 };

struct chan_msg {
	enum chan_type type;
	int64_t number;			/* generation or query id */
	struct str text;		/* at most CHAN_TEXT_MAX */
	const int *fds;
	size_t fd_count;
};

struct chan;

/* Makes a pair; each end is a descriptor to be given to chan_new() in the
 * process that keeps it. */
int chan_pair(int fds_out[2], struct err *) MUST_CHECK;
/* Takes fd. */
struct chan *chan_new(int fd) MUST_CHECK;
void chan_free(struct chan **);
int chan_fd(const struct chan *);

/* Copies; 0 also when it had to be queued. -1: the other end is gone, or the
 * text is too long. */
int chan_send(struct chan *, const struct chan_msg *, struct err *) MUST_CHECK;
bool chan_wants_write(const struct chan *);
int chan_flush(struct chan *, struct err *) MUST_CHECK;

enum chan_result { CHAN_GOT, CHAN_EMPTY, CHAN_GONE, CHAN_BROKEN };
/* Reads one. msg and its text are good until the next call; descriptors are
 * the caller's to close. CHAN_BROKEN: what came is no message of ours. */
enum chan_result chan_recv(struct chan *, struct chan_msg *msg_out,
    struct err *) MUST_CHECK;

#endif
