/* SPDX-License-Identifier: Apache-2.0 */
/* Streams over TCP: connecting, refusals, resets. */
#include "stream_test.h"

#include <errno.h>
#include <sys/un.h>

#include "net/sock.h"

struct server {
	int fd;
	struct sock_addr at;
};

static void
server_start(struct server *sv)
{
	sv->fd = sock_listen("127.0.0.1", 0, 16, &err);
	assert_true(sv->fd >= 0);
	assert_int_equal(sock_local_addr(sv->fd, &sv->at), 0);
}

static void
end_connect(struct end *e, const struct sock_addr *at, int64_t timeout_ms)
{
	e->s = stream_connect(loop, at, timeout_ms, &end_handler, e);
	assert_int_equal(e->opens + e->errors, 0);
}

/* The stream of e is one accepted from a peer that connected. */
static void
tcp_pair(struct end *e)
{
	struct server sv;
	int fd;

	server_start(&sv);
	e->peer = sock_connect(&sv.at, &err);
	assert_true(e->peer >= 0);
	fd = sock_accept(sv.fd, NULL, &err);
	assert_true(fd >= 0);
	e->s = stream_new(loop, fd, &end_handler, e);
	close(sv.fd);
}

static void
peer_reset(struct end *e)
{
	struct linger hard = { .l_onoff = 1 };

	assert_int_equal(setsockopt(e->peer, SOL_SOCKET, SO_LINGER, &hard,
	    sizeof(hard)), 0);
	close(e->peer);
	e->peer = 0;
}

static void
test_opens(void **state UNUSED)
{
	struct server sv;
	struct end e = { .echo = STR(" on open") };

	server_start(&sv);
	end_connect(&e, &sv.at, 60000);
	end_write(&e, "before");
	until(e.opens == 1);
	assert_int_equal(e.errors, 0);
	e.echo = STR_NULL;
	e.peer = sock_accept(sv.fd, NULL, &err);
	assert_true(e.peer >= 0);
	until(stream_queued(e.s) == 0);
	peer_expect(e.peer, "before on open");
	peer_send(&e, "welcome");
	until(end_got(&e, "welcome"));
	end_close(&e);
	close(sv.fd);
}

static void
test_finished_before_open(void **state UNUSED)
{
	struct server sv;
	struct end e = { 0 };
	char c;

	server_start(&sv);
	end_connect(&e, &sv.at, 0);
	stream_finish(e.s);
	stream_pause(e.s);
	until(e.opens == 1);
	e.peer = sock_accept(sv.fd, NULL, &err);
	assert_int_equal(recv(e.peer, &c, 1, 0), 0);
	peer_send(&e, "x");
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_int_equal(e.datas, 0);
	end_close(&e);
	close(sv.fd);
}

static void
test_refused(void **state UNUSED)
{
	struct end e = { 0 };
	struct sock_addr at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* Bound but not listening: nobody else gets this port. */
	assert_true(sock_addr_parse(STR("127.0.0.1"), 0, &at));
	assert_int_equal(bind(fd, (struct sockaddr *)(void *)&at.ss, at.len),
	    0);
	assert_int_equal(sock_local_addr(fd, &at), 0);
	end_connect(&e, &at, 60000);
	end_write(&e, "dropped");
	until(e.errors == 1);
	assert_string_equal(e.err.text, "connect: Connection refused");
	assert_int_equal(e.err.sys, ECONNREFUSED);
	assert_int_equal(stream_queued(e.s), 0);
	turn();
	assert_int_equal(e.errors, 1);
	end_close(&e);
	close(fd);
}

static struct sock_addr
nowhere(void)
{
	struct sock_addr at = { .len = sizeof(struct sockaddr_un) };
	struct sockaddr_un un = {
		.sun_family = AF_UNIX, .sun_path = "/nonexistent/socket",
	};

	memcpy(&at.ss, &un, sizeof(un));
	return at;
}

static void
test_fails_at_once(void **state UNUSED)
{
	struct end e = { 0 };
	struct sock_addr at = nowhere();

	end_connect(&e, &at, 60000);
	end_write(&e, "dropped");
	stream_pause(e.s);
	stream_resume(e.s);
	turn();
	assert_int_equal(e.errors, 1);
	assert_int_equal(e.opens, 0);
	assert_string_equal(e.err.text, "connect: No such file or directory");
	end_close(&e);
	/* Freed before it could tell. */
	e = (struct end){ 0 };
	end_connect(&e, &at, 60000);
	end_close(&e);
	turn();
	assert_int_equal(e.errors, 0);
}

