/* SPDX-License-Identifier: Apache-2.0 */
#include "stream_test.h"

#include <errno.h>
#include <fcntl.h>

static void
test_both_ways(void **state UNUSED)
{
	struct end e = { 0 };

	end_pair(&e, SOCK_STREAM);
	turn();
	assert_int_equal(e.datas, 0);
	peer_send(&e, "hello");
	turn();
	assert_true(end_got(&e, "hello"));
	end_write(&e, "to you");
	peer_expect_nothing(e.peer);
	turn();
	peer_expect(e.peer, "to you");
	assert_int_equal(stream_bytes_in(e.s), 5);
	assert_int_equal(stream_bytes_out(e.s), 6);
	assert_int_equal(stream_queued(e.s), 0);
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_int_equal(e.opens + e.drains + e.eofs + e.errors, 0);
	end_close(&e);
}

/* Packets show how many sends there were. */
static void
test_one_send_a_flush(void **state UNUSED)
{
	struct end e = { 0 };

	end_pair(&e, SOCK_SEQPACKET);
	end_write(&e, "one ");
	end_write(&e, "two ");
	end_write(&e, "three");
	turn();
	peer_expect(e.peer, "one two three");
	peer_expect_nothing(e.peer);
	e.echo = STR("four");
	peer_send(&e, "x");
	turn();
	peer_expect(e.peer, "four");
	end_close(&e);
}

struct relay {
	struct end *to;
	int peer;
	int calls;
};

static void
relay_on_data(void *ctx, char *p UNUSED, size_t n UNUSED)
{
	struct relay *r = ctx;

	if (r->calls++ == 0)
		end_write(r->to, "m");
	else
		peer_expect(r->peer, "m");
}

/* What the first callback wrote has left when the second one runs. */
static void
test_flushed_after_each_callback(void **state UNUSED)
{
	struct end a = { 0 }, b = { 0 }, to = { 0 };
	struct relay relay = { .to = &to };
	struct stream_handler handler = end_handler;

	handler.on_data = relay_on_data;
	end_pair(&a, SOCK_STREAM);
	end_pair(&b, SOCK_STREAM);
	end_pair(&to, SOCK_STREAM);
	relay.peer = to.peer;
	stream_set_handler(a.s, &handler, &relay);
	stream_set_handler(b.s, &handler, &relay);
	peer_send(&a, "x");
	peer_send(&b, "x");
	turn();
	assert_int_equal(relay.calls, 2);
	end_close(&a);
	end_close(&b);
	end_close(&to);
}

static void
write_from_timer(void *ctx)
{
	end_write(ctx, "tick");
}

static void
test_flushed_after_timers(void **state UNUSED)
{
	struct end e = { 0 };
	struct loop_timer timer = { 0 };

	end_pair(&e, SOCK_STREAM);
	loop_timer_set(loop, &timer, 0, write_from_timer, &e);
	turn();
	peer_expect(e.peer, "tick");
	end_close(&e);
}

static void
test_trickle_in(void **state UNUSED)
{
	static const char text[] = "a byte at a time is how it comes";
	struct end e = { 0 };

	end_pair(&e, SOCK_STREAM);
	for (size_t i = 0; i < strlen(text); i++) {
		assert_int_equal(send(e.peer, text + i, 1, 0), 1);
		turn();
		assert_int_equal(e.datas, (int)i + 1);
	}
	assert_true(end_got(&e, text));
	end_close(&e);
}

static char
pattern(size_t i)
{
	return (char)('a' + i % 23 + i / 1000 % 3);
}

static void
write_pattern(struct end *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf_putc(stream_out(e->s), pattern(i));
	stream_flush(e->s);
}

/* Reads what is there, at most max at a time; returns where the pattern is. */
static size_t
read_pattern(const struct end *e, size_t at, size_t max)
{
	char p[8192];
	ssize_t n;

	assert_true(max <= sizeof(p));
	n = recv(e->peer, p, max, MSG_DONTWAIT);
	for (ssize_t i = 0; i < n; i++, at++)
		assert_int_equal(p[i], pattern(at));
	return at;
}

