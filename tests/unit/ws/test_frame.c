/* SPDX-License-Identifier: Apache-2.0 */
#include "ws/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/attr.h"

static const struct {
	uint64_t len;
	size_t head;		/* without key */
	uint8_t bytes[10];
} lengths[] = {
	{ 0, 2, { 0x82, 0 } },
	{ 1, 2, { 0x82, 1 } },
	{ 125, 2, { 0x82, 125 } },
	{ 126, 4, { 0x82, 126, 0, 126 } },
	{ 127, 4, { 0x82, 126, 0, 127 } },
	{ 256, 4, { 0x82, 126, 1, 0 } },
	{ 65535, 4, { 0x82, 126, 0xff, 0xff } },
	{ 65536, 10, { 0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0 } },
	{ 0x0102030405060708, 10, { 0x82, 127, 1, 2, 3, 4, 5, 6, 7, 8 } },
};

static void
heads_are_written_and_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
		uint8_t head[FRAME_HEAD_MAX] = { 0 };
		size_t n = lengths[i].head;
		bool shortest = false;

		assert_int_equal(frame_write_head(head, 0x82, 0,
		    lengths[i].len), n);
		assert_memory_equal(head, lengths[i].bytes, n);
		assert_int_equal(frame_head_len(head[1]), n);
		assert_true(frame_payload_len(head, &shortest) ==
		    lengths[i].len);
		assert_true(shortest);
		assert_int_equal(frame_write_head(head, 0x82, FRAME_MASKED,
		    lengths[i].len), n);
		assert_int_equal(head[1], lengths[i].bytes[1] | 0x80);
		assert_int_equal(frame_head_len(head[1]), n + 4);
	}
}

static void
long_forms_of_short_lengths_are_told(void **state)
{
	static const struct {
		uint8_t head[10];
		uint64_t len;
		bool shortest;
	} rows[] = {
		{ { 0x82, 126, 0, 125 }, 125, false },
		{ { 0x82, 126, 0, 0 }, 0, false },
		{ { 0x82, 126, 0, 126 }, 126, true },
		{ { 0x82, 127, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 65535, false },
		{ { 0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0 }, 65536, true },
		{ { 0x82, 127, 0x80, 0, 0, 0, 0, 0, 0, 0 }, UINT64_C(1) << 63,
		    true },
		{ { 0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255 },
		    UINT64_MAX, true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool shortest;

		assert_true(frame_payload_len(rows[i].head, &shortest) ==
		    rows[i].len);
		assert_int_equal(shortest, rows[i].shortest);
	}
}

/* One octet at a time, as RFC 6455 5.3 says it. */
static bool
reference(char *to, const char *from, size_t n, struct frame_key key)
{
	bool high = false;

	for (size_t i = 0; i < n; i++) {
		to[i] = (char)((uint8_t)from[i] ^ key.byte[i % 4]);
		high = high || (to[i] & 0x80);
	}
	return high;
}

static char
pattern(size_t i, char high)
{
	return (char)((i * 37 + i / 251) % 128) | high;
}

/* Exact heap blocks at every alignment, so that a sanitizer sees an overrun;
 * into another block and in place. */
static void
try_mask(size_t n, size_t shift, struct frame_key key, char high)
{
	char *from = malloc(n + shift + 1), *to = malloc(n + shift + 1);
	char *want = malloc(n + 1);
	bool expect;

	for (size_t i = 0; i < n; i++)
		from[shift + i] = pattern(i, i == n / 2 ? high : 0);
	expect = reference(want, from + shift, n, key);
	to[shift + n] = 'e';
	assert_int_equal(frame_mask(to + shift, from + shift, n, key), expect);
	assert_memory_equal(to + shift, want, n);
	assert_int_equal(to[shift + n], 'e');
	assert_int_equal(frame_mask_plain(to + shift, from + shift, n, key),
	    expect);
	assert_memory_equal(to + shift, want, n);
	assert_int_equal(frame_mask(from + shift, from + shift, n, key),
	    expect);
	assert_memory_equal(from + shift, want, n);
	free(from);
	free(to);
	free(want);
}

static void
all_ways_to_mask_agree(void **state)
{
	static const struct frame_key keys[] = {
		{ { 0, 0, 0, 0 } },
		{ { 1, 2, 3, 4 } },
		{ { 0x80, 0, 0, 0 } },
		{ { 0x12, 0xf4, 0x56, 0x98 } },
		{ { 0xff, 0xff, 0xff, 0xff } },
	};

	(void)state;
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		for (size_t n = 0; n < 200; n++)
			for (size_t shift = 0; shift < 17; shift += 1) {
				try_mask(n, shift, keys[k], 0);
				try_mask(n, shift, keys[k], (char)0x80);
			}
	for (size_t k = 0; k < ARRAY_LEN(keys); k++)
		try_mask(70001, 3, keys[k], 0);
}

static void
a_key_goes_on_where_it_stopped(void **state)
{
	struct frame_key key = { { 0x11, 0xa2, 0x33, 0xc4 } };
	char from[50], want[50], got[50];

	(void)state;
	for (size_t i = 0; i < sizeof(from); i++)
		from[i] = (char)(i * 5);
	reference(want, from, sizeof(from), key);
	for (size_t cut = 0; cut <= sizeof(from); cut++) {
		frame_mask(got, from, cut, key);
		frame_mask(got + cut, from + cut, sizeof(from) - cut,
		    frame_key_after(key, cut));
		assert_memory_equal(got, want, sizeof(want));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_written_and_read),
		cmocka_unit_test(long_forms_of_short_lengths_are_told),
		cmocka_unit_test(all_ways_to_mask_agree),
		cmocka_unit_test(a_key_goes_on_where_it_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
