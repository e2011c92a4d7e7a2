/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/subprotocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static void
names(void **state)
{
	static const struct {
		const char *name, *type;	/* type NULL: not spoken */
	} rows[] = {
		{ "synapse(contentType='application/json')", "application/json" },
		{ "synapse(contentType='application/xml')", "application/xml" },
		{ "synapse(contentType='text/xml')", "text/xml" },
		{ "synapse(contentType='text/plain')", "text/plain" },
		{ "synapse(contentType='application/octet-stream')",
		    "application/octet-stream" },
		{ "synapse(contentType=\"application/json\")",
		    "application/json" },
		{ "synapse(contenttype='application/json')",
		    "application/json" },
		{ "SYNAPSE(CONTENTTYPE='application/json')",
		    "application/json" },
		{ "synapse(contentType=' application/json ')",
		    "application/json" },
		{ "synapse(contentType= 'text/plain' )", "text/plain" },
		{ "synapse(contentType='application/json;charset=UTF-8')",
		    "application/json;charset=UTF-8" },
		{ "synapse.json", "application/json" },
		{ "synapse.xml", "application/xml" },
		{ "synapse.text-xml", "text/xml" },
		{ "synapse.text", "text/plain" },
		{ "synapse.binary", "application/octet-stream" },
		{ "", NULL },
		{ "s", NULL },
		{ "chat", NULL },
		{ "synapse", NULL },
		{ "synapse()", NULL },
		{ "synapse(contentType)", NULL },
		{ "synapse(contentType=)", NULL },
		{ "synapse(contentType=')", NULL },
		{ "synapse(contentType='')", NULL },
		{ "synapse(contentType='a)", NULL },
		{ "synapse(contentType='application/json\")", NULL },
		{ "synapse(contentType=application/json)", NULL },
		{ "synapse(contentType='application/json'", NULL },
		{ "synapse(contentType='image/png')", NULL },
		{ "synapse.JSON", NULL },
		{ "synapse.json ", NULL },
		{ "xsynapse(contentType='application/json')", NULL },
		{ "echo", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct subprotocol p = { 0 };
		bool spoken = subprotocol_parse(str_of(rows[i].name), false,
		    &p);

		if (spoken != (rows[i].type != NULL))
			fail_msg("\"%s\": %s", rows[i].name,
			    spoken ? "spoken" : "not spoken");
		if (!spoken)
			continue;
		assert_int_equal(p.kind, SUBPROTOCOL_TYPED);
		if (!str_is(p.type, rows[i].type))
			fail_msg("\"%s\": \"%.*s\"", rows[i].name,
			    STR_FMT(p.type));
	}
}

static void
echo_where_it_is_offered(void **state)
{
	struct subprotocol p = { 0 };

	(void)state;
	assert_true(subprotocol_parse(STR("echo"), true, &p));
	assert_int_equal(p.kind, SUBPROTOCOL_ECHO);
	assert_false(subprotocol_parse(STR("ECHO"), true, &p));
	assert_true(subprotocol_parse(STR("synapse.json"), true, &p));
	assert_int_equal(p.kind, SUBPROTOCOL_TYPED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(echo_where_it_is_offered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
