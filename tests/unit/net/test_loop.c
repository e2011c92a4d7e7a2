/* SPDX-License-Identifier: Apache-2.0 */
#include "net_test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

/* What happened, a letter each. */
static char story[64];

static void
tell(char c)
{
	size_t n = strlen(story);

	assert_true(n < sizeof(story) - 1);
	story[n] = c;
	story[n + 1] = '\0';
}

static void
tell_ctx(void *ctx)
{
	tell(*(char *)ctx);
}

/* A context that tells c. */
static void *
letter(char c)
{
	static char letters[128];

	letters[(int)c] = c;
	return &letters[(int)c];
}

/* An eventfd that is always readable. */
struct source {
	struct loop_fd fd;
	int calls;
	unsigned ready;
	struct source *other;
};

static void
source_add(struct source *s, void (*fn)(void *, unsigned))
{
	int fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(loop_fd_add(loop, &s->fd, fd, LOOP_READ, fn, s, &err),
	    0);
}

static void
source_close(struct source *s)
{
	loop_fd_del(loop, &s->fd);
	close(s->fd.fd);
}

static void
count(void *ctx, unsigned ready)
{
	struct source *s = ctx;

	s->calls++;
	s->ready = ready;
}

static void
test_pollers(void **state UNUSED)
{
	struct loop *other;

	assert_string_equal(loop_poller_name(loop), poller);
	assert_null(loop_new("kqueue", &err));
	assert_int_equal(err.kind, ERR_VALUE);
	assert_string_equal(err.text, "unknown poller \"kqueue\"");
	other = loop_new(NULL, &err);
	assert_string_equal(loop_poller_name(other), DEFAULT_POLLER);
	loop_free(&other);
	assert_null(other);
	loop_free(&other);
}

static struct loop_work flush_work, next_work;

static void
order_on_ready(void *ctx, unsigned ready)
{
	struct source *s = ctx;

	tell('r');
	assert_int_equal(ready, LOOP_READ);
	loop_defer_free(loop, letter('d'), tell_ctx);
	loop_post(loop, &next_work, tell_ctx, letter('p'));
	loop_flush_soon(loop, &flush_work, tell_ctx, letter('f'));
	source_close(s);
}

static void
test_order_of_a_turn(void **state UNUSED)
{
	struct source a = { 0 }, b = { 0 };
	struct loop_timer timer = { 0 };
	struct loop_work work = { 0 };

	story[0] = '\0';
	loop_timer_set(loop, &timer, 0, tell_ctx, letter('t'));
	source_add(&a, order_on_ready);
	source_add(&b, order_on_ready);
	loop_post(loop, &work, tell_ctx, letter('P'));
	turn();
	assert_string_equal(story, "Prfrftdd");
	turn();
	assert_string_equal(story, "Prfrftddp");
}

static void
test_level_triggered(void **state UNUSED)
{
	struct source s = { 0 };
	uint64_t value;

	source_add(&s, count);
	turn();
	turn();
	assert_int_equal(s.calls, 2);
	assert_int_equal(read(s.fd.fd, &value, sizeof(value)), sizeof(value));
	turn();
	assert_int_equal(s.calls, 2);
	source_close(&s);
}

static void
test_want(void **state UNUSED)
{
	struct source s = { 0 };

	source_add(&s, count);
	loop_fd_want(loop, &s.fd, LOOP_READ | LOOP_WRITE);
	turn();
	assert_int_equal(s.ready, LOOP_READ | LOOP_WRITE);
	loop_fd_want(loop, &s.fd, LOOP_WRITE);
	turn();
	assert_int_equal(s.ready, LOOP_WRITE);
	loop_fd_want(loop, &s.fd, 0);
	loop_fd_want(loop, &s.fd, 0);
	turn();
	assert_int_equal(s.calls, 2);
	loop_fd_want(loop, &s.fd, LOOP_READ);
	turn();
	assert_int_equal(s.ready, LOOP_READ);
	source_close(&s);
	source_close(&s);
	turn();
	assert_int_equal(s.calls, 3);
}

static void
test_added_without_want(void **state UNUSED)
{
	struct source s = { 0 };
	int fd[2];

	make_pair(SOCK_STREAM, fd);
	assert_int_equal(loop_fd_add(loop, &s.fd, fd[0], 0, count, &s, &err),
	    0);
	close(fd[1]);
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_int_equal(s.calls, 0);
	source_close(&s);
}

