/* SPDX-License-Identifier: Apache-2.0 */
/* What the owner of a connection calls: sending, closing, acting in callbacks;
 * and where the bytes of a message live. */
#include "ws/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "peer.h"

/* A whole message is handed out where it lies. */
static bool
check_place(void *ctx, const struct ws_event *ev)
{
	char **want = ctx;

	assert_ptr_equal(ev->data, *want);
	*want = NULL;
	return true;
}

static void
whole_messages_are_not_copied(void **state)
{
	static const struct ws_params params = { 0 };
	struct buf wire = { 0 };
	struct err err;
	struct peer peer;
	char *want;

	(void)state;
	peer_init(&peer, WS_SERVER, &params);
	wire_frame(&wire, 1, FIN | TEXT, (struct str){ zeros, 300 }, 0);
	want = buf_data(&wire) + 8;
	assert_int_equal(ws_feed(peer.conn, buf_data(&wire), buf_len(&wire),
	    check_place, &want, &err), 0);
	assert_null(want);
	peer_fini(&peer);
	buf_fini(&wire);
}

/* A fragmented message borrows from the pool of out, and gives it back. */
static void
pieces_are_kept_in_the_pool(void **state)
{
	static const struct ws_params params = { 0 };
	static const struct frame_in in[] = {
		{ TEXT, S("a"), 0 }, { FIN | CONT, S("b"), 0 },
		{ BINARY, S("cut"), 0 },
	};
	struct bufpool *pool = bufpool_new(4);
	struct buf wire = { 0 };
	struct err err;
	struct peer peer;

	(void)state;
	peer_init(&peer, WS_SERVER, &params);
	peer.out.pool = pool;
	add_frames(&wire, WS_SERVER, in, ARRAY_LEN(in));
	assert_int_equal(feed(&peer, buf_data(&wire), buf_len(&wire), &err), 0);
	assert_words("pool", "told", &peer.told, "text ab|");
	assert_int_equal(ws_pending(peer.conn), 3);
	peer_fini(&peer);
	bufpool_free(&pool);
	buf_fini(&wire);
}

/* Runs frames through a peer whose callback has been told to act. */
static void
run_acting(struct peer *peer, const struct frame_in *in, size_t count,
    const char *told, const char *answered)
{
	struct buf wire = { 0 }, words = { 0 };
	struct err err;

	add_frames(&wire, peer->role, in, count);
	assert_int_equal(feed(peer, buf_data(&wire), buf_len(&wire), &err), 0);
	assert_words("acting", "told", &peer->told, told);
	describe_sent(peer, &words);
	assert_words("acting", "sent", &words, answered);
	buf_fini(&wire);
	buf_fini(&words);
}

/* After our Close only the peer's Close is told; what does not fit or is not
 * UTF-8 no longer matters, and pings stay unanswered. */
static void
after_our_close(void **state)
{
	static const struct ws_params params = { .max_message = 8 };
	static const struct frame_in in[] = {
		{ TEXT, S("first"), 0 }, { FIN | CONT, S("."), 0 },
		{ FIN | TEXT, S("dropped, and long"), 0 },
		{ TEXT, S("\377"), 0 }, { FIN | PING, S("p"), 0 },
		{ FIN | CONT, S("x"), 0 },
		{ FIN | CLOSE, S("\3\350bye"), 0 },
		{ FIN | TEXT, S("ignored"), 0 },
	};

	(void)state;
	for (int role = WS_SERVER; role <= WS_CLIENT; role++) {
		struct peer peer;
		struct err err;

		peer_init(&peer, (enum ws_role)role, &params);
		peer.close = true;
		run_acting(&peer, in, 6, "text first.|", "close 4000 enough|");
		assert_int_equal(ws_close_sent(peer.conn), 4000);
		assert_int_equal(ws_close_received(peer.conn), 0);
		assert_false(ws_closed(peer.conn));
		assert_int_equal(ws_pending(peer.conn), 0);
		assert_int_equal(ws_send(peer.conn, WS_OP_TEXT, "x", 1, &err),
		    -1);
		assert_int_equal(err.kind, ERR_STATE);
		assert_int_equal(ws_close(peer.conn, 1000, STR(""), &err), 0);
		run_acting(&peer, in + 6, 2,
		    "text first.|close 1000 bye|", "");
		assert_int_equal(ws_close_received(peer.conn), 1000);
		assert_true(ws_closed(peer.conn));
		peer_fini(&peer);
	}
}