/* A listener whose queue is full: the next one to connect gets no answer. */
static void
fill_queue(struct server *sv, int *fillers, int count)
{
	server_start(sv);
	assert_int_equal(listen(sv->fd, 0), 0);
	for (int i = 0; i < count; i++) {
		fillers[i] = sock_connect(&sv->at, &err);
		assert_true(fillers[i] >= 0);
	}
}

static void
test_timeout(void **state UNUSED)
{
	enum { FILLERS = 4 };
	int fillers[FILLERS];
	struct server sv;
	struct end e = { 0 }, freed = { 0 }, patient = { 0 };

	clock_set(1000, 0);
	turn();
	fill_queue(&sv, fillers, FILLERS);
	end_connect(&e, &sv.at, 3000);
	end_connect(&freed, &sv.at, 3000);
	end_connect(&patient, &sv.at, 0);
	clock_set(3999, 0);
	turn();
	assert_int_equal(e.errors, 0);
	end_close(&freed);
	clock_set(4000, 0);
	turn();
	assert_int_equal(e.errors, 1);
	assert_int_equal(e.err.kind, ERR_TIMEOUT);
	assert_string_equal(e.err.text, "connect timed out after 3000 ms");
	clock_set(1000000, 0);
	turn();
	assert_int_equal(e.errors + freed.errors + patient.errors, 1);
	end_close(&e);
	end_close(&patient);
	for (int i = 0; i < FILLERS; i++)
		close(fillers[i]);
	close(sv.fd);
}

static void
test_freed_in_on_open(void **state UNUSED)
{
	struct server sv;
	struct end e = { .echo = STR("never sent") };

	e.victim = &e;
	server_start(&sv);
	end_connect(&e, &sv.at, 60000);
	until(e.opens == 1);
	turn();
	assert_null(e.s);
	assert_int_equal(e.errors, 0);
	end_close(&e);
	close(sv.fd);
}

static void
test_freed_when_refused(void **state UNUSED)
{
	struct sock_addr at = nowhere();
	struct end e = { 0 };

	e.victim = &e;
	end_connect(&e, &at, 60000);
	until(e.errors == 1);
	assert_null(e.s);
	end_close(&e);
}

static void
test_reset_while_reading(void **state UNUSED)
{
	struct end e = { 0 };

	tcp_pair(&e);
	peer_reset(&e);
	until(e.errors == 1);
	assert_int_equal(e.err.sys, ECONNRESET);
	assert_string_equal(e.err.text, "read: Connection reset by peer");
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	assert_int_equal(e.errors, 1);
	assert_int_equal(e.eofs, 0);
	end_close(&e);
}

static void
test_reset_while_writing(void **state UNUSED)
{
	struct end e = { 0 };

	tcp_pair(&e);
	stream_pause(e.s);
	peer_reset(&e);
	end_write(&e, "x");
	until(e.errors == 1);
	assert_true(e.err.sys == ECONNRESET || e.err.sys == EPIPE);
	end_close(&e);
}

/* The one who waits for room hears of the reset, also when paused. */
static void
test_reset_while_blocked(void **state UNUSED)
{
	enum { TOTAL = 16 << 20 };
	struct end e = { 0 };

	tcp_pair(&e);
	stream_pause(e.s);
	memset(buf_room(stream_out(e.s), TOTAL), 'x', TOTAL);
	buf_added(stream_out(e.s), TOTAL);
	stream_flush(e.s);
	assert_in_range(turns_when_idle(), 1, 1000);
	assert_in_range(stream_queued(e.s), 1, TOTAL - 1);
	peer_reset(&e);
	until(e.errors == 1);
	assert_int_equal(e.drains, 0);
	assert_int_equal(stream_queued(e.s), 0);
	end_close(&e);
}

static void
test_tcp_half_close(void **state UNUSED)
{
	struct end e = { 0 };

	tcp_pair(&e);
	peer_send(&e, "question");
	shutdown(e.peer, SHUT_WR);
	until(e.eofs == 1);
	assert_true(end_got(&e, "question"));
	assert_in_range(turns_when_idle(), 1, IDLE_TURNS);
	end_write(&e, "answer");
	stream_finish(e.s);
	turn();
	peer_expect(e.peer, "answer");
	end_close(&e);
}

static const struct CMUnitTest tests[] = {
	test_row(test_opens),
	test_row(test_finished_before_open),
	test_row(test_refused),
	test_row(test_fails_at_once),
	test_row(test_timeout),
	test_row(test_freed_in_on_open),
	test_row(test_freed_when_refused),
	test_row(test_reset_while_reading),
	test_row(test_reset_while_writing),
	test_row(test_reset_while_blocked),
	test_row(test_tcp_half_close),
};

int
main(void)
{
	return run_with_pollers(tests, ARRAY_LEN(tests));
}
