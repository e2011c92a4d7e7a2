/* SPDX-License-Identifier: Apache-2.0 */
#include "net/stream.h"

#include <errno.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/must.h"
#include "net/loop.h"
#include "net/sock.h"

enum {
	STREAM_MAGIC = 0x5374726d,
	HIGH_BYTES = 256 * 1024,
	LOW_BYTES = 64 * 1024,
};

/* FAILED: on_error has been called, or is about to be. */
enum phase { CONNECTING, OPEN, FAILED, FREED };
enum ending { WRITING, FINISHING, FINISHED };

/* Only until the stream is open, so that an open one is small. */
struct starting {
	struct loop_timer timer;
	int64_t timeout_ms;
	struct err err;		/* failed at once: to be told later */
};

struct stream {
	uint32_t magic;
	enum phase phase;
	enum ending ending;
	bool paused, eof;	/* not reading: for now, for good */
	bool blocked;		/* the kernel refused bytes */
	bool congested;
	struct loop *loop;
	struct loop_fd fd;
	const struct stream_handler *handler;
	void *ctx;
	struct buf out;
	size_t high, low;
	uint64_t bytes_in, bytes_out;
	struct loop_work work;	/* flush; before: tell of an early failure */
	struct starting *starting;
};

static void on_ready(void *ctx, unsigned ready);

static bool
may_read(const struct stream *s)
{
	return s->phase == OPEN && !s->paused && !s->eof;
}

static void
update_want(struct stream *s)
{
	unsigned want = 0;

	if (s->phase == CONNECTING)
		return;
	if (may_read(s))
		want |= LOOP_READ;
	if (s->blocked)
		want |= LOOP_WRITE;
	loop_fd_want(s->loop, &s->fd, want);
}

static void
stop_starting(struct stream *s)
{
	if (!s->starting)
		return;
	loop_timer_stop(s->loop, &s->starting->timer);
	free(s->starting);
	s->starting = NULL;
}

/* The last thing that a caller does with s. */
static void
fail(struct stream *s, const struct err *err)
{
	stop_starting(s);
	s->phase = FAILED;
	s->blocked = false;
	loop_unpost(s->loop, &s->work);
	loop_fd_del(s->loop, &s->fd);
	buf_clear(&s->out);
	s->handler->on_error(s->ctx, err);
}

static void
tell_early_failure(void *ctx)
{
	struct stream *s = ctx;
	struct err err = s->starting->err;

	fail(s, &err);
}

static struct stream *
new_stream(struct loop *loop, int fd, const struct stream_handler *handler,
    void *ctx)
{
	struct stream *s = xcalloc(1, sizeof(*s));

	s->magic = STREAM_MAGIC;
	s->loop = loop;
	s->fd.fd = fd;
	s->handler = handler;
	s->ctx = ctx;
	s->out.pool = loop_bufpool(loop);
	s->high = HIGH_BYTES;
	s->low = LOW_BYTES;
	return s;
}

struct stream *
stream_new(struct loop *loop, int fd, const struct stream_handler *handler,
    void *ctx)
{
	struct stream *s = new_stream(loop, fd, handler, ctx);
	struct err err;

	if (loop_fd_add(loop, &s->fd, fd, LOOP_READ, on_ready, s, &err) == 0) {
		s->phase = OPEN;
		return s;
	}
	s->starting = xcalloc(1, sizeof(*s->starting));
	s->starting->err = err;
	loop_post(loop, &s->work, tell_early_failure, s);
	return s;
}

static void
on_connect_timeout(void *ctx)
{
	struct stream *s = ctx;
	struct err err;

	err_set(&err, ERR_TIMEOUT, "connect timed out after %lld ms",
	    (long long)s->starting->timeout_ms);
	fail(s, &err);
}

struct stream *
stream_connect(struct loop *loop, const struct sock_addr *addr,
    int64_t timeout_ms, const struct stream_handler *handler, void *ctx)
{
	struct starting *start = xcalloc(1, sizeof(*start));
	int fd = sock_connect(addr, &start->err);
	struct stream *s = new_stream(loop, fd, handler, ctx);

	s->starting = start;
	if (fd < 0 || loop_fd_add(loop, &s->fd, fd, LOOP_WRITE, on_ready, s,
	    &start->err) < 0) {
		loop_post(loop, &s->work, tell_early_failure, s);
		return s;
	}
	start->timeout_ms = timeout_ms;
	if (timeout_ms > 0)
		loop_timer_set(loop, &start->timer, timeout_ms,
		    on_connect_timeout, s);
	return s;
}

void
stream_free(struct stream **sp)
{
	struct stream *s = *sp;

	if (!s)
		return;
	*sp = NULL;
	must(s->magic == STREAM_MAGIC);
	s->magic = 0;
	s->phase = FREED;
	stop_starting(s);
	loop_unpost(s->loop, &s->work);
	loop_fd_del(s->loop, &s->fd);
	if (s->fd.fd >= 0)
		close(s->fd.fd);
	buf_fini(&s->out);
	/* A callback of s may be running: the memory goes after it. */
	loop_defer_free(s->loop, s, free);
}

