/* SPDX-License-Identifier: Apache-2.0 */
#include "ipc/chan.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

static struct chan *a, *b;
static int raw;			/* the descriptor of a */
static struct err err;

static int
open_pair(void **state)
{
	int fds[2];

	(void)state;
	if (chan_pair(fds, &err) < 0)
		return -1;
	raw = fds[0];
	a = chan_new(fds[0]);
	b = chan_new(fds[1]);
	return 0;
}

static int
close_pair(void **state)
{
	(void)state;
	chan_free(&a);
	chan_free(&b);
	return 0;
}

static struct chan_msg
receive(struct chan *c)
{
	struct chan_msg m;

	assert_int_equal(chan_recv(c, &m, &err), CHAN_GOT);
	return m;
}

static void
test_message(void **state)
{
	struct chan_msg m = { .type = CHAN_PREPARE, .number = INT64_MIN,
		.text = STR("hello") };

	(void)state;
	assert_int_equal(chan_recv(b, &m, &err), CHAN_EMPTY);
	m = (struct chan_msg){ .type = CHAN_PREPARE, .number = INT64_MIN,
		.text = STR("hello") };
	assert_int_equal(chan_send(a, &m, &err), 0);
	m = (struct chan_msg){ .type = CHAN_STOP };
	assert_int_equal(chan_send(a, &m, &err), 0);
	m = receive(b);
	assert_int_equal(m.type, CHAN_PREPARE);
	assert_true(m.number == INT64_MIN);
	assert_true(str_is(m.text, "hello"));
	assert_int_equal(m.fd_count, 0);
	m = receive(b);
	assert_int_equal(m.type, CHAN_STOP);
	assert_int_equal(m.text.n, 0);
	assert_int_equal(chan_recv(b, &m, &err), CHAN_EMPTY);
	m = (struct chan_msg){ .type = CHAN_STARTED, .number = 1 };
	assert_int_equal(chan_send(b, &m, &err), 0);
	assert_int_equal(receive(a).type, CHAN_STARTED);
}

static bool
same_file(int x, int y)
{
	struct stat sx, sy;

	return fstat(x, &sx) == 0 && fstat(y, &sy) == 0 &&
	    sx.st_ino == sy.st_ino && sx.st_dev == sy.st_dev;
}

static void
test_descriptors(void **state)
{
	int p[2];
	struct chan_msg m;

	(void)state;
	assert_int_equal(pipe(p), 0);
	m = (struct chan_msg){ .type = CHAN_COMMIT, .text = STR("1\n2\n"),
		.fds = p, .fd_count = 2 };
	assert_int_equal(chan_send(a, &m, &err), 0);
	m = receive(b);
	assert_int_equal(m.fd_count, 2);
	assert_true(same_file(m.fds[0], p[0]));
	assert_true(same_file(m.fds[1], p[1]));
	assert_true(fcntl(m.fds[0], F_GETFD) & FD_CLOEXEC);
	for (size_t i = 0; i < 2; i++) {
		close(m.fds[i]);
		close(p[i]);
	}
}