/* ... unless they are wanted: then messages are told, and checked, as ever. */
static void
late_messages(void **state)
{
	static const struct ws_params params = {
		.max_message = 8, .late_messages = true,
	};
	static const struct frame_in in[] = {
		{ TEXT, S("fir"), 0 }, { FIN | PING, S("p"), 0 },
		{ FIN | CONT, S("st"), 0 }, { FIN | TEXT, S("second"), 0 },
		{ FIN | CLOSE, S("\3\350bye"), 0 },
		{ FIN | TEXT, S("ignored"), 0 },
	};
	struct peer peer;
	struct err err;

	(void)state;
	peer_init(&peer, WS_CLIENT, &params);
	assert_int_equal(ws_close(peer.conn, 0, STR(""), &err), 0);
	run_acting(&peer, in, 6,
	    "text first|text second|close 1000 bye|", "close 1005 |");
	assert_true(ws_closed(peer.conn));
	peer_fini(&peer);
}

static void
violation_after_our_close(void **state)
{
	static const struct ws_params params = { 0 };
	struct peer peer;
	struct err err;

	(void)state;
	peer_init(&peer, WS_SERVER, &params);
	assert_int_equal(ws_close(peer.conn, 0, STR(""), &err), 0);
	assert_int_equal(ws_close_sent(peer.conn), 1005);
	assert_int_equal(buf_len(&peer.out), 2);
	assert_int_equal(feed(&peer, "\203\200....", 6, &err), -1);
	assert_int_equal(err.kind, ERR_PROTOCOL);
	assert_int_equal(buf_len(&peer.out), 2);
	assert_true(ws_closed(peer.conn));
	peer_fini(&peer);
}

static void
callback_may_stop_and_answer(void **state)
{
	static const struct ws_params params = { 0 };
	static const struct frame_in in[] = {
		{ FIN | TEXT, S("one"), 0 }, { FIN | PING, S("p"), 0 },
		{ FIN | TEXT, S("two"), 0 },
	};
	struct peer peer;

	(void)state;
	peer_init(&peer, WS_SERVER, &params);
	peer.echo = true;
	run_acting(&peer, in, 3, "text one|ping p|text two|",
	    "text one|pong p|ping p|text two|");
	peer.stop = true;
	run_acting(&peer, in, 3, "text one|ping p|text two|text one|",
	    "text one|");
	peer_fini(&peer);
}

static void
sending(void **state)
{
	static const size_t sizes[] = {
		0, 1, 64, 125, 126, 1000, 65535, 65536, 70000,
	};
	static const struct ws_params params = { 0 };

	(void)state;
	for (int role = WS_SERVER; role <= WS_CLIENT; role++) {
		struct wire_got got = { .masked = 0 };
		struct buf words = { 0 };
		struct peer peer;
		struct err err;

		peer_init(&peer, (enum ws_role)role, &params);
		for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
			assert_int_equal(ws_send(peer.conn, WS_OP_BINARY,
			    sizes[i] ? zeros : NULL, sizes[i], &err), 0);
			assert_int_equal(wire_read(&peer.out, &got), 1);
			assert_int_equal(got.masked, role == WS_CLIENT);
			assert_int_equal(got.first, FIN | BINARY);
			assert_int_equal(buf_len(&got.payload), sizes[i]);
			if (sizes[i])
				assert_memory_equal(buf_data(&got.payload),
				    zeros, sizes[i]);
		}
		assert_int_equal(ws_ping(peer.conn, STR("p"), &err), 0);
		assert_int_equal(ws_send(peer.conn, WS_OP_PONG, "q", 1, &err),
		    0);
		assert_int_equal(ws_ping(peer.conn,
		    (struct str){ zeros, 126 }, &err), -1);
		assert_int_equal(err.kind, ERR_VALUE);
		assert_int_equal(ws_send(peer.conn, WS_OP_CLOSE, "", 0, &err),
		    -1);
		assert_int_equal(ws_send(peer.conn, WS_OP_CONT, "", 0, &err),
		    -1);
		assert_int_equal(ws_close(peer.conn, 1006, STR(""), &err), -1);
		assert_int_equal(ws_close_sent(peer.conn), 0);
		describe_sent(&peer, &words);
		assert_words("send", "sent", &words, "ping p|pong q|");
		buf_fini(&words);
		buf_fini(&got.payload);
		peer_fini(&peer);
	}
}

