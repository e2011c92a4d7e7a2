/* SPDX-License-Identifier: Apache-2.0 */
#include "net/loop.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/must.h"
#include "net/poller.h"
#include "net/timer.h"

enum {
	READ_BUFFER_BYTES = 256 * 1024,
	POOL_KEEP = 32,
};

struct deferred {
	void *p;
	void (*fn)(void *p);
};

struct loop {
	struct poller poller;
	int64_t now_ms;
	bool stop, in_turn;
	bool broken;		/* the poller refused a descriptor: why */
	struct err why;
	size_t fds;		/* registered, to see at the end that none is */
	struct timers timers;
	struct list posted;	/* struct loop_work */
	struct list flush;	/* struct loop_work */
	struct deferred *deferred;
	size_t deferred_count, deferred_cap;
	struct bufpool *pool;
	char *read_buffer;
	struct {
		struct loop_fd fd;
		bool on;
		void (*fn)(void *ctx, int signo);
		void *ctx;
	} signals;
	struct {
		bool (*before)(void *ctx);
		void (*after)(void *ctx);
		void *ctx;
	} around;
	int event_at, event_count;	/* event[at] is being dispatched */
	struct poll_event event[POLL_BATCH];
};

static const struct poller_ops *const pollers[] = {
#define POLLER(name) &poller_##name,
#include "net/poller.def"
#undef POLLER
};

static const struct poller_ops *
find_poller(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(pollers); i++)
		if (strcmp(pollers[i]->name, name) == 0)
			return pollers[i];
	return NULL;
}

struct loop *
loop_new(const char *poller, struct err *err)
{
	const char *name = poller ? poller : DEFAULT_POLLER;
	const struct poller_ops *ops = find_poller(name);
	struct loop *loop;

	if (!ops) {
		err_set(err, ERR_VALUE, "unknown poller \"%s\"", name);
		return NULL;
	}
	loop = xcalloc(1, sizeof(*loop));
	loop->poller.ops = ops;
	if (ops->init(&loop->poller, err) < 0) {
		free(loop);
		return NULL;
	}
	list_init(&loop->posted);
	list_init(&loop->flush);
	loop->pool = bufpool_new(POOL_KEEP);
	loop->read_buffer = xmalloc(READ_BUFFER_BYTES);
	loop->now_ms = clock_ms();
	return loop;
}

static void
run_deferred(struct loop *loop)
{
	/* A free may defer another one, and so move the array. */
	for (size_t i = 0; i < loop->deferred_count; i++) {
		struct deferred d = loop->deferred[i];

		d.fn(d.p);
	}
	loop->deferred_count = 0;
}

void
loop_free(struct loop **loopp)
{
	struct loop *loop = *loopp;

	if (!loop)
		return;
	*loopp = NULL;
	run_deferred(loop);
	if (loop->signals.on) {
		loop_fd_del(loop, &loop->signals.fd);
		close(loop->signals.fd.fd);
	}
	must(!loop->in_turn);
	must(loop->fds == 0 && loop->timers.count == 0);
	must(list_empty(&loop->posted) && list_empty(&loop->flush));
	loop->poller.ops->fini(&loop->poller);
	timers_fini(&loop->timers);
	bufpool_free(&loop->pool);
	free(loop->read_buffer);
	free(loop->deferred);
	free(loop);
}

static bool
work_is_posted(const struct loop_work *w)
{
	return w->link.next && !list_empty(&w->link);
}

static void
work_add(struct list *to, struct loop_work *w, void (*fn)(void *ctx),
    void *ctx)
{
	if (work_is_posted(w))
		return;
	w->fn = fn;
	w->ctx = ctx;
	list_add_tail(to, &w->link);
}

/* Runs what is there now; what is added meanwhile waits for the next call, so
 * that work which adds itself again does not hold up the rest. */
static void
work_run(struct list *from)
{
	struct list now;

	if (list_empty(from))
		return;
	now = *from;
	now.next->prev = now.prev->next = &now;
	list_init(from);
	while (!list_empty(&now)) {
		struct loop_work *w = list_first(&now, struct loop_work, link);

		list_del(&w->link);
		w->fn(w->ctx);
	}
}

