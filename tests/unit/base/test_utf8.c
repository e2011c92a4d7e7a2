/* SPDX-License-Identifier: Apache-2.0 */
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/attr.h"

static bool
tail(const uint8_t *p, uint8_t low, uint8_t high)
{
	return *p >= low && *p <= high;
}

/* The grammar of RFC 3629 section 4, row by row: length of the character at
 * p, or 0. */
static size_t
ref_char(const uint8_t *p, size_t n)
{
	if (n >= 1 && p[0] <= 0x7F)
		return 1;
	if (n >= 2 && p[0] >= 0xC2 && p[0] <= 0xDF && tail(p + 1, 0x80, 0xBF))
		return 2;
	if (n >= 3 && tail(p + 2, 0x80, 0xBF) &&
	    ((p[0] == 0xE0 && tail(p + 1, 0xA0, 0xBF)) ||
	    (p[0] >= 0xE1 && p[0] <= 0xEC && tail(p + 1, 0x80, 0xBF)) ||
	    (p[0] == 0xED && tail(p + 1, 0x80, 0x9F)) ||
	    (p[0] >= 0xEE && p[0] <= 0xEF && tail(p + 1, 0x80, 0xBF))))
		return 3;
	if (n >= 4 && tail(p + 2, 0x80, 0xBF) && tail(p + 3, 0x80, 0xBF) &&
	    ((p[0] == 0xF0 && tail(p + 1, 0x90, 0xBF)) ||
	    (p[0] >= 0xF1 && p[0] <= 0xF3 && tail(p + 1, 0x80, 0xBF)) ||
	    (p[0] == 0xF4 && tail(p + 1, 0x80, 0x8F))))
		return 4;
	return 0;
}

