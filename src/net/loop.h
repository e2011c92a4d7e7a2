/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net: bytes, time, readiness. It knows sockets and nothing of what the bytes
 * mean.
 *
 * The loop: one per process, one thread. A turn is: posted work, then the
 * descriptors that are ready (after each one, the streams it wrote to are
 * flushed), then timers that are due, then deferred frees. Callbacks never run
 * inside a call that the same code makes, except where a comment says so.
 */
#ifndef NET_LOOP_H
#define NET_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/attr.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"

struct loop;

/* poller: "epoll", "poll", or NULL for the one chosen by configure. */
struct loop *loop_new(const char *poller, struct err *) MUST_CHECK;
/* Runs pending frees; then nothing may be registered, set or posted any more
 * (but the signals). *loop becomes NULL; NULL is accepted. */
void loop_free(struct loop **);
/* Runs until loop_stop(); the turn that is running is finished. -1 only when
 * the poller itself fails. */
int loop_run(struct loop *, struct err *) MUST_CHECK;
/* One turn; waits at most timeout_ms (-1 = until something happens), and not
 * at all when there was posted work. For tests. */
int loop_turn(struct loop *, int timeout_ms, struct err *) MUST_CHECK;
void loop_stop(struct loop *);
/* Monotonic milliseconds, read once per turn. */
int64_t loop_now(const struct loop *);
const char *loop_poller_name(const struct loop *);
/* The pool that lends output buffers. */
struct bufpool *loop_bufpool(struct loop *);
/* The read buffer that all streams of this loop share; only net uses it. */
char *loop_read_buffer(struct loop *, size_t *size_out);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Caller's storage, { 0 } before loop_fd_add(). */
struct loop_fd {
	int fd;
	unsigned want;		/* what the poller was told */
	/* ready: LOOP_READ | LOOP_WRITE; an error or hang-up sets both that
	 * are wanted, the next read or write then tells. */
	void (*on_ready)(void *ctx, unsigned ready);
	void *ctx;
};

/* Borrows f until loop_fd_del(). want may be 0. */
int loop_fd_add(struct loop *, struct loop_fd *f, int fd, unsigned want,
    void (*on_ready)(void *ctx, unsigned ready), void *ctx, struct err *)
    MUST_CHECK;
/* Cheap when nothing changes. */
void loop_fd_want(struct loop *, struct loop_fd *, unsigned want);
/* Before fd is closed; does not close it. No callback comes afterwards, also
 * not for an event that was fetched already. Twice is harmless. */
void loop_fd_del(struct loop *, struct loop_fd *);

/* Caller's storage, { 0 } is a timer that is not set. */
struct loop_timer {
	int64_t at_ms;
	size_t slot;		/* 1-based place in the heap; 0 = not set */
	void (*on_time)(void *ctx);
	void *ctx;
};

/* (Re)sets it to fire once, after_ms from loop_now(); the callback may set it
 * again, for the next turn at the earliest. Timers due at the same millisecond
 * fire in no particular order. Cost does not depend on how often a timer is
 * pushed back: a later time than the one it has is noted and looked at when
 * the old one fires. */
void loop_timer_set(struct loop *, struct loop_timer *, int64_t after_ms,
    void (*on_time)(void *ctx), void *ctx);
void loop_timer_stop(struct loop *, struct loop_timer *);

/* Caller's storage. fn runs once, at the start of the next turn. Posting what
 * is posted already does nothing. */
struct loop_work {
	struct list link;	/* { 0 } = not posted */
	void (*fn)(void *ctx);
	void *ctx;
};
void loop_post(struct loop *, struct loop_work *, void (*fn)(void *ctx),
    void *ctx);
void loop_unpost(struct loop *, struct loop_work *);
/* As loop_post(), but runs right after the callback that is running now (or
 * at the start of the next turn): for streams to send what was written; only
 * net uses it. loop_unpost() takes it back. */
void loop_flush_soon(struct loop *, struct loop_work *, void (*fn)(void *ctx),
    void *ctx);

/* Calls fn(p) when no callback is running any more in this turn. */
void loop_defer_free(struct loop *, void *p, void (*fn)(void *p));

/*
 * For a source of work that is no descriptor: before(ctx) is asked each time
 * the loop is about to wait and returns false when there is something to do
 * already; after(ctx) runs when it has waited, before the descriptors that are
 * ready. One pair a loop; NULL ends it.
 */
void loop_around_wait(struct loop *, bool (*before)(void *ctx),
    void (*after)(void *ctx), void *ctx);

/* Signals as events: fn(ctx, signo) in the loop (signalfd). One set a loop.
 * They are blocked from then on, also after loop_free(). Call it in the
 * process that runs the loop, not before a fork. */
int loop_signals(struct loop *, const int *signos, size_t count,
    void (*fn)(void *ctx, int signo), void *ctx, struct err *) MUST_CHECK;

#endif