static void
shrink_buffers(const struct end *e)
{
	int size = 4096;

	setsockopt(stream_fd(e->s), SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	setsockopt(e->peer, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
}

static void
test_trickle_out(void **state UNUSED)
{
	enum { TOTAL = 20000 };
	struct end e = { 0 };
	size_t at = 0;

	end_pair(&e, SOCK_STREAM);
	shrink_buffers(&e);
	write_pattern(&e, TOTAL);
	while (at < TOTAL) {
		at = read_pattern(&e, at, 1);
		turn();
	}
	assert_int_equal(stream_queued(e.s), 0);
	assert_int_equal(e.drains, 0);
	end_close(&e);
}

static void
test_back_pressure(void **state UNUSED)
{
	enum { TOTAL = 1 << 20 };
	struct end e = { 0 };
	size_t at = 0;

	end_pair(&e, SOCK_STREAM);
	assert_false(stream_congested(e.s));
	write_pattern(&e, TOTAL);
	assert_int_equal(stream_queued(e.s), TOTAL);
	assert_true(stream_congested(e.s));
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_in_range(stream_queued(e.s), 256 * 1024, TOTAL - 1);
	while (at < TOTAL) {
		assert_int_equal(e.drains == 0, stream_congested(e.s));
		if (stream_queued(e.s) > 64 * 1024)
			assert_int_equal(e.drains, 0);
		at = read_pattern(&e, at, 8192);
		turn();
	}
	assert_int_equal(e.drains, 1);
	assert_in_range(e.queued_at_drain, 0, 64 * 1024);
	end_close(&e);
}

static void
test_watermarks(void **state UNUSED)
{
	struct end e = { 0 };

	end_pair(&e, SOCK_STREAM);
	stream_watermarks(e.s, 4, 0);
	end_write(&e, "1234");
	assert_false(stream_congested(e.s));
	end_write(&e, "5");
	assert_true(stream_congested(e.s));
	assert_int_equal(e.drains, 0);
	turn();
	assert_false(stream_congested(e.s));
	assert_int_equal(e.drains, 1);
	end_write(&e, "1234");
	turn();
	assert_int_equal(e.drains, 1);
	end_write(&e, "12345");
	turn();
	assert_int_equal(e.drains, 2);
	end_close(&e);
}

static void
refill_on_drain(void *ctx)
{
	struct end *e = ctx;

	e->drains++;
	end_write(e, "more");
}

/* Who writes again at each drain does not keep the loop from the others. */
static void
test_drain_that_writes(void **state UNUSED)
{
	struct end e = { 0 };
	struct stream_handler handler = end_handler;

	handler.on_drain = refill_on_drain;
	end_pair(&e, SOCK_STREAM);
	stream_set_handler(e.s, &handler, &e);
	stream_watermarks(e.s, 1, 0);
	end_write(&e, "more");
	turn();
	assert_in_range(e.drains, 1, 3);
	assert_int_equal(loop_turn(loop, -1, &err), 0);
	assert_in_range(e.drains, 2, 6);
	end_close(&e);
}

static void
test_large_input(void **state UNUSED)
{
	enum { TOTAL = 700 * 1024 };
	struct end e = { 0 };
	int size = 4 * TOTAL;
	size_t sent = 0;
	char *p = malloc(TOTAL);

	for (size_t i = 0; i < TOTAL; i++)
		p[i] = pattern(i);
	end_pair(&e, SOCK_STREAM);
	setsockopt(e.peer, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	while (sent < TOTAL) {
		ssize_t n = send(e.peer, p + sent, TOTAL - sent, 0);

		sent += n > 0 ? (size_t)n : 0;
		turn();
	}
	until(buf_len(&e.in) == TOTAL);
	assert_memory_equal(buf_data(&e.in), p, TOTAL);
	free(p);
	end_close(&e);
}

static void
test_pause(void **state UNUSED)
{
	struct end e = { 0 };

	end_pair(&e, SOCK_STREAM);
	assert_false(stream_paused(e.s));
	stream_pause(e.s);
	assert_true(stream_paused(e.s));
	peer_send(&e, "later");
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_int_equal(e.datas, 0);
	end_write(&e, "written");
	turn();
	peer_expect(e.peer, "written");
	assert_int_equal(e.datas, 0);
	stream_resume(e.s);
	turn();
	assert_true(end_got(&e, "later"));
	end_close(&e);
}

static void
test_pause_in_callback(void **state UNUSED)
{
	struct end e = { .pause = true };

	end_pair(&e, SOCK_STREAM);
	peer_send(&e, "first");
	turn();
	peer_send(&e, "second");
	turn();
	assert_true(end_got(&e, "first"));
	stream_resume(e.s);
	turn();
	assert_true(end_got(&e, "firstsecond"));
	end_close(&e);
}

static void
pause_other(void *ctx, char *p UNUSED, size_t n UNUSED)
{
	struct end *e = ctx;

	e->datas++;
	stream_pause(e->victim->s);
}

/* The event of the other was fetched already. */
static void
test_pause_of_another(void **state UNUSED)
{
	struct end a = { 0 }, b = { .victim = &a };
	struct stream_handler handler = end_handler;

	handler.on_data = pause_other;
	a.victim = &b;
	end_pair(&a, SOCK_STREAM);
	end_pair(&b, SOCK_STREAM);
	stream_set_handler(a.s, &handler, &a);
	stream_set_handler(b.s, &handler, &b);
	peer_send(&a, "x");
	peer_send(&b, "x");
	turn();
	assert_int_equal(a.datas + b.datas, 1);
	end_close(&a);
	end_close(&b);
}

static void
test_paused_and_hung_up(void **state UNUSED)
{
	struct end e = { 0 };

	end_pair(&e, SOCK_STREAM);
	stream_pause(e.s);
	peer_send(&e, "last words");
	close(e.peer);
	e.peer = 0;
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_int_equal(e.eofs + e.errors + e.datas, 0);
	stream_resume(e.s);
	turn();
	turn();
	assert_true(end_got(&e, "last words"));
	assert_int_equal(e.eofs, 1);
	assert_int_equal(e.errors, 0);
	end_close(&e);
}

static void
test_paused_write_error(void **state UNUSED)
{
	struct end e = { 0 };

	end_pair(&e, SOCK_STREAM);
	stream_pause(e.s);
	peer_send(&e, "unread");
	close(e.peer);
	e.peer = 0;
	end_write(&e, "into the void");
	turn();
	assert_int_equal(e.errors, 1);
	assert_int_equal(e.datas, 0);
	assert_string_equal(e.err.text, "write: Broken pipe");
	end_close(&e);
}

static void
test_half_close(void **state UNUSED)
{
	struct end e = { 0 };
	char c;

	end_pair(&e, SOCK_STREAM);
	peer_send(&e, "question");
	shutdown(e.peer, SHUT_WR);
	turn();
	turn();
	assert_true(end_got(&e, "question"));
	assert_int_equal(e.eofs, 1);
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	end_write(&e, "answer");
	turn();
	peer_expect(e.peer, "answer");
	stream_finish(e.s);
	assert_int_equal(recv(e.peer, &c, 1, 0), 0);
	turn();
	assert_int_equal(e.eofs, 1);
	assert_int_equal(e.errors, 0);
	end_close(&e);
}

static void
test_finish_after_the_queue(void **state UNUSED)
{
	enum { TOTAL = 1 << 20 };
	struct end e = { 0 };
	size_t at = 0;
	char c;

	end_pair(&e, SOCK_STREAM);
	write_pattern(&e, TOTAL);
	stream_finish(e.s);
	stream_finish(e.s);
	while (at < TOTAL) {
		at = read_pattern(&e, at, 8192);
		turn();
	}
	assert_int_equal(recv(e.peer, &c, 1, 0), 0);
	peer_send(&e, "still heard");
	turn();
	assert_true(end_got(&e, "still heard"));
	end_write(&e, "too late");
	assert_int_equal(stream_queued(e.s), 0);
	turn();
	assert_int_equal(e.errors, 0);
	end_close(&e);
}

static void
test_finish_takes_what_was_not_flushed(void **state UNUSED)
{
	struct end e = { 0 };
	char c;

	end_pair(&e, SOCK_STREAM);
	buf_addz(stream_out(e.s), "bye");
	stream_finish(e.s);
	turn();
	peer_expect(e.peer, "bye");
	assert_int_equal(recv(e.peer, &c, 1, 0), 0);
	end_close(&e);
}

static void
test_write_error_after_last_words(void **state UNUSED)
{
	struct end e = { 0 };

	end_pair(&e, SOCK_STREAM);
	peer_send(&e, "413 too much");
	close(e.peer);
	e.peer = 0;
	end_write(&e, "body");
	turn();
	assert_true(end_got(&e, "413 too much"));
	assert_int_equal(e.errors, 1);
	assert_int_equal(e.err.sys, EPIPE);
	end_write(&e, "more");
	assert_int_equal(stream_queued(e.s), 0);
	stream_pause(e.s);
	stream_resume(e.s);
	stream_finish(e.s);
	turn();
	assert_int_equal(e.errors, 1);
	end_close(&e);
}

/* A stream may go in each of its own callbacks. */
static void
test_freed_in_on_data(void **state UNUSED)
{
	struct end e = { 0 };

	e.victim = &e;
	e.echo = STR("never sent");
	end_pair(&e, SOCK_STREAM);
	peer_send(&e, "x");
	shutdown(e.peer, SHUT_WR);
	turn();
	turn();
	assert_null(e.s);
	assert_int_equal(e.datas, 1);
	assert_int_equal(e.eofs, 0);
	end_close(&e);
}

static void
test_freed_in_on_eof(void **state UNUSED)
{
	struct end e = { 0 };

	e.victim = &e;
	end_pair(&e, SOCK_STREAM);
	shutdown(e.peer, SHUT_WR);
	turn();
	turn();
	assert_null(e.s);
	assert_int_equal(e.eofs, 1);
	end_close(&e);
}

static void
test_freed_in_on_drain(void **state UNUSED)
{
	struct end e = { 0 };

	e.victim = &e;
	end_pair(&e, SOCK_STREAM);
	stream_watermarks(e.s, 1, 0);
	end_write(&e, "12");
	turn();
	assert_null(e.s);
	assert_int_equal(e.drains, 1);
	end_close(&e);
}

static void
test_freed_in_on_error(void **state UNUSED)
{
	struct end e = { 0 };

	e.victim = &e;
	end_pair(&e, SOCK_STREAM);
	close(e.peer);
	e.peer = 0;
	end_write(&e, "12");
	stream_pause(e.s);
	turn();
	assert_null(e.s);
	assert_int_equal(e.errors, 1);
	end_close(&e);
}

/* Freed by on_data that a failing write still lets through. */
static void
test_freed_by_last_words(void **state UNUSED)
{
	struct end e = { 0 };

	e.victim = &e;
	end_pair(&e, SOCK_STREAM);
	peer_send(&e, "x");
	close(e.peer);
	e.peer = 0;
	end_write(&e, "12");
	turn();
	assert_null(e.s);
	assert_int_equal(e.datas, 1);
	assert_int_equal(e.errors, 0);
	end_close(&e);
}

static void
test_freed_by_another(void **state UNUSED)
{
	struct end a = { 0 }, b = { .victim = &a };

	a.victim = &b;
	end_pair(&a, SOCK_STREAM);
	end_pair(&b, SOCK_STREAM);
	peer_send(&a, "x");
	peer_send(&b, "x");
	turn();
	turn();
	assert_int_equal(a.datas + b.datas, 1);
	assert_true(!a.s != !b.s);
	end_close(&a);
	end_close(&b);
}

static void
test_freed_with_a_flush_to_do(void **state UNUSED)
{
	struct end a = { 0 };
	struct stream *none = NULL;

	end_pair(&a, SOCK_STREAM);
	end_write(&a, "x");
	stream_free(&a.s);
	stream_free(&a.s);
	stream_free(&none);
	turn();
	end_close(&a);
}

static void
test_without_optional_callbacks(void **state UNUSED)
{
	struct end e = { 0 };
	struct stream_handler handler = end_handler;

	handler.on_open = NULL;
	handler.on_drain = NULL;
	end_pair(&e, SOCK_STREAM);
	stream_set_handler(e.s, &handler, &e);
	stream_watermarks(e.s, 1, 0);
	end_write(&e, "12");
	turn();
	peer_expect(e.peer, "12");
	end_close(&e);
}

static void
test_no_socket(void **state UNUSED)
{
	struct end e = { 0 };
	int fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	e.s = stream_new(loop, fd, &end_handler, &e);
	assert_int_equal(e.errors, 0);
	until(e.errors == 1);
	end_close(&e);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static const struct CMUnitTest tests[] = {
	test_row(test_both_ways),
	test_row(test_one_send_a_flush),
	test_row(test_flushed_after_each_callback),
	test_row(test_flushed_after_timers),
	test_row(test_trickle_in),
	test_row(test_trickle_out),
	test_row(test_back_pressure),
	test_row(test_watermarks),
	test_row(test_drain_that_writes),
	test_row(test_large_input),
	test_row(test_pause),
	test_row(test_pause_in_callback),
	test_row(test_pause_of_another),
	test_row(test_paused_and_hung_up),
	test_row(test_paused_write_error),
	test_row(test_half_close),
	test_row(test_finish_after_the_queue),
	test_row(test_finish_takes_what_was_not_flushed),
	test_row(test_write_error_after_last_words),
	test_row(test_freed_in_on_data),
	test_row(test_freed_in_on_eof),
	test_row(test_freed_in_on_drain),
	test_row(test_freed_in_on_error),
	test_row(test_freed_by_last_words),
	test_row(test_freed_by_another),
	test_row(test_freed_with_a_flush_to_do),
	test_row(test_without_optional_callbacks),
	test_row(test_no_socket),
};

int
main(void)
{
	return run_with_pollers(tests, ARRAY_LEN(tests));
}
