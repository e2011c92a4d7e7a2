/* SPDX-License-Identifier: Apache-2.0 */
/* What time does to sessions and back-ends: peers that stall, and peers that
 * are only slow. */
#include "rig.h"

#include "http/head.h"
#include "msg/xml.h"
#include "ws/handshake.h"

enum {
	MINUTE = 60000,
	MEGABYTE = 1 << 20,
	HEAD = 10,		/* of a large frame, unmasked */
	PIECE = 200000,
};

static const char limits[] = "limits: { send_queue = \"64K\"; message_size = "
    "\"8M\"; close_timeout = \"5s\"; };";

/* The kernels may have taken some at first: then it is the second look. */
static void
look_twice(struct rig *r, int64_t ms)
{
	rig_later(r, 1);
	if (rig_session(r)->pauses)
		rig_later(r, ms);
}

static void
client_that_reads_nothing_for_a_minute(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	rig_init(&r, limits, "<respond/>");
	fd = rig_client(&r);
	rig_send(&r, fd, 6 * MEGABYTE);
	assert_true(rig_session(&r)->pauses & PAUSE_CLIENT);
	rig_later(&r, MINUTE - 1);
	assert_int_equal(rig_session(&r)->phase, SESSION_OPEN);
	look_twice(&r, MINUTE);
	assert_int_equal(rig_session(&r)->phase, SESSION_CLOSING);
	rig_later(&r, 5000);
	assert_null(rig_session(&r));
	close(fd);
	rig_fini(&r);
}

static void
client_that_reads_a_little(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	rig_init(&r, limits, "<respond/>");
	fd = rig_client(&r);
	rig_send(&r, fd, 6 * MEGABYTE);
	for (int i = 0; i < 5; i++) {
		rig_read(&r, fd, PIECE);
		rig_later(&r, MINUTE);
		assert_int_equal(rig_session(&r)->phase, SESSION_OPEN);
	}
	/* All read: nothing is watched any more. */
	rig_read(&r, fd, HEAD + 6 * MEGABYTE - 5 * PIECE);
	assert_int_equal(rig_session(&r)->pauses, 0);
	rig_later(&r, 10 * MINUTE);
	assert_int_equal(rig_session(&r)->phase, SESSION_OPEN);
	close(fd);
	rig_turn(&r);
	assert_null(rig_session(&r));
	rig_fini(&r);
}

/* Takes the connection of the gateway and answers its request. */
static int
accept_backend(struct rig *r, int listener)
{
	static const struct http_limits most = {
		.line_bytes = 4096, .head_bytes = 4096,
		.headers = HTTP_MAX_HEADERS,
	};
	struct buf answer = { 0 };
	struct http_head head;
	size_t scanned = 0, used;
	char request[2000];
	struct err err;
	ssize_t n;
	int fd, status;

	rig_turn(r);
	fd = accept(listener, NULL, NULL);
	assert_true(fd >= 0);
	rig_turn(r);
	n = recv(fd, request, sizeof(request), MSG_DONTWAIT);
	assert_true(n > 0);
	assert_int_equal(http_parse_request(request, (size_t)n, &scanned,
	    &most, &head, &used, &status, &err), HTTP_DONE);
	ws_accept_write(&answer, &head, STR_NULL, STR(""));
	assert_int_equal(send(fd, buf_data(&answer), buf_len(&answer), 0),
	    buf_len(&answer));
	buf_fini(&answer);
	rig_turn(r);
	return fd;
}

/* With a back-end that has its 101 and one message, and 6 MB for it on the
 * way. */
static void
start_relay(struct rig *r, const char *timeout, int *client, int *backend)
{
	char body[400];
	uint16_t port;
	int listener = listen_somewhere(&port);

	snprintf(body, sizeof(body), "<send><endpoint name=\"b\"><address "
	    "uri=\"ws://127.0.0.1:%u/\">%s</address></endpoint></send>",
	    (unsigned)port, timeout);
	rig_init(r, limits, body);
	*client = rig_client(r);
	rig_send(r, *client, 1);
	*backend = accept_backend(r, listener);
	close(listener);
	rig_send(r, *client, 6 * MEGABYTE);
	assert_true(rig_session(r)->pauses & PAUSE_BACKEND);
}

