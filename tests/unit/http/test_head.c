/* SPDX-License-Identifier: Apache-2.0 */
#include "http/head.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"

static const struct http_limits limits = {
	.line_bytes = 100, .head_bytes = 400, .headers = 8,
};

struct outcome {
	enum http_result result;
	int status;
	size_t used;
	struct err err;
	struct http_head head;
};

/* In a block of its exact size, so that reading on is seen; step bytes more
 * each time. */
static struct outcome
parse(struct str text, size_t step, bool response)
{
	struct outcome o = { .result = HTTP_MORE };
	size_t scanned = 0;

	for (size_t n = step; o.result == HTTP_MORE; n += step) {
		size_t now = n < text.n ? n : text.n;
		char *copy = malloc(now ? now : 1);

		memcpy(copy, text.p, now);
		o.result = response ?
		    http_parse_response(copy, now, &scanned, &limits, &o.head,
		    &o.used, &o.err) :
		    http_parse_request(copy, now, &scanned, &limits, &o.head,
		    &o.used, &o.status, &o.err);
		free(copy);
		if (now == text.n)
			break;
	}
	return o;
}

#define G "GET / HTTP/1.1\r\n"
#define A50 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
/* A literal that may hold a NUL. */
#define T(literal) { "" literal, sizeof(literal) - 1 }

static const struct {
	struct str text;
	int status;		/* 0: done, -1: more is needed */
} requests[] = {
	{ T(G "\r\n"), 0 },
	{ T("\r\n" G "\r\n"), 0 },
	{ T(G "A: b\r\nA:b\r\nC:\r\n\r\n"), 0 },
	{ T(G "A: b\r\n\r\n\201\200 and the first frame"), 0 },
	{ T("GET / HTTP/1.0\r\n\r\n"), 0 },
	{ T("GET / HTTP/1.9\r\n\r\n"), 0 },
	{ T("M-SEARCH * HTTP/1.1\r\n\r\n"), 0 },
	{ T(G "X: a\tb\r\n\r\n"), 0 },
	{ T(G "X: gr\303\274n\r\n\r\n"), 0 },
	{ T(G "1!#$%&'*+-.^_`|~z: x\r\n\r\n"), 0 },
	{ T(G "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\n\r\n"), 0 },
	{ T("GET /" A50 "123456789012345678901234567890123456 HTTP/1.1\r\n"
	    "\r\n"), 0 },

	{ T(""), -1 },
	{ T("\r"), -1 },
	{ T("\r\n"), -1 },
	{ T(G), -1 },
	{ T(G "\r"), -1 },
	{ T(G "A: b\r\n"), -1 },

	/* Two empty lines, a line without CR, a CR without LF. */
	{ T("\r\n\r\n" G "\r\n"), 400 },
	{ T("\r\n\r\n"), 400 },
	{ T("\nGET"), 400 },
	{ T("GET / HTTP/1.1\n"), 400 },
	{ T(G "A: b\n"), 400 },
	{ T(G "A: b\r\n\n"), 400 },
	{ T(G "A: b\rC: d\r\n\r\n"), 400 },
	{ T(G "A: b\r\r\n\r\n"), 400 },
	{ T("\rGET"), 400 },
	/* Control characters, at once. */
	{ T("\026\003\001\002"), 400 },
	{ T("GET /\0"), 400 },
	{ T(G "A: \033[31m"), 400 },
	{ T(G "A: \177"), 400 },
	{ T(G "A: b\0c\r\n\r\n"), 400 },
	/* The request line. */
	{ T("GET\r\n\r\n"), 400 },
	{ T("GET /\r\n\r\n"), 400 },
	{ T("GET  / HTTP/1.1\r\n\r\n"), 400 },
	{ T("GET /  HTTP/1.1\r\n\r\n"), 400 },
	{ T("GET / HTTP/1.1 \r\n\r\n"), 400 },
	{ T(" GET / HTTP/1.1\r\n\r\n"), 400 },
	{ T("GET\t/ HTTP/1.1\r\n\r\n"), 400 },
	{ T("GET /a b HTTP/1.1\r\n\r\n"), 400 },
	{ T("GET /a\tb HTTP/1.1\r\n\r\n"), 400 },
	{ T("GET /\303\274 HTTP/1.1\r\n\r\n"), 400 },
	{ T("G(T / HTTP/1.1\r\n\r\n"), 400 },
	{ T("GET / http/1.1\r\n\r\n"), 400 },
	{ T("GET / HTTP/1.10\r\n\r\n"), 400 },
	{ T("GET / HTTP/1\r\n\r\n"), 400 },
	{ T("GET / HTTP/x.1\r\n\r\n"), 400 },
	{ T("GET / HTTPS/1.1\r\n\r\n"), 400 },
	{ T("GET / HTTP/0.9\r\n\r\n"), 505 },
	{ T("GET / HTTP/9.1\r\n\r\n"), 505 },
	{ T("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
	/* Header lines. */
	{ T(G "A : b\r\n\r\n"), 400 },
	{ T(G "A\t: b\r\n\r\n"), 400 },
	{ T(G " A: b\r\n\r\n"), 400 },
	{ T(G "A: b\r\n c\r\n\r\n"), 400 },
	{ T(G "A: b\r\n\tc\r\n\r\n"), 400 },
	{ T(G "A: b\r\n \r\n\r\n"), 400 },
	{ T(G ": b\r\n\r\n"), 400 },
	{ T(G "no colon\r\n\r\n"), 400 },
	{ T(G "A b: c\r\n\r\n"), 400 },
	{ T(G "A\303\274: c\r\n\r\n"), 400 },
	{ T(G "A: gr\374n\r\n\r\n"), 400 },
	/* Too much. */
	{ T("GET /" A50 "1234567890123456789012345678901234567 HTTP/1.1\r\n"
	    "\r\n"), 414 },
	{ T("GET /" A50 A50), 414 },
	{ T(A50 A50 "12"), -1 },
	{ T(A50 A50 "123"), 414 },
	{ T("\r\n" A50 A50 "12"), -1 },
	{ T("\r\n" A50 A50 "123"), 414 },
	{ T(G "A: " A50 A50 A50 A50 A50 A50 A50 A50), 431 },
	{ T(G "a:\r\nb:\r\nc:\r\nd:\r\ne:\r\nf:\r\ng:\r\nh:\r\ni:\r\n\r\n"),
	    431 },
};

static int
status_of(const struct outcome *o)
{
	return o->result == HTTP_DONE ? 0 : o->result == HTTP_MORE ? -1 :
	    o->status;
}

static void
requests_whole_and_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(requests); i++)
		for (size_t step = 1; step < 600; step += step < 8 ? 1 : 97) {
			struct outcome o = parse(requests[i].text, step,
			    false);

			if (status_of(&o) != requests[i].status)
				fail_msg("step %zu: %d, not %d (%s): %.*s",
				    step, status_of(&o), requests[i].status,
				    o.err.text, STR_FMT(requests[i].text));
			if (o.result == HTTP_BAD)
				assert_true(o.err.text[0] != '\0');
		}
}

