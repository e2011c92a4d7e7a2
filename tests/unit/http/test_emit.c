/* SPDX-License-Identifier: Apache-2.0 */
#include "http/emit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static void
values_that_are_safe(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++) {
		char text[] = { 'a', (char)c, 'b' };

		assert_int_equal(http_safe_value((struct str){ text, 3 }),
		    c == '\t' || (c >= 32 && c != 127));
	}
	assert_true(http_safe_value(STR("")));
	assert_true(http_safe_value(STR_NULL));
}

static void
headers_that_would_split_are_left_out(void **state)
{
	struct buf b = { 0 };

	(void)state;
	assert_true(http_emit_header(&b, STR("A"), STR("b")));
	assert_false(http_emit_header(&b, STR("A"), STR("b\r\nC: d")));
	assert_false(http_emit_header(&b, STR("A"), STR("b\0c")));
	assert_false(http_emit_header(&b, STR("A: b\r\nC"), STR("d")));
	assert_false(http_emit_header(&b, STR(""), STR("d")));
	assert_false(http_emit_header(&b, STR("A B"), STR("d")));
	assert_true(http_emit_header(&b, STR("E"), STR("")));
	http_emit_end(&b);
	assert_string_equal(buf_cstr(&b), "A: b\r\nE: \r\n\r\n");
	buf_fini(&b);
}

static void
start_lines(void **state)
{
	struct buf b = { 0 };

	(void)state;
	http_emit_request(&b, STR("GET"), STR("/a?b"));
	http_emit_status(&b, 101);
	http_emit_status(&b, 799);
	assert_string_equal(buf_cstr(&b), "GET /a?b HTTP/1.1\r\n"
	    "HTTP/1.1 101 Switching Protocols\r\nHTTP/1.1 799 Error\r\n");
	buf_fini(&b);
}

static void
reasons(void **state)
{
	static const int ours[] = {
		101, 200, 400, 405, 408, 413, 414, 426, 431, 503, 505,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(ours); i++)
		assert_string_not_equal(http_reason(ours[i]), "Error");
	assert_string_equal(http_reason(426), "Upgrade Required");
	assert_string_equal(http_reason(299), "Error");
}

static void
text_answers(void **state)
{
	struct buf b = { 0 };

	(void)state;
	http_emit_text(&b, 503, HTTP_CLOSE, STR("Retry-After: 1\r\n"),
	    STR("too many connections"));
	assert_string_equal(buf_cstr(&b),
	    "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 21\r\n"
	    "Connection: close\r\n"
	    "Retry-After: 1\r\n"
	    "\r\n"
	    "too many connections\n");
	buf_clear(&b);
	http_emit_text(&b, 200, HTTP_KEEP, STR(""), STR(""));
	assert_string_equal(buf_cstr(&b),
	    "HTTP/1.1 200 OK\r\n"
	    "Content-Type: text/plain; charset=utf-8\r\n"
	    "Content-Length: 0\r\n"
	    "\r\n");
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_that_are_safe),
		cmocka_unit_test(headers_that_would_split_are_left_out),
		cmocka_unit_test(start_lines),
		cmocka_unit_test(reasons),
		cmocka_unit_test(text_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