static void
backend_that_reads_nothing(void **state)
{
	static const struct {
		const char *timeout;
		int64_t ms;
	} rows[] = {
		{ "", MINUTE },
		{ "<timeout><duration>3000</duration></timeout>", 3000 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct rig r;
		int client, backend;

		start_relay(&r, rows[i].timeout, &client, &backend);
		rig_later(&r, rows[i].ms - 1);
		assert_true(rig_session(&r)->pauses & PAUSE_BACKEND);
		assert_int_equal(board_get(r.w.board, backends), 1);
		look_twice(&r, rows[i].ms);
		assert_int_equal(rig_session(&r)->pauses, 0);
		assert_int_equal(rig_session(&r)->phase, SESSION_OPEN);
		assert_int_equal(board_get(r.w.board, backends), 0);
		assert_int_equal(board_get(r.w.board, backend_failures), 1);
		close(client);
		close(backend);
		rig_fini(&r);
	}
}

static void
backend_that_reads_a_little(void **state)
{
	struct rig r;
	int client, backend;

	(void)state;
	start_relay(&r, "", &client, &backend);
	for (int i = 0; i < 5; i++) {
		rig_read(&r, backend, PIECE);
		rig_later(&r, MINUTE);
		assert_int_equal(board_get(r.w.board, backends), 1);
	}
	/* The small message was there first. */
	rig_read(&r, backend, 7 + HEAD + 4 + 6 * MEGABYTE - 5 * PIECE);
	assert_int_equal(rig_session(&r)->pauses, 0);
	rig_later(&r, 10 * MINUTE);
	assert_int_equal(board_get(r.w.board, backends), 1);
	close(client);
	rig_later(&r, 0);
	/* It has its Close, and time to answer it. */
	assert_int_equal(rig_session(&r)->phase, SESSION_HALF);
	rig_later(&r, 5000);
	assert_null(rig_session(&r));
	close(backend);
	rig_fini(&r);
}

/* It ended its side and does not take what is left. */
static void
half_closed_client_that_reads_nothing(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	rig_init(&r, "limits: { send_queue = \"8M\"; message_size = \"8M\"; "
	    "close_timeout = \"5s\"; };", "<respond/>");
	fd = rig_client(&r);
	rig_send(&r, fd, 6 * MEGABYTE);
	assert_int_equal(rig_session(&r)->pauses, 0);
	shutdown(fd, SHUT_WR);
	rig_turn(&r);
	assert_int_equal(rig_session(&r)->phase, SESSION_LINGER);
	rig_later(&r, 4999);
	assert_non_null(rig_session(&r));
	rig_later(&r, 1);
	assert_null(rig_session(&r));
	close(fd);
	rig_fini(&r);
}

static void
head_that_does_not_come(void **state)
{
	struct rig r;
	int fd;

	(void)state;
	rig_init(&r, "limits: { handshake_timeout = \"10s\"; };",
	    "<respond/>");
	fd = rig_connect(&r);
	rig_turn(&r);
	assert_int_equal(rig_session(&r)->phase, SESSION_HEAD);
	/* Bytes do not help, a whole probe does. */
	for (int i = 0; i < 3; i++) {
		rig_later(&r, 9000);
		rig_say(&r, fd, "GET /health HTTP/1.1\r\n");
		rig_say(&r, fd, "Host: x\r\n\r\n");
		assert_int_equal(rig_session(&r)->phase, SESSION_HEAD);
	}
	rig_later(&r, 9000);
	rig_say(&r, fd, "GET /health");
	rig_later(&r, 1000);
	assert_null(rig_session(&r));
	close(fd);
	rig_fini(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_that_reads_nothing_for_a_minute),
		cmocka_unit_test(client_that_reads_a_little),
		cmocka_unit_test(backend_that_reads_nothing),
		cmocka_unit_test(backend_that_reads_a_little),
		cmocka_unit_test(half_closed_client_that_reads_nothing),
		cmocka_unit_test(head_that_does_not_come),
	};
	int status;

	xml_global_init();
	status = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return status;
}