static void
head_of_the_limit(void **state)
{
	(void)state;
	for (size_t extra = 0; extra < 3; extra++) {
		struct buf b = { 0 };
		struct outcome o;

		buf_addz(&b, G "A: ");
		while (buf_len(&b) < limits.head_bytes - 5 + extra)
			buf_putc(&b, 'x');
		buf_addz(&b, "\r\n\r\n");
		o = parse(buf_str(&b), 600, false);
		if (extra < 2) {
			assert_int_equal(o.result, HTTP_DONE);
			assert_int_equal(o.used, buf_len(&b));
		} else {
			assert_int_equal(o.result, HTTP_BAD);
			assert_int_equal(o.status, 431);
		}
		buf_fini(&b);
	}
}

static void
request_fields(void **state)
{
	static const char text[] = "\r\nGET /a?b HTTP/1.1\r\n"
	    "Host:  example.org \t\r\n"
	    "X-Empty:\r\n"
	    "Connection: keep-alive, \tUpgrade\r\n"
	    "x-twice: 1\r\n"
	    "X-Twice: 2\r\n"
	    "connection: close\r\n\r\nrest";
	size_t scanned = 0, used = 0;
	struct http_head h;
	struct err err;
	int status;

	(void)state;
	assert_int_equal(http_parse_request(text, sizeof(text) - 1, &scanned,
	    &limits, &h, &used, &status, &err), HTTP_DONE);
	assert_string_equal(text + used, "rest");
	assert_true(str_is(h.method, "GET"));
	assert_true(str_is(h.target, "/a?b"));
	assert_int_equal(h.minor, 1);
	assert_int_equal(h.count, 6);
	assert_true(str_is(http_get(&h, "host"), "example.org"));
	assert_non_null(http_get(&h, "x-empty").p);
	assert_int_equal(http_get(&h, "x-empty").n, 0);
	assert_null(http_get(&h, "absent").p);
	assert_true(str_is(http_get(&h, "X-TWICE"), "1"));
	assert_int_equal(http_count(&h, "X-Twice"), 2);
	assert_int_equal(http_count(&h, "X-Twic"), 0);
	assert_true(http_has_token(&h, "Connection", "upgrade"));
	assert_true(http_has_token(&h, "CONNECTION", "Keep-Alive"));
	assert_true(http_has_token(&h, "Connection", "close"));
	assert_false(http_has_token(&h, "Connection", "keep"));
	assert_false(http_has_token(&h, "Host", "upgrade"));
}

