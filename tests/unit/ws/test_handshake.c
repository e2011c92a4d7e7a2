/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "http/head.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define HOST "Host: example.org:9092\r\n"
#define UP "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define V13 "Sec-WebSocket-Version: 13\r\n"
#define GET "GET /chat HTTP/1.1\r\n"

static const struct http_limits limits = {
	.line_bytes = 8192, .head_bytes = 16384, .headers = HTTP_MAX_HEADERS,
};

static void
parse_request(const char *text, struct http_head *h)
{
	size_t scanned = 0, used = 0;
	int status = 0;
	struct err err;

	if (http_parse_request(text, strlen(text), &scanned, &limits, h, &used,
	    &status, &err) != HTTP_DONE)
		fail_msg("%s: %d %s", text, status, err.text);
}

static const struct {
	const char *head;
	int status;		/* 0: accepted */
	const char *extra;
} requests[] = {
	{ GET HOST UP V13 KEY "\r\n", 0, "" },
	{ GET HOST "UPGRADE: WebSocket\r\nconnection: keep-alive, Upgrade\r\n"
	    V13 KEY "\r\n", 0, "" },
	{ GET HOST "Upgrade: h2c\r\nUpgrade: websocket\r\n"
	    "Connection: keep-alive\r\nConnection: upgrade\r\n" V13 KEY "\r\n",
	    0, "" },
	{ "GET /a%20b/c;d?x=[1]&y=%7B HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 0,
	    "" },
	{ "GET ws://example.org/x HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 0, "" },
	{ GET HOST UP V13 KEY "Content-Length: 0\r\n\r\n", 0, "" },
	{ GET "Host: [::1]:9\r\n" UP V13 KEY "\r\n", 0, "" },
	{ GET HOST UP V13 KEY "Sec-WebSocket-Extensions: permessage-deflate; "
	    "client_max_window_bits\r\n\r\n", 0, "" },

	{ "POST /chat HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 405,
	    "Allow: GET\r\n" },
	{ "get /chat HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 405,
	    "Allow: GET\r\n" },
	{ "TRACE / HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET\r\n" },
	{ "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET\r\n" },
	{ "CONNECT a:1 HTTP/1.1\r\n" HOST "\r\n", 405, "Allow: GET\r\n" },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 99999999\r\n\r\n", 405,
	    "Allow: GET\r\n" },

	{ GET HOST V13 KEY "\r\n", 426,
	    "Upgrade: websocket\r\nConnection: Upgrade\r\n" },
	{ GET HOST "Upgrade: h2c\r\nConnection: Upgrade\r\n" V13 KEY "\r\n",
	    426, "Upgrade: websocket\r\nConnection: Upgrade\r\n" },
	{ GET HOST "Upgrade: websocket2\r\nConnection: Upgrade\r\n" V13 KEY
	    "\r\n", 426, "Upgrade: websocket\r\nConnection: Upgrade\r\n" },
	{ GET HOST UP KEY "\r\n", 426, "Sec-WebSocket-Version: 13\r\n" },
	{ GET HOST UP KEY "Sec-WebSocket-Version: 12\r\n\r\n", 426,
	    "Sec-WebSocket-Version: 13\r\n" },
	{ GET HOST UP KEY "Sec-WebSocket-Version: 8\r\n\r\n", 426,
	    "Sec-WebSocket-Version: 13\r\n" },
	{ GET HOST UP KEY "Sec-WebSocket-Version: 13abc\r\n\r\n", 426,
	    "Sec-WebSocket-Version: 13\r\n" },
	{ GET HOST UP KEY "Sec-WebSocket-Version: 013\r\n\r\n", 426,
	    "Sec-WebSocket-Version: 13\r\n" },
	{ GET HOST UP KEY V13 V13 "\r\n", 400, "" },

	{ "GET /chat HTTP/1.0\r\n" HOST UP V13 KEY "\r\n", 400, "" },
	{ GET UP V13 KEY "\r\n", 400, "" },
	{ GET HOST HOST UP V13 KEY "\r\n", 400, "" },
	{ GET "Host:\r\n" UP V13 KEY "\r\n", 400, "" },
	{ GET "Host: a/b\r\n" UP V13 KEY "\r\n", 400, "" },
	{ GET "Host: a b\r\n" UP V13 KEY "\r\n", 400, "" },
	{ GET "Host: a%0d%0ab\r\n" UP V13 KEY "\r\n", 400, "" },
	{ GET "Host: u@a\r\n" UP V13 KEY "\r\n", 400, "" },
	{ GET "Host: a:99999\r\n" UP V13 KEY "\r\n", 400, "" },
	{ GET HOST "Upgrade: websocket\r\n" V13 KEY "\r\n", 400, "" },
	{ GET HOST "Upgrade: websocket\r\nConnection: notupgrade\r\n" V13 KEY
	    "\r\n", 400, "" },
	{ GET HOST "Upgrade: websocket\r\nConnection: keep-alive\r\n" V13 KEY
	    "\r\n", 400, "" },
	{ GET HOST UP V13 "\r\n", 400, "" },
	{ GET HOST UP V13 KEY KEY "\r\n", 400, "" },
	{ GET HOST UP V13 "Sec-WebSocket-Key:\r\n\r\n", 400, "" },
	{ GET HOST UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\r\n\r\n",
	    400, "" },
	{ GET HOST UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWFh\r\n"
	    "\r\n", 400, "" },
	{ GET HOST UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWE=\r\n"
	    "\r\n", 400, "" },
	{ GET HOST UP V13 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=?\r\n"
	    "\r\n", 400, "" },
	{ "GET chat HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 400, "" },
	{ "GET * HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 400, "" },
	{ "GET /a|b HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 400, "" },
	{ "GET /{x} HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 400, "" },
	{ "GET /a#b HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 400, "" },
	{ "GET /%zz HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 400, "" },
	{ "GET ftp://a/b HTTP/1.1\r\n" HOST UP V13 KEY "\r\n", 400, "" },

	{ GET HOST UP V13 KEY "Content-Length: 5\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Content-Length: 65536\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Content-Length: 65537\r\n\r\n", 413, "" },
	{ GET HOST UP V13 KEY "Content-Length: -1\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Content-Length: +5\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Content-Length: 0x0\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Content-Length:\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Content-Length: 0, 0\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Content-Length: 0\r\nContent-Length: 0\r\n\r\n",
	    400, "" },
	{ GET HOST UP V13 KEY "Transfer-Encoding: chunked\r\n\r\n", 400, "" },
	{ GET HOST UP V13 KEY "Transfer-Encoding: identity\r\n"
	    "Content-Length: 0\r\n\r\n", 400, "" },
};

static void
requests_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		struct ws_refusal refusal = { .status = 0, .extra = "" };
		struct http_head h;
		struct buf b = { 0 };
		int r;

		parse_request(requests[i].head, &h);
		r = ws_check_request(&h, &refusal);
		if ((r < 0 ? refusal.status : 0) != requests[i].status)
			fail_msg("%d %s: %s", refusal.status, refusal.text,
			    requests[i].head);
		if (r == 0)
			continue;
		assert_non_null(strstr(refusal.extra, requests[i].extra));
		assert_true(refusal.text[0] != '\0');
		assert_null(strchr(refusal.text, '\n'));
		ws_refuse_write(&b, &refusal);
		assert_non_null(strstr(buf_cstr(&b),
		    "\r\nConnection: close\r\n"));
		assert_non_null(strstr(buf_cstr(&b), refusal.text));
		buf_fini(&b);
	}
}

static void
refusal_is_a_whole_answer(void **state)
{
	struct ws_refusal refusal = {
		.status = 426, .text = "no", .extra = "X: y\r\n",
	};
	struct buf b = { 0 };

	(void)state;
	ws_refuse_write(&b, &refusal);
	assert_string_equal(buf_cstr(&b),
	    "HTTP/1.1 426 Upgrade Required\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 3\r\n"
	    "Connection: close\r\n"
	    "X: y\r\n"
	    "\r\n"
	    "no\n");
	buf_fini(&b);
}

/* The example of RFC 6455 section 1.3. */
static void
accept_is_that_of_the_rfc(void **state)
{
	struct http_head h;
	struct buf b = { 0 };

	(void)state;
	parse_request(GET HOST UP V13 KEY "\r\n", &h);
	ws_accept_write(&b, &h, STR("synapse(contentType='text/xml')"),
	    STR("Server: x\r\n"));
	assert_string_equal(buf_cstr(&b),
	    "HTTP/1.1 101 Switching Protocols\r\n"
	    "Upgrade: websocket\r\n"
	    "Connection: Upgrade\r\n"
	    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
	    "Sec-WebSocket-Protocol: synapse(contentType='text/xml')\r\n"
	    "Server: x\r\n"
	    "\r\n");
	buf_clear(&b);
	ws_accept_write(&b, &h, STR_NULL, STR(""));
	assert_null(strstr(buf_cstr(&b), "-Protocol"));
	buf_fini(&b);
}

static const struct {
	const char *headers;
	const char *offers[8];
} offers[] = {
	{ "X: y\r\n", { NULL } },
	{ "Sec-WebSocket-Protocol: chat\r\n", { "chat" } },
	{ "sec-websocket-protocol: a,b ,  c\r\n", { "a", "b", "c" } },
	{ "Sec-WebSocket-Protocol: a\r\nX: y\r\nSec-WebSocket-Protocol: b, a"
	    "\r\n", { "a", "b", "a" } },
	{ "Sec-WebSocket-Protocol: ,, a ,\t, b,\r\n", { "a", "b" } },
	{ "Sec-WebSocket-Protocol:\r\n", { NULL } },
	{ "Sec-WebSocket-Protocol: synapse(contentType='application/json')\r\n",
	    { "synapse(contentType='application/json')" } },
	{ "Sec-WebSocket-Protocol: synapse(contentType='text/xml'), "
	    "synapse(contentType='a,b'),chat\r\n",
	    { "synapse(contentType='text/xml')", "synapse(contentType='a,b')",
	    "chat" } },
	{ "Sec-WebSocket-Protocol: x(')'), y(a(b,c),d), z\r\n",
	    { "x(')')", "y(a(b,c),d)", "z" } },
	{ "Sec-WebSocket-Protocol: \"a,b\", c\r\n", { "\"a,b\"", "c" } },
	{ "Sec-WebSocket-Protocol: it's, who's\r\n", { "it's", "who's" } },
	{ "Sec-WebSocket-Protocol: a(b, c\r\n", { "a(b", "c" } },
	{ "Sec-WebSocket-Protocol: a(', c), d\r\n", { "a('", "c)", "d" } },
	{ "Sec-WebSocket-Protocol: a), b\r\n", { "a)", "b" } },
	{ "Sec-WebSocket-Protocol: 1,2,3,4,5,6,7,8,9\r\n",
	    { "1", "2", "3", "4", "5", "6", "7" } },
};

static void
offers_are_split(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
		char text[400] = GET;
		struct http_head h;
		struct str got[7];
		size_t n, want = 0;

		strcat(text, offers[i].headers);
		strcat(text, "\r\n");
		parse_request(text, &h);
		n = ws_offered_protocols(&h, got, ARRAY_LEN(got));
		while (offers[i].offers[want])
			want++;
		assert_int_equal(n, want);
		for (size_t k = 0; k < n; k++)
			if (!str_is(got[k], offers[i].offers[k]))
				fail_msg("\"%.*s\", not \"%s\"",
				    STR_FMT(got[k]), offers[i].offers[k]);
	}
}

static void
dial_asks_for_all(void **state)
{
	struct ws_dial dial = {
		.host = STR("h:8082"), .target = STR("/websocket?a=b"),
		.origin = STR("http://o"),
		.protocol = STR("synapse(contentType='application/json')"),
		.headers = STR("X-A: 1\r\nX-B: 2\r\n"),
	};
	struct ws_refusal refusal;
	struct http_head h;
	struct buf b = { 0 };

	(void)state;
	ws_dial_write(&b, &dial);
	parse_request(buf_cstr(&b), &h);
	assert_int_equal(ws_check_request(&h, &refusal), 0);
	assert_true(str_is(h.target, "/websocket?a=b"));
	assert_true(str_is(http_get(&h, "Host"), "h:8082"));
	assert_true(str_is(http_get(&h, "Origin"), "http://o"));
	assert_true(str_is(http_get(&h, "Sec-WebSocket-Protocol"),
	    "synapse(contentType='application/json')"));
	assert_true(str_is(http_get(&h, "Sec-WebSocket-Key"), dial.key));
	assert_true(str_is(http_get(&h, "X-A"), "1"));
	assert_true(str_is(http_get(&h, "X-B"), "2"));
	buf_fini(&b);
}

static void
dial_in_its_shortest_form(void **state)
{
	static const struct {
		struct str target;
		const char *sent;
	} rows[] = {
		{ { NULL, 0 }, "/" },
		{ { "", 0 }, "/" },
		{ { "?q", 2 }, "/?q" },
		{ { "/a", 2 }, "/a" },
	};
	char last[WS_KEY_LEN + 1] = "";

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct ws_dial dial = {
			.host = STR("h"), .target = rows[i].target,
		};
		struct http_head h;
		struct buf b = { 0 };

		ws_dial_write(&b, &dial);
		parse_request(buf_cstr(&b), &h);
		assert_true(str_is(h.target, rows[i].sent));
		assert_int_equal(http_count(&h, "Origin"), 0);
		assert_int_equal(http_count(&h, "Sec-WebSocket-Protocol"), 0);
		assert_string_not_equal(dial.key, last);
		memcpy(last, dial.key, sizeof(last));
		buf_fini(&b);
	}
}

#define R101 "HTTP/1.1 101 Switching Protocols\r\n"
#define RUP "upgrade: WebSocket\r\nConnection: keep-alive, upgrade\r\n"
#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define SYNAPSE "synapse(contentType='application/json')"

static const struct {
	const char *head;
	const char *offer;
	const char *protocol;
	const char *error;	/* NULL: accepted */
} responses[] = {
	{ R101 RUP ACCEPT "\r\n", NULL, NULL, NULL },
	{ R101 RUP ACCEPT "\r\n", "chat", NULL, NULL },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n", "chat",
	    "chat", NULL },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol: b\r\n\r\n", "a, b,c", "b",
	    NULL },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol: " SYNAPSE "\r\n\r\n",
	    SYNAPSE, SYNAPSE, NULL },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol: " SYNAPSE "\r\n\r\n",
	    "a, " SYNAPSE, SYNAPSE, NULL },
	{ "HTTP/1.1 101\r\n" RUP ACCEPT "\r\n", NULL, NULL, NULL },

	{ "HTTP/1.1 404 Not Found\r\n\r\n", NULL, NULL,
	    "answer is 404 Not Found, not 101" },
	{ "HTTP/1.1 200 OK\r\n" RUP ACCEPT "\r\n", NULL, NULL,
	    "answer is 200 OK, not 101" },
	{ "HTTP/1.0 101 OK\r\n" RUP ACCEPT "\r\n", NULL, NULL,
	    "answer is not HTTP/1.1" },
	{ R101 "Connection: upgrade\r\n" ACCEPT "\r\n", NULL, NULL,
	    "answer without \"Upgrade: websocket\"" },
	{ R101 "Upgrade: h2c, websocket\r\nConnection: upgrade\r\n" ACCEPT
	    "\r\n", NULL, NULL, "answer without \"Upgrade: websocket\"" },
	{ R101 "Upgrade: websocket\r\n" ACCEPT "\r\n", NULL, NULL,
	    "answer without \"Connection: Upgrade\"" },
	{ R101 RUP "\r\n", NULL, NULL,
	    "answer without the right Sec-WebSocket-Accept" },
	{ R101 RUP ACCEPT ACCEPT "\r\n", NULL, NULL,
	    "answer without the right Sec-WebSocket-Accept" },
	{ R101 RUP "Sec-WebSocket-Accept: S3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
	    NULL, NULL, "answer without the right Sec-WebSocket-Accept" },
	{ R101 RUP ACCEPT "Sec-WebSocket-Extensions: permessage-deflate\r\n"
	    "\r\n", NULL, NULL,
	    "answer with an extension that was not offered" },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol: chat\r\n\r\n", NULL, NULL,
	    "answer with subprotocol \"chat\", which was not offered" },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol: Chat\r\n\r\n", "chat", NULL,
	    "answer with subprotocol \"Chat\", which was not offered" },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol:\r\n\r\n", "chat", NULL,
	    "answer with subprotocol \"\", which was not offered" },
	{ R101 RUP ACCEPT "Sec-WebSocket-Protocol: a\r\n"
	    "Sec-WebSocket-Protocol: a\r\n\r\n", "a", NULL,
	    "answer with more than one Sec-WebSocket-Protocol" },
};

