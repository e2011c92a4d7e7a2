/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every case is a list of frames, what must be told of them, and what must be
 * answered; it is run in both roles, whole, byte by byte and in random pieces,
 * and must come out the same.
 */
#include "ws/ws.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "peer.h"

#define UTF8_BAD "bytes are not UTF-8"

struct conn_case {
	const char *name;
	struct frame_in in[8];
	const char *told;	/* "text hello|close 1000 bye|" */
	const char *answered;	/* the same of the frames we sent */
	const char *error;	/* NULL: no violation */
	struct ws_params params;
};

static const struct conn_case cases[] = {
	{ "text", { { FIN | TEXT, S("hello"), 0 } }, "text hello|", "", NULL,
	    { 0 } },
	{ "empty text", { { FIN | TEXT, S(""), 0 } }, "text |", "", NULL,
	    { 0 } },
	{ "binary with all there is", { { FIN | BINARY, S("\377\200\n\1"),
	    0 } }, "binary \377\200\n\1|", "", NULL, { 0 } },
	{ "two messages", { { FIN | TEXT, S("a"), 0 },
	    { FIN | BINARY, S("b"), 0 } }, "text a|binary b|", "", NULL,
	    { 0 } },
	{ "16 bit length", { { FIN | TEXT, { zeros, 126 }, 0 } },
	    "text *126|", "", NULL, { 0 } },
	{ "16 bit length, longest", { { FIN | TEXT, { zeros, 65535 }, 0 } },
	    "text *65535|", "", NULL, { 0 } },
	{ "64 bit length", { { FIN | BINARY, { zeros, 65536 }, 0 } },
	    "binary *65536|", "", NULL, { 0 } },

	{ "fragments", { { TEXT, S("one "), 0 }, { CONT, S("two "), 0 },
	    { FIN | CONT, S("three"), 0 } }, "text one two three|", "", NULL,
	    { 0 } },
	{ "empty fragments", { { TEXT, S(""), 0 }, { CONT, S(""), 0 },
	    { FIN | CONT, S(""), 0 } }, "text |", "", NULL, { 0 } },
	{ "all in the last fragment", { { BINARY, S(""), 0 },
	    { FIN | CONT, S("x"), 0 } }, "binary x|", "", NULL, { 0 } },
	{ "empty last fragment", { { BINARY, S("x"), 0 },
	    { FIN | CONT, S(""), 0 } }, "binary x|", "", NULL, { 0 } },
	{ "control frames between fragments", { { TEXT, S("a"), 0 },
	    { FIN | PING, S("p"), 0 }, { CONT, S("b"), 0 },
	    { FIN | PONG, S("q"), 0 }, { FIN | CONT, S("c"), 0 },
	    { FIN | TEXT, S("d"), 0 } }, "ping p|pong q|text abc|text d|",
	    "pong p|", NULL, { 0 } },
	{ "continuation without a start", { { FIN | CONT, S("x"), 0 } }, "",
	    "close 1002 received continuation data frame outside fragmented "
	    "message|",
	    "received continuation data frame outside fragmented message",
	    { 0 } },
	{ "continuation after the end", { { TEXT, S("a"), 0 },
	    { FIN | CONT, S("b"), 0 }, { CONT, S("c"), 0 } }, "text ab|",
	    "close 1002 received continuation data frame outside fragmented "
	    "message|",
	    "received continuation data frame outside fragmented message",
	    { 0 } },
	{ "new message inside one", { { TEXT, S("a"), 0 },
	    { FIN | TEXT, S("b"), 0 } }, "",
	    "close 1002 received non-continuation data frame while inside "
	    "fragmented message|",
	    "received non-continuation data frame while inside fragmented "
	    "message", { 0 } },

	{ "ping", { { FIN | PING, S("payload"), 0 } }, "ping payload|",
	    "pong payload|", NULL, { 0 } },
	{ "empty ping", { { FIN | PING, S(""), 0 } }, "ping |", "pong |", NULL,
	    { 0 } },
	{ "longest ping", { { FIN | PING, { zeros, 125 }, 0 } }, "ping *125|",
	    "pong *125|", NULL, { 0 } },
	{ "pong unasked", { { FIN | PONG, S("x"), 0 } }, "pong x|", "", NULL,
	    { 0 } },
	{ "ping too long", { { FIN | PING, { zeros, 126 }, 0 } }, "",
	    "close 1002 control frame with payload length > 125 octets|",
	    "control frame with payload length > 125 octets", { 0 } },
	{ "ping in 64 bits", { { FIN | PING, S("x"), WIRE_LEN64 } }, "",
	    "close 1002 control frame with payload length > 125 octets|",
	    "control frame with payload length > 125 octets", { 0 } },
	{ "fragmented ping", { { PING, S("x"), 0 } }, "",
	    "close 1002 fragmented control frame|",
	    "fragmented control frame", { 0 } },
	{ "fragmented close", { { CLOSE, S("\3\350"), 0 } }, "",
	    "close 1002 fragmented control frame|",
	    "fragmented control frame", { 0 } },

	{ "opcode 3", { { FIN | TEXT, S("good"), 0 },
	    { FIN | 3, { NULL, 1000 }, WIRE_HEAD_ONLY } }, "text good|",
	    "close 1002 data frame using reserved opcode 3|",
	    "data frame using reserved opcode 3", { 0 } },
	{ "opcode 7", { { FIN | 7, S("x"), 0 } }, "",
	    "close 1002 data frame using reserved opcode 7|",
	    "data frame using reserved opcode 7", { 0 } },
	{ "opcode 11", { { FIN | 11, S(""), 0 } }, "",
	    "close 1002 control frame using reserved opcode 11|",
	    "control frame using reserved opcode 11", { 0 } },
	{ "opcode 15", { { FIN | 15, S(""), 0 } }, "",
	    "close 1002 control frame using reserved opcode 15|",
	    "control frame using reserved opcode 15", { 0 } },
	{ "reserved bit 1", { { FIN | RSV1 | TEXT, S("x"), 0 } }, "",
	    "close 1002 RSV != 0 and no extension negotiated, RSV:4|",
	    "RSV != 0 and no extension negotiated, RSV:4", { 0 } },
	{ "reserved bit 2", { { FIN | RSV2 | CLOSE, S(""), 0 } }, "",
	    "close 1002 RSV != 0 and no extension negotiated, RSV:2|",
	    "RSV != 0 and no extension negotiated, RSV:2", { 0 } },
	{ "reserved bit 3", { { FIN | RSV3 | PING, S(""), 0 } }, "",
	    "close 1002 RSV != 0 and no extension negotiated, RSV:1|",
	    "RSV != 0 and no extension negotiated, RSV:1", { 0 } },
	{ "wrong masking", { { FIN | TEXT, S("x"), WIRE_WRONG_MASK } }, "",
	    "close 1002 received a frame that is not masked as expected|",
	    "received a frame that is not masked as expected", { 0 } },
	{ "wrong masking of a close", { { FIN | CLOSE, S(""),
	    WIRE_WRONG_MASK } }, "",
	    "close 1002 received a frame that is not masked as expected|",
	    "received a frame that is not masked as expected", { 0 } },

	{ "16 bits for 125", { { FIN | TEXT, { zeros, 125 }, WIRE_LEN16 } },
	    "", "close 1002 invalid data frame length (not using minimal "
	    "length encoding)|",
	    "invalid data frame length (not using minimal length encoding)",
	    { 0 } },
	{ "64 bits for 65535", { { FIN | TEXT, { zeros, 65535 },
	    WIRE_LEN64 } }, "", "close 1002 invalid data frame length (not "
	    "using minimal length encoding)|",
	    "invalid data frame length (not using minimal length encoding)",
	    { 0 } },
	{ "2^63", { { FIN | BINARY, { NULL, (size_t)1 << 63 },
	    WIRE_HEAD_ONLY } }, "", "close 1002 invalid data frame length "
	    "(most significant bit is set)|",
	    "invalid data frame length (most significant bit is set)", { 0 } },
	{ "2^64 - 1", { { FIN | BINARY, { NULL, SIZE_MAX }, WIRE_HEAD_ONLY } },
	    "", "close 1002 invalid data frame length (most significant bit "
	    "is set)|",
	    "invalid data frame length (most significant bit is set)", { 0 } },
	{ "2^62 with a limit", { { FIN | BINARY, { NULL, (size_t)1 << 62 },
	    WIRE_HEAD_ONLY } }, "",
	    "close 1009 Max message length of 1000 has been exceeded.|",
	    "Max message length of 1000 has been exceeded.",
	    { .max_message = 1000 } },

	{ "message of the limit", { { FIN | BINARY, { zeros, 1000 }, 0 } },
	    "binary *1000|", "", NULL, { .max_message = 1000 } },
	{ "message above the limit", { { FIN | BINARY, { NULL, 1001 },
	    WIRE_HEAD_ONLY } }, "",
	    "close 1009 Max message length of 1000 has been exceeded.|",
	    "Max message length of 1000 has been exceeded.",
	    { .max_message = 1000 } },
	{ "fragments of the limit", { { BINARY, { zeros, 600 }, 0 },
	    { FIN | CONT, { zeros, 400 }, 0 },
	    { FIN | BINARY, { zeros, 1000 }, 0 } },
	    "binary *1000|binary *1000|", "", NULL, { .max_message = 1000 } },
	{ "fragments above the limit", { { BINARY, { zeros, 600 }, 0 },
	    { FIN | PING, S(""), 0 }, { CONT, S(""), 0 },
	    { CONT, { zeros, 401 }, WIRE_HEAD_ONLY } }, "ping |",
	    "pong |close 1009 Max message length of 1000 has been exceeded.|",
	    "Max message length of 1000 has been exceeded.",
	    { .max_message = 1000 } },
	{ "sum overflows", { { BINARY, { zeros, 2 }, 0 },
	    { FIN | CONT, { NULL, ((size_t)1 << 63) - 1 }, WIRE_HEAD_ONLY } },
	    "", "close 1009 Max message length of 10 has been exceeded.|",
	    "Max message length of 10 has been exceeded.",
	    { .max_message = 10 } },
	{ "frame of the limit", { { BINARY, { zeros, 100 }, 0 },
	    { FIN | CONT, { zeros, 100 }, 0 } }, "binary *200|", "", NULL,
	    { .max_frame = 100 } },
	{ "frame above the limit", { { BINARY, { zeros, 100 }, 0 },
	    { FIN | CONT, { NULL, 101 }, WIRE_HEAD_ONLY } }, "",
	    "close 1009 Max frame length of 100 has been exceeded.|",
	    "Max frame length of 100 has been exceeded.",
	    { .max_frame = 100 } },
	{ "as many fragments as allowed", { { BINARY, S("a"), 0 },
	    { CONT, S("b"), 0 }, { FIN | CONT, S("c"), 0 },
	    { BINARY, S("a"), 0 }, { FIN | CONT, S("b"), 0 } },
	    "binary abc|binary ab|", "", NULL, { .max_fragments = 3 } },
	{ "more fragments than allowed", { { BINARY, S("a"), 0 },
	    { CONT, S("b"), 0 }, { CONT, S("c"), 0 },
	    { FIN | CONT, S("d"), 0 } }, "",
	    "close 1009 Max fragment count of 3 has been exceeded.|",
	    "Max fragment count of 3 has been exceeded.",
	    { .max_fragments = 3 } },

	{ "UTF-8", { { FIN | TEXT, S("\316\272\341\275\271\360\237\230\200"),
	    0 } }, "text \316\272\341\275\271\360\237\230\200|", "", NULL,
	    { 0 } },
	{ "character split over fragments", { { TEXT, S("\360"), 0 },
	    { CONT, S("\237\230"), 0 }, { FIN | PING, S("\377"), 0 },
	    { FIN | CONT, S("\200"), 0 } },
	    "ping \377|text \360\237\230\200|", "pong \377|", NULL, { 0 } },
	{ "cut character", { { FIN | TEXT, S("ab\342\202"), 0 } }, "",
	    "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
	{ "cut character, empty last fragment", { { TEXT, S("\342\202"), 0 },
	    { FIN | CONT, S(""), 0 } }, "", "close 1007 " UTF8_BAD "|",
	    UTF8_BAD, { 0 } },
	{ "cut character before a new one", { { TEXT, S("\342\202"), 0 },
	    { CONT, S("a"), 0 } }, "", "close 1007 " UTF8_BAD "|", UTF8_BAD,
	    { 0 } },
	{ "surrogate in the first fragment", { { TEXT, S("\355\240"), 0 } },
	    "", "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
	{ "overlong", { { FIN | TEXT, S("\300\257"), 0 } }, "",
	    "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
	{ "above U+10FFFF", { { FIN | TEXT, S("\364\220\200\200"), 0 } }, "",
	    "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
	{ "Latin-1 behind ASCII", { { FIN | TEXT,
	    S("0123456789012345678901234567890123456789\374ber"), 0 } }, "",
	    "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
	{ "text after a cut message starts anew", { { BINARY, S("\342"), 0 },
	    { FIN | CONT, S("\202"), 0 }, { FIN | TEXT, S("a"), 0 } },
	    "binary \342\202|text a|", "", NULL, { 0 } },

	{ "close without a code", { { FIN | CLOSE, S(""), 0 } },
	    "close 1005 |", "close 1005 |", NULL, { 0 } },
	{ "close is echoed", { { FIN | CLOSE, S("\17\241x"), 0 } },
	    "close 4001 x|", "close 4001 x|", NULL, { 0 } },
	{ "longest close", { { FIN | CLOSE, S("\3\350"
	    "12345678901234567890123456789012345678901234567890123456789012"
	    "3456789012345678901234567890123456789012345678901234567890123"),
	    0 } }, "close 1000 "
	    "12345678901234567890123456789012345678901234567890123456789012"
	    "3456789012345678901234567890123456789012345678901234567890123|",
	    "close 1000 "
	    "12345678901234567890123456789012345678901234567890123456789012"
	    "3456789012345678901234567890123456789012345678901234567890123|",
	    NULL, { 0 } },
	{ "nothing behind a close", { { FIN | CLOSE, S("\3\350"), 0 },
	    { FIN | TEXT, S("x"), 0 }, { FIN | PING, S("x"), 0 },
	    { FIN | CLOSE, S(""), 0 }, { 0xff, S("junk"), 0 } },
	    "close 1000 |", "close 1000 |", NULL, { 0 } },
	{ "close inside a message", { { TEXT, S("half"), 0 },
	    { FIN | CLOSE, S("\3\351"), 0 } }, "close 1001 |",
	    "close 1001 |", NULL, { 0 } },
	{ "close of one byte", { { FIN | CLOSE, S("\3"), 0 } }, "",
	    "close 1002 received close control frame with payload len 1|",
	    "received close control frame with payload len 1", { 0 } },
	{ "close too long", { { FIN | CLOSE, { zeros, 126 }, 0 } }, "",
	    "close 1002 control frame with payload length > 125 octets|",
	    "control frame with payload length > 125 octets", { 0 } },
	{ "close with a bad reason", { { FIN | CLOSE, S("\3\350a\377"), 0 } },
	    "", "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
	{ "close with a cut reason", { { FIN | CLOSE, S("\3\350a\342\202"),
	    0 } }, "", "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
	{ "bad frame behind a good one", { { FIN | TEXT, S("good"), 0 },
	    { FIN | TEXT, S("bad\377"), 0 }, { FIN | TEXT, S("good"), 0 } },
	    "text good|", "close 1007 " UTF8_BAD "|", UTF8_BAD, { 0 } },
};

enum chop { WHOLE, BYTES, RANDOM };

static size_t
next_step(enum chop chop, size_t left)
{
	size_t n = chop == WHOLE ? left : chop == BYTES ? 1 :
	    (size_t)rand() % 9 + ((size_t)rand() % 8 == 0 ? 3000 : 0);

	return n < left ? n : left;
}

static void
run_case(const struct conn_case *k, enum ws_role role, enum chop chop)
{
	struct buf wire = { 0 }, words = { 0 };
	struct err err = { 0 };
	struct peer peer;
	int r = 0;

	peer_init(&peer, role, &k->params);
	add_frames(&wire, role, k->in, ARRAY_LEN(k->in));
	for (size_t at = 0, n; at < buf_len(&wire) && r == 0; at += n) {
		n = next_step(chop, buf_len(&wire) - at);
		r = feed(&peer, buf_data(&wire) + at, n, &err);
	}
	if ((r < 0) != (k->error != NULL))
		fail_msg("%s: %s", k->name, r < 0 ? err.text : "accepted");
	if (k->error)
		assert_string_equal(err.text, k->error);
	assert_int_equal(ws_pending(peer.conn), 0);
	assert_words(k->name, "told", &peer.told, k->told);
	describe_sent(&peer, &words);
	assert_words(k->name, "answered", &words, k->answered);
	assert_int_equal(ws_closed(peer.conn),
	    strstr(k->answered, "close") != NULL);
	/* Nothing is accepted after a failure, and nothing fails twice. */
	if (r < 0) {
		assert_int_equal(feed(&peer, "\301\200junk", 6, &err), 0);
		assert_int_equal(buf_len(&peer.out), 0);
	}
	peer_fini(&peer);
	buf_fini(&wire);
	buf_fini(&words);
}

static void
frames(void **state)
{
	(void)state;
	srand(1);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (int role = WS_SERVER; role <= WS_CLIENT; role++) {
			run_case(&cases[i], (enum ws_role)role, WHOLE);
			run_case(&cases[i], (enum ws_role)role, BYTES);
			for (int again = 0; again < 20; again++)
				run_case(&cases[i], (enum ws_role)role, RANDOM);
		}
}

static bool
code_is_good(unsigned code)
{
	return (code >= 1000 && code <= 1003) ||
	    (code >= 1007 && code <= 1014) || (code >= 3000 && code <= 4999);
}

static void
close_codes(void **state)
{
	static const struct ws_params params = { 0 };

	(void)state;
	for (unsigned code = 0; code <= 65535; code++) {
		char payload[2] = { (char)(code >> 8), (char)(code & 255) };
		struct buf wire = { 0 }, words = { 0 };
		char want[100];
		struct err err;
		struct peer peer;
		bool good = code_is_good(code);

		/* All of the low ones; of the others, those around the limits
		 * and some between. */
		if (code > 5100 && code % 997)
			continue;
		peer_init(&peer, WS_SERVER, &params);
		wire_frame(&wire, 1, FIN | CLOSE, (struct str){ payload, 2 },
		    0);
		assert_int_equal(feed(&peer, buf_data(&wire), buf_len(&wire),
		    &err), good ? 0 : -1);
		describe_sent(&peer, &words);
		if (good)
			snprintf(want, sizeof(want), "close %u |", code);
		else
			snprintf(want, sizeof(want), "close 1002 Invalid "
			    "close frame getStatus code: %u|", code);
		assert_words("code", "answered", &words, want);
		assert_int_equal(ws_close_sendable(code), good);
		assert_int_equal(ws_close_sent(peer.conn), good ? code : 1002);
		assert_int_equal(ws_close_received(peer.conn),
		    good ? code : 0);
		assert_true(ws_closed(peer.conn));
		peer_fini(&peer);
		buf_fini(&wire);
		buf_fini(&words);
	}
	assert_string_equal(ws_close_text(1000), "normal closure");
	assert_string_equal(ws_close_text(1006), "abnormal closure");
	assert_string_equal(ws_close_text(3000), "");
}

/* Bytes that cannot become valid are refused before the frame is whole. */
static void
bad_text_fails_fast(void **state)
{
	static const struct ws_params params = { 0 };
	struct frame_in in = { FIN | TEXT, S("ok \316\272 \364\220"), 0 };
	struct buf wire = { 0 };
	struct err err;
	struct peer peer;

	(void)state;
	in.payload.n = 1000;
	in.form = WIRE_HEAD_ONLY;
	peer_init(&peer, WS_CLIENT, &params);
	add_frames(&wire, WS_CLIENT, &in, 1);
	assert_int_equal(feed(&peer, buf_data(&wire), buf_len(&wire), &err), 0);
	assert_int_equal(feed(&peer, in.payload.p, 7, &err), 0);
	assert_int_equal(ws_pending(peer.conn), 7);
	assert_int_equal(feed(&peer, in.payload.p + 7, 1, &err), -1);
	assert_int_equal(ws_close_sent(peer.conn), 1007);
	assert_int_equal(ws_pending(peer.conn), 0);
	peer_fini(&peer);
	buf_fini(&wire);
}

/* Two bytes are enough to refuse; the rest of the header need not come. */
static void
bad_head_fails_fast(void **state)
{
	static const struct ws_params params = { 0 };
	struct err err;
	struct peer peer;

	(void)state;
	peer_init(&peer, WS_SERVER, &params);
	assert_int_equal(feed(&peer, "\203", 1, &err), 0);
	assert_int_equal(feed(&peer, "\377", 1, &err), -1);
	assert_int_equal(ws_close_sent(peer.conn), 1002);
	peer_fini(&peer);
}

/* A promise of much costs nothing; pieces cost about what they are. */
static void
memory_follows_what_came(void **state)
{
	static const struct ws_params params = { 0 };
	struct frame_in in = { FIN | BINARY, { zeros, (size_t)1 << 40 },
	    WIRE_HEAD_ONLY };
	struct buf wire = { 0 };
	struct err err;
	struct peer peer;

	(void)state;
	peer_init(&peer, WS_CLIENT, &params);
	add_frames(&wire, WS_CLIENT, &in, 1);
	assert_int_equal(feed(&peer, buf_data(&wire), buf_len(&wire), &err), 0);
	assert_int_equal(ws_pending(peer.conn), 0);
	for (size_t sum = 64; sum <= 64000; sum += 64) {
		assert_int_equal(feed(&peer, zeros, 64, &err), 0);
		assert_int_equal(ws_pending(peer.conn), sum);
	}
	assert_int_equal(buf_len(&peer.told), 0);
	peer_fini(&peer);
	buf_fini(&wire);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frames),
		cmocka_unit_test(close_codes),
		cmocka_unit_test(bad_text_fails_fast),
		cmocka_unit_test(bad_head_fails_fast),
		cmocka_unit_test(memory_follows_what_came),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