static const struct {
	struct str text;
	int status;		/* of the response; 0: refused, -1: more */
	const char *reason;
} responses[] = {
	{ T("HTTP/1.1 101 Switching Protocols\r\n\r\n"), 101,
	    "Switching Protocols" },
	{ T("HTTP/1.0 404 \r\nA: b\r\n\r\n"), 404, "" },
	{ T("HTTP/1.1 200\r\n\r\n"), 200, "" },
	{ T("HTTP/1.1 503 gr\374n\r\nA: \374\r\n\r\n"), 503, "gr\374n" },
	{ T("HTTP/1.1 101 x"), -1, NULL },
	{ T("\r\nHTTP/1.1 101 x\r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1\r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1 \r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1 1000 x\r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1 099 x\r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1 2x0 x\r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1  101 x\r\n\r\n"), 0, NULL },
	{ T("HTTP/2 101 x\r\n\r\n"), 0, NULL },
	{ T("HTTP/2.0 101 x\r\n\r\n"), 0, NULL },
	{ T("SSH-2.0-x\r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1 101 x\r\nA: b\r\n c\r\n\r\n"), 0, NULL },
	{ T("HTTP/1.1 101 x\nA: b\n\n"), 0, NULL },
	{ T("HTTP/1.1 101 " A50 A50), 0, NULL },
};

static void
responses_whole_and_in_pieces(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
		struct str text = responses[i].text;
		size_t scanned = 0, used = 0;
		struct outcome o = parse(text, 1, true);
		int got = o.result == HTTP_BAD ? 0 : o.result == HTTP_MORE ?
		    -1 : o.head.status;

		if (got != responses[i].status)
			fail_msg("%d: %.*s", got, STR_FMT(text));
		if (got <= 0)
			continue;
		assert_int_equal(http_parse_response(text.p, text.n, &scanned,
		    &limits, &o.head, &used, &o.err), HTTP_DONE);
		assert_int_equal(used, text.n);
		assert_int_equal(o.head.status, got);
		assert_true(str_is(o.head.reason, responses[i].reason));
	}
}

static void
bodies(void **state)
{
	static const struct {
		const char *headers;
		enum http_body body;
		uint64_t length;
	} rows[] = {
		{ "", HTTP_BODY_NONE, 0 },
		{ "Content-Length: 0\r\n", HTTP_BODY_NONE, 0 },
		{ "content-length: 12\r\n", HTTP_BODY_LENGTH, 12 },
		{ "Content-Length: 18446744073709551615\r\n",
		    HTTP_BODY_LENGTH, UINT64_MAX },
		{ "Content-Length: 18446744073709551616\r\n", HTTP_BODY_BAD,
		    0 },
		{ "Content-Length: 1\r\nContent-Length: 1\r\n",
		    HTTP_BODY_BAD, 0 },
		{ "Content-Length: 1, 1\r\n", HTTP_BODY_BAD, 0 },
		{ "Content-Length: 1 1\r\n", HTTP_BODY_BAD, 0 },
		{ "Content-Length: +1\r\n", HTTP_BODY_BAD, 0 },
		{ "Content-Length: -1\r\n", HTTP_BODY_BAD, 0 },
		{ "Content-Length: x\r\n", HTTP_BODY_BAD, 0 },
		{ "Content-Length:\r\n", HTTP_BODY_BAD, 0 },
		{ "Transfer-Encoding: chunked\r\n", HTTP_BODY_CODED, 0 },
		{ "Transfer-Encoding: xchunked\r\n", HTTP_BODY_CODED, 0 },
		{ "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n",
		    HTTP_BODY_BAD, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[200] = G;
		size_t scanned = 0, used;
		uint64_t length = 0;
		struct http_head h;
		struct err err;
		int status;

		strcat(text, rows[i].headers);
		strcat(text, "\r\n");
		assert_int_equal(http_parse_request(text, strlen(text),
		    &scanned, &limits, &h, &used, &status, &err), HTTP_DONE);
		assert_int_equal(http_body(&h, &length), rows[i].body);
		assert_true(length == rows[i].length);
	}
}

static void
tokens(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char text = (char)c;
		bool want = c > 32 && c < 127 &&
		    !strchr("\"(),/:;<=>?@[\\]{}", c);

		assert_int_equal(http_is_token((struct str){ &text, 1 }), want);
	}
	assert_false(http_is_token(STR("")));
	assert_false(http_is_token(STR("a b")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_whole_and_in_pieces),
		cmocka_unit_test(head_of_the_limit),
		cmocka_unit_test(request_fields),
		cmocka_unit_test(responses_whole_and_in_pieces),
		cmocka_unit_test(bodies),
		cmocka_unit_test(tokens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