static void
test_most_descriptors(void **state)
{
	int fds[CHAN_FDS_MAX + 1];
	struct chan_msg m = { .type = CHAN_COMMIT, .fds = fds };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		fds[i] = STDERR_FILENO;
	m.fd_count = CHAN_FDS_MAX + 1;
	assert_int_equal(chan_send(a, &m, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	m.fd_count = CHAN_FDS_MAX;
	assert_int_equal(chan_send(a, &m, &err), 0);
	m = receive(b);
	assert_int_equal(m.fd_count, CHAN_FDS_MAX);
	for (size_t i = 0; i < m.fd_count; i++)
		assert_int_equal(close(m.fds[i]), 0);
}

static char big[CHAN_TEXT_MAX + 1];

static void
test_size(void **state)
{
	struct chan_msg m = { .type = CHAN_FAILED,
		.text = { big, CHAN_TEXT_MAX + 1 } };

	(void)state;
	memset(big, 'x', sizeof(big));
	assert_int_equal(chan_send(a, &m, &err), -1);
	assert_int_equal(err.kind, ERR_LIMIT);
	m.text.n = CHAN_TEXT_MAX;
	assert_int_equal(chan_send(a, &m, &err), 0);
	m = receive(b);
	assert_int_equal(m.text.n, CHAN_TEXT_MAX);
	assert_memory_equal(m.text.p, big, CHAN_TEXT_MAX);
}

enum { MANY = 200 };

/* More than the socket takes: order, content and descriptors survive, also
 * when the sender has closed its own. */
static void
test_queue(void **state)
{
	struct chan_msg m;
	bool queued = false;

	(void)state;
	for (int i = 0; i < MANY; i++) {
		int fd = dup(STDERR_FILENO);

		m = (struct chan_msg){ .type = CHAN_LISTED, .number = i,
			.text = { big, 8000 }, .fds = &fd, .fd_count = 1 };
		assert_int_equal(chan_send(a, &m, &err), 0);
		close(fd);
		queued |= chan_wants_write(a);
	}
	assert_true(queued);
	for (int i = 0; i < MANY; i++) {
		assert_int_equal(chan_flush(a, &err), 0);
		m = receive(b);
		assert_int_equal(m.number, i);
		assert_int_equal(m.text.n, 8000);
		assert_int_equal(m.fd_count, 1);
		assert_true(same_file(m.fds[0], STDERR_FILENO));
		close(m.fds[0]);
	}
	assert_false(chan_wants_write(a));
	assert_int_equal(chan_recv(b, &m, &err), CHAN_EMPTY);
}

static void
fill_queue(void)
{
	struct chan_msg m = { .type = CHAN_LISTED, .text = { big, 60000 } };

	while (!chan_wants_write(a))
		assert_int_equal(chan_send(a, &m, &err), 0);
}

static void
test_gone(void **state)
{
	struct chan_msg m = { .type = CHAN_STOP };

	(void)state;
	fill_queue();
	chan_free(&b);
	assert_int_equal(chan_flush(a, &err), -1);
	assert_int_equal(err.kind, ERR_CLOSED);
	assert_int_equal(chan_recv(a, &m, &err), CHAN_GONE);
}

/* What was sent before the end is read first. */
static void
test_end_of_file(void **state)
{
	struct chan_msg m = { .type = CHAN_DIAG, .number = 1 };

	(void)state;
	assert_int_equal(chan_send(a, &m, &err), 0);
	chan_free(&a);
	assert_int_equal(receive(b).type, CHAN_DIAG);
	assert_int_equal(chan_recv(b, &m, &err), CHAN_GONE);
	assert_int_equal(chan_send(b, &m, &err), -1);
	assert_int_equal(err.kind, ERR_CLOSED);
}

struct head {
	uint32_t magic, type;
	int64_t number;
	uint32_t text_len, fd_count;
};

static void
broken(const void *p, size_t n)
{
	struct chan_msg m;

	assert_int_equal(send(raw, p, n, 0), (ssize_t)n);
	assert_int_equal(chan_recv(b, &m, &err), CHAN_BROKEN);
	assert_int_equal(err.kind, ERR_PROTOCOL);
}

static void
test_broken(void **state)
{
	struct head good = { 0x57534357, CHAN_STOP, 0, 0, 0 }, h;
	char text[sizeof(h) + CHAN_TEXT_MAX + 1] = { 0 };

	(void)state;
	broken("x", 1);
	broken(&good, sizeof(good) - 1);
	h = good, h.magic++;
	broken(&h, sizeof(h));
	h = good, h.type = 99;
	broken(&h, sizeof(h));
	h = good, h.text_len = 1;
	broken(&h, sizeof(h));
	h = good, h.fd_count = 1;
	broken(&h, sizeof(h));
	h = good, h.text_len = CHAN_TEXT_MAX + 1;
	memcpy(text, &h, sizeof(h));
	broken(text, sizeof(text));
	/* and it goes on after each */
	assert_int_equal(send(raw, &good, sizeof(good), 0), sizeof(good));
	assert_int_equal(receive(b).type, CHAN_STOP);
}

#define row(f) cmocka_unit_test_setup_teardown(f, open_pair, close_pair)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		row(test_message), row(test_descriptors),
		row(test_most_descriptors), row(test_size), row(test_queue),
		row(test_gone), row(test_end_of_file), row(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