static void
test_hang_up_tells_who_wants(void **state UNUSED)
{
	struct source s = { 0 };
	int fd[2];

	make_pair(SOCK_STREAM, fd);
	assert_int_equal(loop_fd_add(loop, &s.fd, fd[0], LOOP_WRITE, count, &s,
	    &err), 0);
	close(fd[1]);
	turn();
	assert_int_equal(s.ready, LOOP_WRITE);
	loop_fd_want(loop, &s.fd, LOOP_READ | LOOP_WRITE);
	turn();
	assert_int_equal(s.ready, LOOP_READ | LOOP_WRITE);
	loop_fd_want(loop, &s.fd, 0);
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_int_equal(s.calls, 2);
	source_close(&s);
}

static void
delete_other(void *ctx, unsigned ready UNUSED)
{
	struct source *s = ctx;

	s->calls++;
	if (!s->other)
		return;
	source_close(s->other);
	free(s->other);
	s->other = NULL;
}

static void
test_no_event_after_del(void **state UNUSED)
{
	struct source *a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));
	struct source *left;

	a->other = b;
	b->other = a;
	source_add(a, delete_other);
	source_add(b, delete_other);
	assert_int_equal(loop_turn(loop, 0, &err), 0);
	/* Whoever came first freed the other; the sanitizer guards that one. */
	left = a->other == NULL ? a : b;
	assert_int_equal(left->calls, 1);
	source_close(left);
	free(left);
}

static void
replace_other(void *ctx, unsigned ready UNUSED)
{
	struct source *s = ctx;

	if (++s->calls > 1 || s->other->calls)
		return;
	source_close(s->other);
	source_add(s->other, count);
}

/* The storage is used again: the old event is not the new descriptor's. */
static void
test_no_stale_event_for_a_successor(void **state UNUSED)
{
	struct source a = { 0 }, b = { .other = &a };

	a.other = &b;
	source_add(&a, replace_other);
	source_add(&b, replace_other);
	turn();
	assert_int_equal(a.calls + b.calls, 1);
	turn();
	assert_int_equal(a.calls + b.calls, 3);
	source_close(&a);
	source_close(&b);
}

static void
silence_other(void *ctx, unsigned ready UNUSED)
{
	struct source *s = ctx;

	s->calls++;
	loop_fd_want(loop, &s->other->fd, 0);
}

static void
test_no_event_nobody_wants(void **state UNUSED)
{
	struct source a = { 0 }, b = { .other = &a };

	a.other = &b;
	source_add(&a, silence_other);
	source_add(&b, silence_other);
	turn();
	turn();
	assert_int_equal(a.calls + b.calls, 2);
	assert_true(a.calls == 2 || b.calls == 2);
	source_close(&a);
	source_close(&b);
}

static void
test_more_ready_than_a_batch(void **state UNUSED)
{
	enum { N = 600, TURNS = 3 };
	static struct source s[N];

	memset(s, 0, sizeof(s));
	for (int i = 0; i < N; i++)
		source_add(&s[i], count);
	for (int i = 0; i < TURNS; i++)
		turn();
	for (int i = 0; i < N; i++) {
		assert_in_range(s[i].calls, 1, 2);
		source_close(&s[i]);
	}
}

static void
test_bad_descriptor(void **state UNUSED)
{
	struct loop_fd f = { 0 };

	if (strcmp(poller, "epoll") != 0)
		skip();
	assert_int_equal(loop_fd_add(loop, &f, 1 << 20, LOOP_READ, count, NULL,
	    &err), -1);
	assert_non_null(strstr(err.text, "Bad file descriptor"));
	loop_fd_del(loop, &f);
}

static struct loop_work again;

static void
post_again(void *ctx)
{
	tell_ctx(ctx);
	loop_post(loop, &again, post_again, ctx);
}

static void
unpost_next(void *ctx)
{
	tell_ctx(ctx);
	loop_unpost(loop, &next_work);
}

static void
test_posted_work(void **state UNUSED)
{
	struct loop_work work = { 0 };

	story[0] = '\0';
	loop_post(loop, &work, tell_ctx, letter('a'));
	loop_post(loop, &work, tell_ctx, letter('b'));
	turn();
	turn();
	assert_string_equal(story, "a");
	loop_post(loop, &work, tell_ctx, letter('c'));
	loop_unpost(loop, &work);
	loop_unpost(loop, &work);
	turn();
	assert_string_equal(story, "a");
	loop_post(loop, &work, unpost_next, letter('d'));
	loop_post(loop, &next_work, tell_ctx, letter('e'));
	turn();
	assert_string_equal(story, "ad");
	/* Waits for nothing while there is work. */
	loop_post(loop, &again, post_again, letter('f'));
	assert_int_equal(loop_turn(loop, -1, &err), 0);
	assert_int_equal(loop_turn(loop, -1, &err), 0);
	assert_string_equal(story, "adff");
	loop_unpost(loop, &again);
}

