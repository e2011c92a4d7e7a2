/* SPDX-License-Identifier: Apache-2.0 */
#include "base/b64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const struct {
	const char *plain, *coded;
} rfc4648[] = { { "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xFB\xFF\xBF", "+/+/" } };

static void
vectors(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rfc4648); i++) {
		const char *plain = rfc4648[i].plain, *coded = rfc4648[i].coded;
		size_t n = strlen(plain), len = 99;
		char text[16] = { 0 };

		assert_int_equal(b64_encoded_len(n), strlen(coded));
		b64_encode(plain, n, text);
		assert_string_equal(text, coded);
		assert_true(b64_decode(coded, strlen(coded), text, &len));
		assert_int_equal(len, n);
		assert_memory_equal(text, plain, n);
	}
}

/* In memory of the exact size, so that the sanitizer sees a step too far. */
static void
there_and_back(void **state UNUSED)
{
	for (size_t n = 0; n < 200; n++) {
		size_t coded_len = b64_encoded_len(n), len = 0;
		uint8_t *in = malloc(n + 1), *back;
		char *coded = malloc(coded_len + 1);

		assert_non_null(in);
		assert_non_null(coded);
		for (size_t i = 0; i < n; i++)
			in[i] = (uint8_t)(i * 37 + n * 101);
		coded[coded_len] = '#';
		b64_encode(in, n, coded);
		assert_int_equal(coded[coded_len], '#');
		back = malloc(coded_len / 4 * 3 + 3);
		assert_non_null(back);
		assert_true(b64_decode(coded, coded_len, back, &len));
		assert_int_equal(len, n);
		assert_memory_equal(back, in, n);
		free(in), free(coded), free(back);
	}
}

static void
refused(void **state UNUSED)
{
	static const char *const rows[] = { "Z", "Zg", "Zg=", "Zg===", "=",
		"====", "=Zg=", "Z===", "Zm9v=", "Zm9vZg", "Zg==Zm9v", "Zm=v",
		"Zm9v\n", "Zm 9", "Zm-_", "Zm9*", "Zm\xE9v",
		/* bits behind the end that must be 0 */
		"Zh==", "Zm9=", "Zm8v" "Zn==", "/x==" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t out[32];
		size_t n;

		if (b64_decode(rows[i], strlen(rows[i]), out, &n))
			fail_msg("\"%s\" was taken", rows[i]);
	}
}

static void
nul_is_no_digit(void **state UNUSED)
{
	uint8_t out[32];
	size_t n;

	assert_false(b64_decode("Zm\0v", 4, out, &n));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(refused),
		cmocka_unit_test(nul_is_no_digit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
