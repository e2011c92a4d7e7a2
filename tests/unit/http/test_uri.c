/* SPDX-License-Identifier: Apache-2.0 */
#include "http/uri.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *text;
	enum uri_scheme scheme;
	const char *host;
	int port;
	const char *authority, *path, *query, *target;
	bool written, ipv6;
} good[] = {
	{ "ws://localhost:8082/websocket", URI_WS, "localhost", 8082,
	    "localhost:8082", "/websocket", NULL, "/websocket", true, false },
	{ "ws://h", URI_WS, "h", 80, "h", "", NULL, "", false, false },
	{ "WSS://h/", URI_WSS, "h", 443, "h", "/", NULL, "/", false, false },
	{ "http://h?q=1", URI_HTTP, "h", 80, "h", "", "q=1", "?q=1", false,
	    false },
	{ "Https://h:1/?", URI_HTTPS, "h", 1, "h:1", "/", "", "/?", true,
	    false },
	{ "ws://h:/a", URI_WS, "h", 80, "h:", "/a", NULL, "/a", false, false },
	{ "ws://h:65535//a/../b?c?d/e=[f]&g=%7B", URI_WS, "h", 65535,
	    "h:65535", "//a/../b", "c?d/e=[f]&g=%7B",
	    "//a/../b?c?d/e=[f]&g=%7B", true, false },
	{ "wss://[::1]:9/x", URI_WSS, "::1", 9, "[::1]:9", "/x", NULL, "/x",
	    true, true },
	{ "ws://[2001:db8::192.0.2.1]", URI_WS, "2001:db8::192.0.2.1", 80,
	    "[2001:db8::192.0.2.1]", "", NULL, "", false, true },
	{ "ws://192.0.2.1/-._~!$&'()*+,;=:@", URI_WS, "192.0.2.1", 80,
	    "192.0.2.1", "/-._~!$&'()*+,;=:@", NULL, "/-._~!$&'()*+,;=:@",
	    false, false },
	{ "ws://back_end-1.svc.~x./", URI_WS, "back_end-1.svc.~x.", 80,
	    "back_end-1.svc.~x.", "/", NULL, "/", false, false },
	{ "jms+x.1-2://q/a", URI_OTHER, "q", 0, "q", "/a", NULL, "/a", false,
	    false },
};

static void
parts_of_a_uri(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		struct uri u;
		struct err err;

		if (uri_split(str_of(good[i].text), &u, &err) < 0)
			fail_msg("%s: %s", good[i].text, err.text);
		assert_int_equal(u.scheme, good[i].scheme);
		assert_true(str_is(u.host, good[i].host));
		assert_int_equal(u.port, good[i].port);
		assert_int_equal(u.port_written, good[i].written);
		assert_int_equal(u.ipv6, good[i].ipv6);
		assert_true(str_is(u.authority, good[i].authority));
		assert_true(str_is(u.path, good[i].path));
		assert_int_equal(u.query.p == NULL, good[i].query == NULL);
		assert_true(str_eq(u.query, str_of(good[i].query)));
		assert_true(str_is(u.target, good[i].target));
	}
}

/* In a block that ends where the text ends. */
#define T(literal) { "" literal, sizeof(literal) - 1 }