static int frees_left;

static void
free_more(void *p)
{
	tell(*(char *)p);
	if (frees_left-- > 0)
		loop_defer_free(loop, p, free_more);
}

static void
test_free_defers_free(void **state UNUSED)
{
	story[0] = '\0';
	frees_left = 20;
	loop_defer_free(loop, letter('x'), free_more);
	turn();
	assert_string_equal(story, "xxxxxxxxxxxxxxxxxxxxx");
}

static void
test_free_runs_at_the_end(void **state UNUSED)
{
	story[0] = '\0';
	loop_defer_free(loop, letter('x'), tell_ctx);
	loop_free(&loop);
	assert_string_equal(story, "x");
}

struct self {
	struct loop_timer timer;
	int fired;
};

static void
set_again(void *ctx)
{
	struct self *s = ctx;

	s->fired++;
	loop_timer_set(loop, &s->timer, 0, set_again, s);
}

static void
test_timers(void **state UNUSED)
{
	struct self self = { 0 };
	bool fired = false;
	struct loop_timer timer = { 0 }, never = { 0 };

	clock_set(1000, 0);
	turn();
	assert_int_equal(loop_now(loop), 1000);
	loop_timer_set(loop, &timer, 50, note, &fired);
	loop_timer_set(loop, &never, INT64_MAX, note, &fired);
	assert_int_equal(timer.at_ms, 1050);
	loop_timer_set(loop, &self.timer, -5, set_again, &self);
	turn();
	turn();
	assert_int_equal(self.fired, 1);
	clock_set(1049, 0);
	turn();
	assert_int_equal(self.fired, 2);
	assert_false(fired);
	clock_set(1050, 0);
	turn();
	assert_true(fired);
	assert_int_equal(self.fired, 3);
	loop_timer_stop(loop, &self.timer);
	loop_timer_stop(loop, &never);
	loop_timer_stop(loop, &timer);
}

static void
test_wakes_for_a_timer(void **state UNUSED)
{
	struct loop_timer late = { 0 };
	bool fired = false;

	loop_timer_set(loop, &late, 60000, note, &fired);
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_false(fired);
	loop_timer_stop(loop, &late);
}

static void
stop_loop(void *ctx)
{
	tell_ctx(ctx);
	loop_stop(loop);
}

static void
test_run_and_stop(void **state UNUSED)
{
	struct loop_work work = { 0 };
	struct loop_timer timer = { 0 };

	story[0] = '\0';
	for (int i = 0; i < 2; i++) {
		loop_post(loop, &work, stop_loop, letter('s'));
		loop_timer_set(loop, &timer, 0, tell_ctx, letter('t'));
		assert_int_equal(loop_run(loop, &err), 0);
	}
	assert_string_equal(story, "stst");
}

static int signals[4], signal_count;

static void
on_signal(void *ctx, int signo)
{
	assert_ptr_equal(ctx, &signals);
	assert_true(signal_count < 4);
	signals[signal_count++] = signo;
}

static void
test_signals(void **state UNUSED)
{
	static const int wanted[] = { SIGUSR1, SIGHUP };

	signal_count = 0;
	assert_int_equal(loop_signals(loop, wanted, ARRAY_LEN(wanted),
	    on_signal, &signals, &err), 0);
	turn();
	assert_int_equal(signal_count, 0);
	kill(getpid(), SIGUSR1);
	kill(getpid(), SIGHUP);
	until(signal_count == 2);
	assert_int_equal(signals[0] + signals[1], SIGUSR1 + SIGHUP);
	turn();
	assert_int_equal(signal_count, 2);
}

static void
test_read_buffer(void **state UNUSED)
{
	size_t size;
	char *p = loop_read_buffer(loop, &size);

	assert_int_equal(size, 256 * 1024);
	p[0] = p[size - 1] = 'x';
	assert_non_null(loop_bufpool(loop));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		test_row(test_pollers),
		test_row(test_order_of_a_turn),
		test_row(test_level_triggered),
		test_row(test_want),
		test_row(test_added_without_want),
		test_row(test_hang_up_tells_who_wants),
		test_row(test_no_event_after_del),
		test_row(test_no_stale_event_for_a_successor),
		test_row(test_no_event_nobody_wants),
		test_row(test_more_ready_than_a_batch),
		test_row(test_bad_descriptor),
		test_row(test_posted_work),
		test_row(test_free_defers_free),
		test_row(test_free_runs_at_the_end),
		test_row(test_timers),
		test_row(test_wakes_for_a_timer),
		test_row(test_run_and_stop),
		test_row(test_signals),
		test_row(test_read_buffer),
	};

	return run_with_pollers(tests, ARRAY_LEN(tests));
}
