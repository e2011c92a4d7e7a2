/* SPDX-License-Identifier: Apache-2.0 */
#include "msg/content.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
knows_the_types(void **state)
{
	static const struct {
		const char *type;
		enum content_kind kind;
	} table[] = {
		{ "application/json", CONTENT_JSON },
		{ "application/json; charset=UTF-8", CONTENT_JSON },
		{ " Application/JSON ", CONTENT_JSON },
		{ "application/problem+json", CONTENT_JSON },
		{ "text/json", CONTENT_JSON },
		{ "application/xml", CONTENT_XML },
		{ "image/svg+XML;q=1", CONTENT_XML },
		{ "text/xml", CONTENT_SOAP11 },
		{ "application/soap+xml", CONTENT_SOAP12 },
		{ "text/plain", CONTENT_TEXT },
		{ "application/octet-stream", CONTENT_BINARY },
		{ "text/html", CONTENT_NONE }, { "json", CONTENT_NONE },
		{ "application/jsonx", CONTENT_NONE }, { "", CONTENT_NONE },
		{ ";", CONTENT_NONE }, { "+json", CONTENT_NONE },
		{ "application/x-www-form-urlencoded", CONTENT_NONE },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (content_kind_of(str_of(table[i].type)) != table[i].kind)
			fail_msg("%s", table[i].type);
	assert_int_equal(content_kind_of(STR_NULL), CONTENT_NONE);
}

static void
only_binary_is_no_text(void **state)
{
	(void)state;
	assert_true(content_is_text(CONTENT_JSON));
	assert_true(content_is_text(CONTENT_SOAP12));
	assert_false(content_is_text(CONTENT_BINARY));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(knows_the_types),
		cmocka_unit_test(only_binary_is_no_text),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