static const struct str bad[] = {
	T(""), T("h"), T("//h"), T("/a"), T("ws"), T("ws:"), T("ws:/"),
	T("ws:h"), T("://h"), T("1ws://h"), T("w s://h"), T("ws\0://h"),
	T("ws://"), T("ws:///a"), T("ws://?q"), T("ws://:80/"),
	T("ws://u@h/"), T("ws://u:p@h/"), T("ws://h/#"), T("ws://h#f"),
	T("ws://h/a#f"), T("ws://h/?a#f"),
	T("ws://h:0/"), T("ws://h:65536/"), T("ws://h:99999999999999999999/"),
	T("ws://h:+1/"), T("ws://h:-1/"), T("ws://h:8a/"), T("ws://h:8 /"),
	T("ws://h:1:2/"), T("ws://[::1/"), T("ws://[]/"), T("ws://[::1]x/"),
	T("ws://[1.2.3.4]/"), T("ws://[::g]/"), T("ws://[fe80::1%25eth0]/"),
	T("ws://[::1\0]/"), T("ws://::1/"), T("ws://h%41/"), T("ws://a b/"),
	T("ws://a,b/"), T("ws://gr\303\274n/"), T("ws://h\0/"),
	T("ws://h/a b"), T("ws://h/a\r\nb"), T("ws://h/a\tb"),
	T("ws://h/a\0b"), T("ws://h/\303\274"), T("ws://h/{a}"),
	T("ws://h/a|b"), T("ws://h/a\\b"), T("ws://h/a^b"), T("ws://h/a`b"),
	T("ws://h/\"a\""), T("ws://h/<a>"), T("ws://h/[a]"), T("ws://h/%"),
	T("ws://h/%4"), T("ws://h/%4g"), T("ws://h/%g4"), T("ws://h/?%4"),
	T("ws://h/?a b"), T("ws://h/?{a}"), T("ws://h/?a|b"), T("ws://h/\177"),
};

static void
uris_that_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct uri u;
		struct err err = { .text = "" };

		if (uri_split(bad[i], &u, &err) == 0)
			fail_msg("accepted: %.*s", STR_FMT(bad[i]));
		assert_true(err.text[0] != '\0');
	}
}

static void
host_names_have_an_end(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(uri_is_authority((struct str){ text, 255 }));
	assert_false(uri_is_authority((struct str){ text, 256 }));
}

static void
targets(void **state)
{
	static const struct {
		const char *text, *path, *query;	/* path NULL: refused */
	} rows[] = {
		{ "/", "/", NULL },
		{ "/a/b?c=d", "/a/b", "c=d" },
		{ "/?", "/", "" },
		{ "//a", "//a", NULL },
		{ "/?x=ws://h/", "/", "x=ws://h/" },
		{ "/a:b://c", "/a:b://c", NULL },
		{ "ws://h:1/a?b", "/a", "b" },
		{ "HTTP://h", "/", NULL },
		{ "https://h?q", "/", "q" },
		{ "ftp://h/a", NULL, NULL },
		{ "ws://u@h/a", NULL, NULL },
		{ "ws:///a", NULL, NULL },
		{ "", NULL, NULL },
		{ "*", NULL, NULL },
		{ "a", NULL, NULL },
		{ "?a", NULL, NULL },
		{ "h:80", NULL, NULL },
		{ "/a#b", NULL, NULL },
		{ "/a b", NULL, NULL },
		{ "/a|b", NULL, NULL },
		{ "/%0", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct str path, query;
		struct err err;
		int r = uri_split_target(str_of(rows[i].text), &path, &query,
		    &err);

		if ((r == 0) != (rows[i].path != NULL))
			fail_msg("%s: %s", rows[i].text,
			    r ? err.text : "accepted");
		if (r < 0)
			continue;
		assert_true(str_is(path, rows[i].path));
		assert_int_equal(query.p == NULL, rows[i].query == NULL);
		assert_true(str_eq(query, str_of(rows[i].query)));
	}
}

static void
escapes(void **state)
{
	static const struct {
		const char *text, *decoded;	/* NULL: refused */
	} rows[] = {
		{ "", "" },
		{ "/a+b", "/a+b" },
		{ "%41%62%2F%2f", "Ab//" },
		{ "%c3%BC", "\303\274" },
		{ "%2541", "%41" },
		{ "%0a", "\n" },
		{ "%10", "\020" },
		{ "a%00b", NULL },
		{ "a%", NULL },
		{ "a%4", NULL },
		{ "a%4x", NULL },
		{ "a%x4", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct buf b = { 0 };
		bool ok;

		buf_addz(&b, "+");
		ok = uri_decode(&b, str_of(rows[i].text));
		assert_int_equal(ok, rows[i].decoded != NULL);
		assert_string_equal(buf_cstr(&b) + 1,
		    ok ? rows[i].decoded : "");
		buf_fini(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parts_of_a_uri),
		cmocka_unit_test(uris_that_are_refused),
		cmocka_unit_test(host_names_have_an_end),
		cmocka_unit_test(targets),
		cmocka_unit_test(escapes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