void
loop_post(struct loop *loop, struct loop_work *w, void (*fn)(void *ctx),
    void *ctx)
{
	work_add(&loop->posted, w, fn, ctx);
}

void
loop_unpost(struct loop *loop UNUSED, struct loop_work *w)
{
	if (work_is_posted(w))
		list_del(&w->link);
}

void
loop_flush_soon(struct loop *loop, struct loop_work *w, void (*fn)(void *ctx),
    void *ctx)
{
	work_add(&loop->flush, w, fn, ctx);
}

static int
wait_ms(const struct loop *loop, int timeout_ms)
{
	int64_t left;

	if (!list_empty(&loop->posted) || !list_empty(&loop->flush) ||
	    loop->stop)
		return 0;
	if (loop->timers.count == 0)
		return timeout_ms;
	left = timers_next(&loop->timers) - loop->now_ms;
	if (left < 0)
		left = 0;
	if (timeout_ms >= 0 && timeout_ms < left)
		return timeout_ms;
	return left < INT_MAX ? (int)left : INT_MAX;
}

static void
dispatch(struct loop *loop)
{
	for (; loop->event_at < loop->event_count; loop->event_at++) {
		struct poll_event *ev = &loop->event[loop->event_at];
		struct loop_fd *f = ev->udata;

		/* The wish may have changed since the event was fetched. */
		if (!f || !(ev->ready & f->want))
			continue;
		f->on_ready(f->ctx, ev->ready & f->want);
		work_run(&loop->flush);
	}
}

/* The order of a turn; see loop.h. */
static int
steps(struct loop *loop, int timeout_ms, struct err *err)
{
	work_run(&loop->posted);
	work_run(&loop->flush);
	loop->event_at = 0;
	if (loop->around.before && !loop->around.before(loop->around.ctx))
		timeout_ms = 0;
	loop->event_count = loop->poller.ops->wait(&loop->poller, loop->event,
	    POLL_BATCH, wait_ms(loop, timeout_ms));
	loop->now_ms = clock_ms();
	if (loop->around.after)
		loop->around.after(loop->around.ctx);
	if (loop->event_count < 0) {
		loop->event_count = 0;
		return err_sys(err, "%s", loop->poller.ops->name);
	}
	dispatch(loop);
	loop->event_count = 0;
	timers_run(&loop->timers, loop->now_ms);
	work_run(&loop->flush);
	run_deferred(loop);
	if (loop->broken) {
		if (err)
			*err = loop->why;
		return -1;
	}
	return 0;
}

static int
turn(struct loop *loop, int timeout_ms, struct err *err)
{
	int rc;

	must(!loop->in_turn);
	loop->in_turn = true;
	rc = steps(loop, timeout_ms, err);
	loop->in_turn = false;
	return rc;
}

int
loop_turn(struct loop *loop, int timeout_ms, struct err *err)
{
	bool work = !list_empty(&loop->posted) || !list_empty(&loop->flush);

	return turn(loop, work ? 0 : timeout_ms, err);
}

int
loop_run(struct loop *loop, struct err *err)
{
	/* Long things may have been done since the loop was made. */
	loop->now_ms = clock_ms();
	while (!loop->stop)
		if (turn(loop, -1, err) < 0)
			return -1;
	loop->stop = false;
	return 0;
}

void
loop_stop(struct loop *loop)
{
	loop->stop = true;
}

int64_t
loop_now(const struct loop *loop)
{
	return loop->now_ms;
}

const char *
loop_poller_name(const struct loop *loop)
{
	return loop->poller.ops->name;
}

struct bufpool *
loop_bufpool(struct loop *loop)
{
	return loop->pool;
}

char *
loop_read_buffer(struct loop *loop, size_t *size_out)
{
	*size_out = READ_BUFFER_BYTES;
	return loop->read_buffer;
}

