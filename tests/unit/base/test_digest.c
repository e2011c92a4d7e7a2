/* SPDX-License-Identifier: Apache-2.0 */
#include "base/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

static void
gives(enum digest d, struct str key, struct str data, const char *want)
{
	uint8_t out[DIGEST_LEN_MAX];
	char hex[2 * DIGEST_LEN_MAX + 1] = "";
	size_t n = 0;

	assert_true(digest_hmac(d, key, data, out, &n));
	for (size_t i = 0; i < n; i++)
		sprintf(hex + 2 * i, "%02x", out[i]);
	assert_string_equal(hex, want);
}

/* RFC 2202 and 4231, test case 2 */
static const struct {
	enum digest d;
	const char *hex;
} rows[] = {
	{ DIGEST_MD5,
	  "750c783e6ab0b503eaa86e310a5db738" },
	{ DIGEST_SHA1,
	  "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	{ DIGEST_SHA224,
	  "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44" },
	{ DIGEST_SHA256,
	  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec"
	  "3843" },
	{ DIGEST_SHA384,
	  "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322"
	  "445e8e2240ca5e69e2c78b3239ecfab21649" },
	{ DIGEST_SHA512,
	  "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea25"
	  "05549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a"
	  "38bce737" },
};

static void
vectors(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		gives(rows[i].d, STR("Jefe"),
		    STR("what do ya want for nothing?"), rows[i].hex);
}

/* RFC 4231, test case 6 */
static void
long_key(void **state UNUSED)
{
	char key[131];

	memset(key, 0xAA, sizeof(key));
	gives(DIGEST_SHA256, (struct str){ key, sizeof(key) },
	    STR("Test Using Larger Than Block-Size Key - Hash Key First"),
	    "60e431591ee0b67f0d8a26aacbf5b77f"
	    "8e0bc6213728c5140546040f0ee37f54");
}

static void
empty_and_absent(void **state UNUSED)
{
	static const char want[] = "b613679a0814d9ec772f95d778c35fc5"
	    "ff1697c493715653c6c712144292c5ad";

	gives(DIGEST_SHA256, STR(""), STR(""), want);
	gives(DIGEST_SHA256, STR_NULL, STR_NULL, want);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors),
		cmocka_unit_test(long_key),
		cmocka_unit_test(empty_and_absent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