void
stream_set_handler(struct stream *s, const struct stream_handler *handler,
    void *ctx)
{
	must(s->magic == STREAM_MAGIC);
	s->handler = handler;
	s->ctx = ctx;
}

static void
read_failed(struct stream *s)
{
	struct err err;

	if (errno == EAGAIN || errno == EINTR)
		return;
	err_sys(&err, "read");
	fail(s, &err);
}

static void
fill(struct stream *s)
{
	size_t size;
	char *p = loop_read_buffer(s->loop, &size);

	for (int round = 0; round < 2; round++) {
		ssize_t n = recv(s->fd.fd, p, size, 0);

		if (n < 0) {
			read_failed(s);
			return;
		}
		if (n == 0) {
			s->eof = true;
			update_want(s);
			s->handler->on_eof(s->ctx);
			return;
		}
		s->bytes_in += (uint64_t)n;
		s->handler->on_data(s->ctx, p, (size_t)n);
		if ((size_t)n < size || !may_read(s))
			return;
	}
}

static void
write_failed(struct stream *s)
{
	struct err err;

	err_sys(&err, "write");
	buf_clear(&s->out);
	s->ending = FINISHED;
	/* What the peer said before it went (why, perhaps) is still there. */
	if (may_read(s))
		fill(s);
	if (s->phase == OPEN)
		fail(s, &err);
}

static void
finish_if_sent(struct stream *s)
{
	if (s->ending != FINISHING || buf_len(&s->out))
		return;
	s->ending = FINISHED;
	/* When it fails the peer is gone, which reading will tell. */
	(void)shutdown(s->fd.fd, SHUT_WR);
}

static void
send_queue(void *ctx)
{
	struct stream *s = ctx;
	size_t len = buf_len(&s->out);
	ssize_t n = len ? send(s->fd.fd, buf_data(&s->out), len,
	    MSG_NOSIGNAL) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		write_failed(s);
		return;
	}
	if (n > 0) {
		s->bytes_out += (uint64_t)n;
		buf_consume(&s->out, (size_t)n);
		len -= (size_t)n;
	}
	s->blocked = len > 0;
	update_want(s);
	finish_if_sent(s);
	if (s->congested && len <= s->low) {
		s->congested = false;
		if (s->handler->on_drain)
			s->handler->on_drain(s->ctx);
	}
}

static void
connected(struct stream *s)
{
	struct err err;

	if (sock_connect_result(s->fd.fd, &err) < 0) {
		fail(s, &err);
		return;
	}
	stop_starting(s);
	s->phase = OPEN;
	update_want(s);
	stream_flush(s);
	finish_if_sent(s);
	if (s->handler->on_open)
		s->handler->on_open(s->ctx);
}

static void
on_ready(void *ctx, unsigned ready)
{
	struct stream *s = ctx;

	if (s->phase == CONNECTING) {
		connected(s);
		return;
	}
	if (ready & LOOP_READ)
		fill(s);
	if (ready & LOOP_WRITE && s->phase == OPEN && s->blocked)
		send_queue(s);
}

struct buf *
stream_out(struct stream *s)
{
	must(s->magic == STREAM_MAGIC);
	return &s->out;
}

void
stream_flush(struct stream *s)
{
	must(s->magic == STREAM_MAGIC);
	if (s->phase == FAILED || s->ending == FINISHED) {
		buf_clear(&s->out);
		return;
	}
	if (buf_len(&s->out) > s->high)
		s->congested = true;
	if (s->phase == OPEN && !s->blocked && buf_len(&s->out))
		loop_flush_soon(s->loop, &s->work, send_queue, s);
}

size_t
stream_queued(const struct stream *s)
{
	return buf_len(&s->out);
}

void
stream_watermarks(struct stream *s, size_t high, size_t low)
{
	must(s->magic == STREAM_MAGIC && low <= high);
	s->high = high;
	s->low = low;
}

bool
stream_congested(const struct stream *s)
{
	return s->congested;
}

void
stream_pause(struct stream *s)
{
	must(s->magic == STREAM_MAGIC);
	s->paused = true;
	if (s->phase == OPEN)
		update_want(s);
}

void
stream_resume(struct stream *s)
{
	must(s->magic == STREAM_MAGIC);
	s->paused = false;
	if (s->phase == OPEN)
		update_want(s);
}

bool
stream_paused(const struct stream *s)
{
	return s->paused;
}

void
stream_finish(struct stream *s)
{
	must(s->magic == STREAM_MAGIC);
	if (s->ending != WRITING || s->phase == FAILED)
		return;
	s->ending = FINISHING;
	if (s->phase != OPEN)
		return;
	stream_flush(s);
	finish_if_sent(s);
}

int
stream_fd(const struct stream *s)
{
	return s->fd.fd;
}

uint64_t
stream_bytes_in(const struct stream *s)
{
	return s->bytes_in;
}

uint64_t
stream_bytes_out(const struct stream *s)
{
	return s->bytes_out;
}

uint64_t
stream_bytes_taken(const struct stream *s)
{
	int held = 0;

	if (ioctl(s->fd.fd, SIOCOUTQ, &held) < 0 || held < 0)
		return s->bytes_out;
	return s->bytes_out > (unsigned)held ? s->bytes_out - (unsigned)held :
	    0;
}
