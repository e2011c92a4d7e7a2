/* SPDX-License-Identifier: Apache-2.0 */
/* Templates on the message of expr_fixture.h. */
#include "msg/freemarker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "expr_fixture.h"

struct sample {
	const char *template, *text;	/* what comes out, or part of the error */
};

static const struct str arg[] = { { "one", 3 } };

/* Text of the output, or of the error. */
static void
check(struct fixture *f, const struct sample *s, enum err_kind kind)
{
	struct freemarker_data data = { .msg = f->m, .arg = arg, .args = 1,
	    .max_output = 100000 };
	struct buf out = { 0 };
	struct err err = { 0 };
	struct freemarker *t = freemarker_compile(f->arena,
	    str_of(s->template), &err);

	if (kind == ERR_NONE) {
		assert_non_null(t);
		assert_int_equal(freemarker_run(t, &data, &out, &err), 0);
		assert_string_equal(buf_cstr(&out), s->text);
	} else {
		if (t)
			assert_int_equal(freemarker_run(t, &data, &out,
			    &err), -1);
		assert_int_equal(err.kind, kind);
		if (!strstr(err.text, s->text))
			fail_msg("%s: %s", s->template, err.text);
	}
	buf_fini(&out);
}

static void
check_all(const struct sample *s, size_t n, enum err_kind kind)
{
	struct fixture f;

	begin(&f, "application/json", json_body);
	for (size_t i = 0; i < n; i++)
		check(&f, &s[i], kind);
	end(&f);
}

static void
test_output(void **state)
{
	static const struct sample samples[] = {
		{ "a${payload.name}b", "aAnnb" },
		{ "${args.arg1}${args.arg2!'-'}", "one-" },
		{ "${ctx.p} ${ctx.none!\"d\"}", "pv d" },
		{ "${payload.big} ${payload.big?c}",
		    "12,345,678,901 12345678901" },
		{ "${payload.nul!'null'}", "null" },
		{ "${(payload.a.b.c)!'deep'}", "deep" },
		{ "${payload.tags?join('+')} ${payload.tags[0..1]?size}",
		    "a+b+c 2" },
		{ "${0.1 + 0.2} ${10 / 4} ${7 % 4} ${-3 * 2}", "0.3 2.5 3 -6" },
		{ "<#if payload.age gte 30 && !(1 > 2)>y<#else>n</#if>", "y" },
		{ "<#list payload.i as x>${x.n}<#sep>,</#list>", "x,y" },
		{ "<#list [] as x>x<#else>none</#list>", "none" },
		{ "<#assign a><b></#assign>${a?html}", "&lt;b&gt;" },
		{ "x\n<#if true>\ny\n</#if>\nz", "x\ny\nz" },
		{ "<#ftl>\n<#-- c -->\nx", "x" },
		{ "${'$' + '\\x41' + r'\\n'} ${\"<${payload.name}>\"}",
		    "$A\\n <Ann>" },
	};

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(*samples), ERR_NONE);
}

static void
test_wrong_templates(void **state)
{
	static const struct sample samples[] = {
		{ "${", "expression is expected" }, { "${a", "not closed" },
		{ "${a?nope}", "Unknown built-in" },
		{ "<#if a>", "unclosed" }, { "</#if>", "no start" },
		{ "<#list a>", "\"as\"" }, { "${'a", "unterminated" },
		{ "<#-- a", "not closed" }, { "<#break>", "inside" },
		{ "${a.}", "name" }, { "<#assign 1>", "name" },
	};
	struct fixture f;
	char *deep = repeated("${", "(", 100000, "");
	char *blocks = repeated("", "<#if true>", 100000, "");
	char *chain = repeated("${1", "+1", 100000, "}");

	(void)state;
	check_all(samples, sizeof(samples) / sizeof(*samples), ERR_SYNTAX);
	check_all(&(struct sample){ "<#macro a>", "#macro" }, 1,
	    ERR_UNSUPPORTED);
	begin(&f, "application/json", json_body);
	check(&f, &(struct sample){ deep, "nested too deeply" }, ERR_SYNTAX);
	check(&f, &(struct sample){ blocks, "nested too deeply" }, ERR_SYNTAX);
	check(&f, &(struct sample){ chain, "too complex" }, ERR_SYNTAX);
	end(&f);
	free(deep);
	free(blocks);
	free(chain);
}

static void
test_faults(void **state)
{
	static const struct sample missing[] = {
		{ "${payload.zz}", "null or missing: ==> payload.zz [at line "
		    "1, column 3]" },
		{ "\n ${payload.zz.y!1}", "==> payload.zz [at line 2, column 4]" },
	}, value[] = {
		{ "${payload.o}", "Expected a string" },
		{ "${payload.b}", "boolean" },
		{ "${1 / 0}", "Division by zero" },
		{ "<#if payload.name == 1></#if>", "Can't compare" },
		{ "${payload.name[9]}", "out of bounds" },
		{ "${'x'?number}", "to number" },
	}, limit[] = {
		{ "<#list 1..999999999 as i></#list>", "steps" },
		{ "<#list 1..999999999 as i>x</#list>", "output" },
		{ "<#assign s='x'><#list 1..99 as i><#assign s += s></#list>",
		    "strings" },
	};

	(void)state;
	check_all(missing, 2, ERR_NOTFOUND);
	check_all(value, sizeof(value) / sizeof(*value), ERR_VALUE);
	check_all(limit, sizeof(limit) / sizeof(*limit), ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_output),
		cmocka_unit_test(test_wrong_templates),
		cmocka_unit_test(test_faults),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
