/* SPDX-License-Identifier: Apache-2.0 */
/* The mediation cases that come down to evaluating expressions; see
 * expr_cases.def. */
#include "msg/expr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

#include "expr_cases.h"
#include "msg/regex.h"
#include "msg/xml.h"

enum step_kind {
	STEP_NONE, STEP_SET, STEP_SET_EXPR, STEP_REMOVE, STEP_VAR,
	STEP_VAR_REMOVE,
};

struct step {
	enum step_kind kind;
	const char *name, *scope, *type, *text;
};

enum check {
	CHECK_SETS,		/* sets r, then as TEXT */
	CHECK_TEXT,		/* the text, null as "" */
	CHECK_TRUTH, CHECK_MATCH, CHECK_TEMPLATE, CHECK_NULL, CHECK_REFUSES,
};

#define TYPE_JSON "application/json"
#define TYPE_XML "application/xml"
#define TYPE_TEXT "text/plain"
#define NO_STEPS { STEP_NONE, NULL, NULL, NULL, NULL }
#define STEPS(...) __VA_ARGS__

static const struct test_case {
	const char *id, *type, *body;
	struct step step[8];
	enum check check;
	const char *pattern, *expression, *text;
} cases[] = {
#define SETS(id_, type_, body_, steps_, expression_, text_) { \
	.id = id_, .type = TYPE_##type_, .body = body_, \
	.step = { steps_ }, .check = CHECK_SETS, \
	.expression = expression_, .text = text_ },
#define ASKS(id_, type_, body_, steps_, check_, pattern_, expression_, text_) { \
	.id = id_, .type = TYPE_##type_, .body = body_, \
	.step = { steps_ }, .check = CHECK_##check_, .pattern = pattern_, \
	.expression = expression_, .text = text_ },
#define REFUSES(id_, expression_) { \
	.id = id_, .type = TYPE_JSON, .body = "{}", \
	.check = CHECK_REFUSES, .expression = expression_, .text = "" },
#include "expr_cases.def"
#undef SETS
#undef ASKS
#undef REFUSES
};

static struct expr *
compiled(struct arena *arena, const char *text)
{
	struct err err = { 0 };
	struct expr *e = expr_compile(arena, str_of(text), NULL, &err);

	if (!e)
		fail_msg("%s: %s (column %d)", text, err.text, err.at.column);
	return e;
}

static struct str
string_of(struct message *m, struct arena *arena, const char *text)
{
	struct err err = { 0 };
	struct str s;

	if (expr_string(compiled(arena, text), m, &s, &err) == -1)
		fail_msg("%s: %s", text, err.text);
	return s;
}

static struct value
typed(struct message *m, struct str text, const char *type,
    enum value_source source)
{
	struct value v = VALUE_OF_STR(text);
	struct err err = { 0 };

	if (type && value_convert(text, str_of(type), source, message_arena(m),
	    &v, &err) == -1)
		fail_msg("%s: %s", type, err.text);
	return v;
}

static void
set_by_expression(struct message *m, struct arena *arena,
    enum msg_scope scope, const struct step *s)
{
	struct str text = string_of(m, arena, s->text);

	if (text.p)
		message_set_prop(m, scope, str_of(s->name),
		    typed(m, text, s->type, VALUE_FROM_EXPRESSION));
}

static void
take_step(struct message *m, struct arena *arena, const struct step *s)
{
	enum msg_scope scope = SCOPE_DEFAULT;

	if (s->scope)
		assert_true(msg_scope_parse(str_of(s->scope), &scope));
	switch (s->kind) {
	case STEP_NONE:
		break;
	case STEP_SET:
		message_set_prop(m, scope, str_of(s->name), typed(m,
		    str_of(s->text), s->type, VALUE_FROM_CONSTANT));
		break;
	case STEP_SET_EXPR:
		set_by_expression(m, arena, scope, s);
		break;
	case STEP_REMOVE:
		message_del_prop(m, scope, str_of(s->name));
		break;
	case STEP_VAR:
		message_set_var(m, str_of(s->name), typed(m, str_of(s->text),
		    s->type, VALUE_FROM_CONSTANT));
		break;
	case STEP_VAR_REMOVE:
		message_del_var(m, str_of(s->name));
		break;
	}
}

static struct str
truth_word(bool yes)
{
	return yes ? STR("true") : STR("false");
}

static struct str
truth_of(struct message *m, struct arena *arena, const char *text)
{
	struct err err = { 0 };
	bool yes;

	if (expr_truth(compiled(arena, text), m, &yes, &err) == -1)
		fail_msg("%s: %s", text, err.text);
	return truth_word(yes);
}

static struct str
match_of(struct message *m, struct arena *arena, const struct test_case *c)
{
	struct regex *re = regex_compile(arena, str_of(c->pattern), NULL);

	assert_non_null(re);
	return truth_word(regex_matches(re, string_of(m, arena, c->expression),
	    NULL) == 1);
}

static struct str
template_of(struct message *m, struct arena *arena, const char *text)
{
	struct expr_template *t = expr_template_compile(arena, str_of(text),
	    NULL, NULL);
	struct str s;

	assert_non_null(t);
	assert_int_equal(expr_template_string(t, m, &s, NULL), 0);
	return s;
}

static struct str
result_of(struct message *m, struct arena *arena, const struct test_case *c)
{
	struct step r = { STEP_SET_EXPR, "r", NULL, NULL, c->expression };

	switch (c->check) {
	case CHECK_SETS:
		take_step(m, arena, &r);
		return string_of(m, arena, "get-property('r')");
	case CHECK_TEXT:
		return string_of(m, arena, c->expression);
	case CHECK_TRUTH:
		return truth_of(m, arena, c->expression);
	case CHECK_MATCH:
		return match_of(m, arena, c);
	case CHECK_TEMPLATE:
		return template_of(m, arena, c->expression);
	case CHECK_NULL:
		assert_null(string_of(m, arena, c->expression).p);
		return STR("");
	case CHECK_REFUSES:
		assert_null(expr_compile(arena, str_of(c->expression), NULL,
		    NULL));
		return STR("");
	}
	return STR_NULL;
}

static void
run_case(const struct test_case *c, struct msg_pool *pool)
{
	struct message *m = message_new(pool);
	struct arena *arena = arena_new(0);
	struct str got;

	message_set_wire(m, str_of(c->body), str_of(c->type), MSG_TEXT);
	for (size_t i = 0; i < ARRAY_LEN(c->step); i++)
		take_step(m, arena, &c->step[i]);
	got = result_of(m, arena, c);
	if (!str_eq(got, str_of(c->text)))
		fail_msg("%s: %s gives [%.*s] instead of [%s]", c->id,
		    c->expression, STR_FMT(got), c->text);
	message_free(&m);
	arena_free(&arena);
}

static void
test_cases(void **state)
{
	struct msg_pool *pool = msg_pool_new(1, NULL);

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		run_case(&cases[i], pool);
	msg_pool_free(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
	};
	int rc;

	xml_global_init();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	xml_global_fini();
	return rc;
}
