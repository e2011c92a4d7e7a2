/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message costs once the gateway is warm: nothing from the heap, one
 * wait, one recv, one send, no other call. The linker puts the counters below
 * between the library and libc (--wrap).
 */
#include "net_test.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "net/stream.h"

struct epoll_event;

static struct {
	int heap, waits, changes, recvs, sends, clocks;
} cost;

void *__real_malloc(size_t);
void *__wrap_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__wrap_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
void *__wrap_realloc(void *, size_t);
int __real_epoll_ctl(int, int, int, struct epoll_event *);
int __wrap_epoll_ctl(int, int, int, struct epoll_event *);
int __real_epoll_wait(int, struct epoll_event *, int, int);
int __wrap_epoll_wait(int, struct epoll_event *, int, int);
int __real_poll(struct pollfd *, nfds_t, int);
int __wrap_poll(struct pollfd *, nfds_t, int);
ssize_t __real_recv(int, void *, size_t, int);
ssize_t __wrap_recv(int, void *, size_t, int);
ssize_t __real_send(int, const void *, size_t, int);
ssize_t __wrap_send(int, const void *, size_t, int);
int64_t __real_clock_ms(void);
int64_t __wrap_clock_ms(void);

void *
__wrap_malloc(size_t n)
{
	cost.heap++;
	return __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	cost.heap++;
	return __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	cost.heap++;
	return __real_realloc(p, n);
}

int
__wrap_epoll_ctl(int epfd, int op, int fd, struct epoll_event *ev)
{
	cost.changes++;
	return __real_epoll_ctl(epfd, op, fd, ev);
}

int
__wrap_epoll_wait(int epfd, struct epoll_event *ev, int max, int timeout_ms)
{
	cost.waits++;
	return __real_epoll_wait(epfd, ev, max, timeout_ms);
}

int
__wrap_poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
	cost.waits++;
	return __real_poll(p, n, timeout_ms);
}

ssize_t
__wrap_recv(int fd, void *p, size_t n, int flags)
{
	cost.recvs++;
	return __real_recv(fd, p, n, flags);
}

ssize_t
__wrap_send(int fd, const void *p, size_t n, int flags)
{
	cost.sends++;
	return __real_send(fd, p, n, flags);
}

int64_t
__wrap_clock_ms(void)
{
	cost.clocks++;
	return __real_clock_ms();
}

enum { MESSAGES = 1000, SIZES = 3 };
static const size_t sizes[SIZES] = { 64, 1024, 16384 };

struct echo {
	struct stream *s;
	struct loop_timer idle;
};

static void
on_idle(void *ctx UNUSED)
{
	fail_msg("the idle timer fired");
}

static void
on_data(void *ctx, char *p, size_t n)
{
	struct echo *e = ctx;

	buf_add(stream_out(e->s), p, n);
	stream_flush(e->s);
	loop_timer_set(loop, &e->idle, 600000, on_idle, e);
}

static void
on_end(void *ctx UNUSED)
{
	fail_msg("the stream ended");
}

static void
on_error(void *ctx UNUSED, const struct err *why)
{
	fail_msg("%s", why->text);
}

static const struct stream_handler handler = {
	.on_data = on_data, .on_eof = on_end, .on_error = on_error,
};

/* Sends and takes back by write() and read(), which are not counted. */
static void
exchange(int peer, size_t size)
{
	static char p[16384];
	size_t got = 0;

	assert_int_equal(write(peer, p, size), size);
	assert_int_equal(loop_turn(loop, -1, &err), 0);
	while (got < size) {
		ssize_t n = read(peer, p, sizeof(p));

		assert_true(n > 0);
		got += (size_t)n;
	}
}

static void
test_echo(void **state UNUSED)
{
	struct echo e = { 0 };
	int fd[2];

	make_pair(SOCK_STREAM, fd);
	e.s = stream_new(loop, fd[0], &handler, &e);
	for (int i = 0; i < SIZES; i++)
		exchange(fd[1], sizes[i]);
	memset(&cost, 0, sizeof(cost));
	for (int i = 0; i < MESSAGES; i++)
		exchange(fd[1], sizes[i % SIZES]);
	assert_int_equal(cost.changes, 0);
	assert_int_equal(cost.waits, MESSAGES);
	assert_int_equal(cost.recvs, MESSAGES);
	assert_int_equal(cost.sends, MESSAGES);
	assert_int_equal(cost.clocks, MESSAGES);
	/* Under the sanitizer each loan of the pool is a malloc of its own. */
	if (!BUILT_WITH_ASAN)
		assert_int_equal(cost.heap, 0);
	loop_timer_stop(loop, &e.idle);
	stream_free(&e.s);
	close(fd[1]);
}

/* The counters count: a new stream is not free. */
static void
test_counters(void **state UNUSED)
{
	struct echo e = { 0 };
	int fd[2];

	make_pair(SOCK_STREAM, fd);
	memset(&cost, 0, sizeof(cost));
	e.s = stream_new(loop, fd[0], &handler, &e);
	assert_true(cost.heap > 0);
	assert_int_equal(cost.changes, strcmp(poller, "epoll") == 0);
	stream_free(&e.s);
	close(fd[1]);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test_row(test_echo),
		test_row(test_counters),
	};

	return run_with_pollers(tests, ARRAY_LEN(tests));
}
