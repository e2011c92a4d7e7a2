/* SPDX-License-Identifier: Apache-2.0 */
#include "master/plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct err err;

static void
refused(const char *text, const char *said)
{
	assert_null(plan_parse(str_of(text), &err));
	assert_string_equal(err.text, said);
}

static void
test_good(void **state)
{
	struct plan *p = plan_parse(STR("digest 0a\nlisten 0 a b\n"
	    "listen 65535 c\n"), &err);

	(void)state;
	assert_non_null(p);
	assert_string_equal(p->digest, "0a");
	assert_int_equal(p->count, 2);
	assert_string_equal(p->item[0].name, "a b");
	assert_int_equal(p->item[0].wanted, 0);
	assert_string_equal(p->item[1].name, "c");
	assert_int_equal(p->item[1].port, 65535);
	plan_free(&p);
	assert_null(p);
	plan_free(&p);
}

static void
test_bad(void **state)
{
	(void)state;
	refused("", "a plan without a digest");
	refused("listen 1 a\n", "a plan without a digest");
	refused("digest a\ndigest b\n", "bad line in a plan: digest b");
	refused("digest a\nlisten 65536 a\n",
	    "bad line in a plan: listen 65536 a");
	refused("digest a\nlisten -1 a\n", "bad line in a plan: listen -1 a");
	refused("digest a\nlisten 1\n", "bad line in a plan: listen 1");
	refused("digest a\nlisten 1 \n", "bad line in a plan: listen 1 ");
	refused("digest a\nlisten  a\n", "bad line in a plan: listen  a");
	refused("digest a\nbind 1 a\n", "bad line in a plan: bind 1 a");
	refused("digest a\n\n", "bad line in a plan: ");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