/* A fresh key for every frame (RFC 6455 5.3). */
static void
keys_differ(void **state)
{
	static const struct ws_params params = { 0 };
	struct wire_got got = { .masked = 0 };
	static uint32_t seen[2000];
	struct peer peer;
	struct err err;

	(void)state;
	peer_init(&peer, WS_CLIENT, &params);
	for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
		assert_int_equal(ws_send(peer.conn, WS_OP_TEXT, "x", 1, &err),
		    0);
		assert_int_equal(wire_read(&peer.out, &got), 1);
		memcpy(&seen[i], got.key, 4);
		/* Two equal neighbours come once in 2^32. */
		assert_true(i == 0 || seen[i] != seen[i - 1]);
	}
	buf_fini(&got.payload);
	peer_fini(&peer);
}

static void
close_reason_is_cut(void **state)
{
	static const struct {
		const char *reason;
		size_t repeat;
		size_t kept;
	} rows[] = {
		{ "x", 123, 123 },
		{ "x", 124, 123 },
		{ "\303\274", 61, 122 },
		{ "\303\274", 62, 122 },	/* 123 would cut one */
		{ "\342\202\254", 41, 123 },
		{ "\342\202\254", 500, 123 },
		{ "\360\237\230\200", 31, 120 },
		{ "ab\377cd", 1, 2 },		/* only what is UTF-8 */
		{ "\377", 1, 0 },
	};
	static const struct ws_params params = { 0 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct wire_got got = { .masked = 0 };
		struct buf reason = { 0 };
		struct peer peer;
		struct err err;

		peer_init(&peer, WS_CLIENT, &params);
		for (size_t k = 0; k < rows[i].repeat; k++)
			buf_addz(&reason, rows[i].reason);
		assert_int_equal(ws_close(peer.conn, 1011, buf_str(&reason),
		    &err), 0);
		assert_int_equal(wire_read(&peer.out, &got), 1);
		assert_int_equal(got.first, FIN | CLOSE);
		assert_int_equal(buf_len(&got.payload), 2 + rows[i].kept);
		assert_memory_equal(buf_data(&got.payload), "\3\363", 2);
		assert_memory_equal(buf_data(&got.payload) + 2,
		    buf_data(&reason), rows[i].kept);
		buf_fini(&got.payload);
		buf_fini(&reason);
		peer_fini(&peer);
	}
}

static void
out_may_move(void **state)
{
	static const struct ws_params params = { 0 };
	struct buf other = { 0 };
	struct peer peer;
	struct err err;

	(void)state;
	peer_init(&peer, WS_SERVER, &params);
	ws_conn_set_out(peer.conn, &other);
	assert_int_equal(ws_send(peer.conn, WS_OP_TEXT, "hi", 2, &err), 0);
	assert_int_equal(buf_len(&peer.out), 0);
	assert_true(str_is(buf_str(&other), "\201\2hi"));
	peer_fini(&peer);
	buf_fini(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_messages_are_not_copied),
		cmocka_unit_test(pieces_are_kept_in_the_pool),
		cmocka_unit_test(after_our_close),
		cmocka_unit_test(late_messages),
		cmocka_unit_test(violation_after_our_close),
		cmocka_unit_test(callback_may_stop_and_answer),
		cmocka_unit_test(sending),
		cmocka_unit_test(keys_differ),
		cmocka_unit_test(close_reason_is_cut),
		cmocka_unit_test(out_may_move),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