int
loop_fd_add(struct loop *loop, struct loop_fd *f, int fd, unsigned want,
    void (*on_ready)(void *ctx, unsigned ready), void *ctx, struct err *err)
{
	must(!f->on_ready && fd >= 0);
	if (want &&
	    loop->poller.ops->set(&loop->poller, fd, 0, want, f) < 0)
		return err_sys(err, "%s: descriptor %d",
		    loop->poller.ops->name, fd);
	*f = (struct loop_fd){
		.fd = fd, .want = want, .on_ready = on_ready, .ctx = ctx,
	};
	loop->fds++;
	return 0;
}

void
loop_fd_want(struct loop *loop, struct loop_fd *f, unsigned want)
{
	const struct poller_ops *ops = loop->poller.ops;

	must(f->on_ready != NULL);
	if (want == f->want)
		return;
	if (ops->set(&loop->poller, f->fd, f->want, want, f) < 0) {
		/* Out of kernel memory: f would never hear of anything again,
		 * and nobody would know. */
		err_sys(&loop->why, "%s: descriptor %d", ops->name, f->fd);
		loop->broken = true;
		return;
	}
	f->want = want;
}

void
loop_fd_del(struct loop *loop, struct loop_fd *f)
{
	if (!f->on_ready)
		return;
	if (f->want)
		must(loop->poller.ops->set(&loop->poller, f->fd, f->want, 0,
		    f) == 0);
	for (int i = loop->event_at; i < loop->event_count; i++)
		if (loop->event[i].udata == f)
			loop->event[i].udata = NULL;
	f->want = 0;
	f->on_ready = NULL;
	f->ctx = NULL;
	loop->fds--;
}

void
loop_timer_set(struct loop *loop, struct loop_timer *t, int64_t after_ms,
    void (*on_time)(void *ctx), void *ctx)
{
	/* A timer that sets itself again fires once a turn at most. */
	int64_t least = loop->timers.running ? 1 : 0;

	if (after_ms < least)
		after_ms = least;
	if (after_ms > INT64_MAX - loop->now_ms)
		after_ms = INT64_MAX - loop->now_ms;
	t->on_time = on_time;
	t->ctx = ctx;
	timers_set(&loop->timers, t, loop->now_ms + after_ms);
}

void
loop_timer_stop(struct loop *loop, struct loop_timer *t)
{
	timers_stop(&loop->timers, t);
}

void
loop_defer_free(struct loop *loop, void *p, void (*fn)(void *p))
{
	if (loop->deferred_count == loop->deferred_cap) {
		loop->deferred_cap =
		    loop->deferred_cap ? 2 * loop->deferred_cap : 16;
		loop->deferred = xrealloc(loop->deferred,
		    loop->deferred_cap * sizeof(*loop->deferred));
	}
	loop->deferred[loop->deferred_count++] =
	    (struct deferred){ .p = p, .fn = fn };
}

static void
on_signal(void *ctx, unsigned ready UNUSED)
{
	struct loop *loop = ctx;
	struct signalfd_siginfo info;

	while (read(loop->signals.fd.fd, &info, sizeof(info)) ==
	    (ssize_t)sizeof(info))
		loop->signals.fn(loop->signals.ctx, (int)info.ssi_signo);
}

void
loop_around_wait(struct loop *loop, bool (*before)(void *ctx),
    void (*after)(void *ctx), void *ctx)
{
	loop->around.before = before;
	loop->around.after = after;
	loop->around.ctx = ctx;
}

int
loop_signals(struct loop *loop, const int *signos, size_t count,
    void (*fn)(void *ctx, int signo), void *ctx, struct err *err)
{
	sigset_t set;
	int fd;

	must(!loop->signals.on);
	sigemptyset(&set);
	for (size_t i = 0; i < count; i++)
		sigaddset(&set, signos[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
		return err_sys(err, "sigprocmask");
	fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "signalfd");
	if (loop_fd_add(loop, &loop->signals.fd, fd, LOOP_READ, on_signal,
	    loop, err) < 0) {
		close(fd);
		return -1;
	}
	loop->signals.on = true;
	loop->signals.fn = fn;
	loop->signals.ctx = ctx;
	return 0;
}