static void
responses_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
		struct ws_dial dial = {
			.protocol = str_of(responses[i].offer),
			.key = "dGhlIHNhbXBsZSBub25jZQ==",
		};
		size_t scanned = 0, used;
		struct str protocol;
		struct http_head h;
		struct err err = { .text = "accepted" };
		int r;

		assert_int_equal(http_parse_response(responses[i].head,
		    strlen(responses[i].head), &scanned, &limits, &h, &used,
		    &err), HTTP_DONE);
		r = ws_check_response(&h, &dial, &protocol, &err);
		if (responses[i].error) {
			assert_string_equal(err.text, responses[i].error);
			assert_int_equal(r, -1);
			continue;
		}
		if (r < 0)
			fail_msg("%s: %s", responses[i].head, err.text);
		assert_int_equal(protocol.p == NULL,
		    responses[i].protocol == NULL);
		assert_true(str_eq(protocol, str_of(responses[i].protocol)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_are_judged),
		cmocka_unit_test(refusal_is_a_whole_answer),
		cmocka_unit_test(accept_is_that_of_the_rfc),
		cmocka_unit_test(offers_are_split),
		cmocka_unit_test(dial_asks_for_all),
		cmocka_unit_test(dial_in_its_shortest_form),
		cmocka_unit_test(responses_are_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