static bool
ref_valid(const uint8_t *p, size_t n)
{
	while (n) {
		size_t len = ref_char(p, n);

		if (!len)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

/* Could bytes after these make it valid? */
static bool
ref_prefix(const uint8_t *p, size_t n)
{
	static const uint8_t seconds[] = { 0x80, 0x90, 0xA0, 0xBF };
	uint8_t full[4];
	size_t len;

	while (n && (len = ref_char(p, n)) > 0) {
		p += len;
		n -= len;
	}
	if (n == 0)
		return true;
	if (n > 3)
		return false;
	for (size_t want = n + 1; want <= 4; want++)
		for (size_t i = 0; i < ARRAY_LEN(seconds); i++) {
			memset(full, 0x80, sizeof(full));
			full[1] = seconds[i];
			memcpy(full, p, n);
			if (ref_char(full, want) == want)
				return true;
		}
	return false;
}

/* In two pieces, cut at each place. */
static bool
agrees(const uint8_t *p, size_t n)
{
	bool want = ref_valid(p, n);
	const char *text = (const char *)p;

	for (size_t cut = 0; cut <= n; cut++) {
		struct utf8 u = { 0 };
		bool ok = utf8_feed(&u, text, cut) &&
		    utf8_feed(&u, text + cut, n - cut) && utf8_done(&u);

		if (ok != want)
			return false;
	}
	return utf8_valid(text, n) == want;
}

static void
all_short_sequences(void **state UNUSED)
{
	uint8_t b[3];

	for (unsigned x = 0; x < 0x10000; x++) {
		b[0] = (uint8_t)(x >> 8);
		b[1] = (uint8_t)x;
		if (!agrees(b, 1) || !agrees(b, 2))
			fail_msg("%02x %02x", b[0], b[1]);
	}
	for (unsigned x = 0x800000; x < 0x1000000; x++) {
		b[0] = (uint8_t)(x >> 16);
		b[1] = (uint8_t)(x >> 8);
		b[2] = (uint8_t)x;
		if (utf8_valid((char *)b, 3) != ref_valid(b, 3))
			fail_msg("%02x %02x %02x", b[0], b[1], b[2]);
	}
}

static const uint8_t edges[] = { 0x00, 0x41, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x9F,
	0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
	0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFE, 0xFF };

static void
edge_sequences(void **state UNUSED)
{
	enum { N = ARRAY_LEN(edges) };
	uint8_t b[5] = { 0, 0, 0, 0, 'x' };

	for (unsigned x = 0; x < N * N * N * N; x++) {
		b[0] = edges[x % N];
		b[1] = edges[x / N % N];
		b[2] = edges[x / N / N % N];
		b[3] = edges[x / N / N / N];
		if (!agrees(b, 4) || !agrees(b, 5) || !agrees(b, 3))
			fail_msg("%02x %02x %02x %02x", b[0], b[1], b[2], b[3]);
	}
}

/* False exactly at the byte after which nothing can be mended. */
static void
refused_at_once(void **state UNUSED)
{
	enum { N = ARRAY_LEN(edges) };
	uint8_t b[3];

	for (unsigned x = 0; x < N * N * N; x++) {
		struct utf8 u = { 0 };

		b[0] = edges[x % N];
		b[1] = edges[x / N % N];
		b[2] = edges[x / N / N];
		for (size_t i = 0; i < 3; i++) {
			bool ok = utf8_feed(&u, (char *)b + i, 1);

			if (ok != ref_prefix(b, i + 1))
				fail_msg("%02x %02x %02x at %zu", b[0], b[1],
				    b[2], i);
			if (!ok)
				break;
			if (utf8_done(&u) != ref_valid(b, i + 1))
				fail_msg("done: %02x %02x %02x at %zu", b[0],
				    b[1], b[2], i);
		}
	}
}

/* A character, good or bad, at each place of a longer text: the fast path
 * over ASCII must stop where it stands. */
static void
within_ascii(void **state UNUSED)
{
	static const char *const inserts[] = { "\xC3\xA9", "\xE2\x82\xAC",
		"\xF0\x9F\x98\x80", "\x80", "\xC0\x80", "\xED\xA0\x80",
		"\xF4\x90\x80\x80", "\xFF" };
	uint8_t text[180];

	for (size_t k = 0; k < ARRAY_LEN(inserts); k++) {
		size_t len = strlen(inserts[k]);

		for (size_t n = len; n < 160; n += 1 + n / 16)
			for (size_t at = 0; at + len <= n; at++) {
				memset(text, 'a', sizeof(text));
				memcpy(text + at, inserts[k], len);
				assert_int_equal(
				    utf8_valid((char *)text, n),
				    ref_valid(text, n));
				assert_int_equal(
				    utf8_ascii_run((char *)text, n), at);
			}
	}
}

static void
ascii_run_of_ascii(void **state UNUSED)
{
	char text[300];

	memset(text, 0x7F, sizeof(text));
	for (size_t n = 0; n < sizeof(text); n++) {
		struct utf8 u = { 0 };

		assert_int_equal(utf8_ascii_run(text, n), n);
		assert_true(utf8_feed(&u, text, n));
		assert_true(utf8_done(&u));
	}
	assert_true(utf8_valid("", 0));
}

static void
cut_everywhere(void **state UNUSED)
{
	static const char text[] = "a\xC3\xA9 \xE2\x82\xAC and some more ASCII "
	    "\xF0\x9F\x98\x80\xF4\x8F\xBF\xBF, eight and eight, "
	    "\xED\x9F\xBF\xEE\x80\x80 end";
	size_t n = sizeof(text) - 1;

	for (size_t i = 0; i <= n; i++)
		for (size_t j = i; j <= n; j++) {
			struct utf8 u = { 0 };

			assert_true(utf8_feed(&u, text, i));
			assert_true(utf8_feed(&u, text + i, j - i));
			assert_true(utf8_feed(&u, text + j, n - j));
			assert_true(utf8_done(&u));
			if (!ref_valid((const uint8_t *)text, j))
				assert_false(utf8_valid(text, j));
		}
}

static void
all_codes_there_and_back(void **state UNUSED)
{
	for (uint32_t code = 0; code < 0x110000; code++) {
		bool surrogate = code >= 0xD800 && code <= 0xDFFF;
		uint32_t want = surrogate ? 0xFFFD : code, got = 1;
		char b[4];
		size_t n = utf8_encode(code, b);

		if (ref_char((uint8_t *)b, n) != n ||
		    utf8_decode(b, n, &got) != n || got != want)
			fail_msg("U+%04X: %zu bytes, back U+%04X", code, n, got);
		if (utf8_decode(b, n - 1, &got) != 0)
			fail_msg("U+%04X decoded from %zu bytes", code, n - 1);
	}
}

static void
decode_refuses(void **state UNUSED)
{
	static const char *const bad[] = { "\x80", "\xC1\x81", "\xC3", "\xC3(",
		"\xE0\x9F\xBF", "\xED\xA0\x80", "\xE2\x82", "\xF0\x8F\xBF\xBF",
		"\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF" };
	uint32_t code = 42;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(utf8_decode(bad[i], strlen(bad[i]), &code), 0);
	assert_int_equal(utf8_decode("", 0, &code), 0);
	assert_int_equal(utf8_decode("\xC3\xA9zz", 4, &code), 2);
	assert_int_equal(code, 0xE9);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_short_sequences),
		cmocka_unit_test(edge_sequences),
		cmocka_unit_test(refused_at_once),
		cmocka_unit_test(within_ascii),
		cmocka_unit_test(ascii_run_of_ascii),
		cmocka_unit_test(cut_everywhere),
		cmocka_unit_test(all_codes_there_and_back),
		cmocka_unit_test(decode_refuses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
