/* SPDX-License-Identifier: Apache-2.0 */
/* Properties and variables of messages. */
#include "msg/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static struct msg_pool *pool;
static struct message *m;

static int
setup(void **state)
{
	(void)state;
	pool = msg_pool_new(2, NULL);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	msg_pool_free(&pool);
	return 0;
}

static int
start(void **state)
{
	(void)state;
	m = message_new(pool);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	message_free(&m);
	return 0;
}

#define assert_text(str, z) \
	assert_string_equal(arena_str(message_arena(m), str).p, z)

static void
wire_type_is_a_property(void **state)
{
	struct value v;

	(void)state;
	assert_false(message_prop(m, SCOPE_AXIS2, STR("messageType"), &v));
	message_set_wire(m, STR("{}"), STR("application/json"), MSG_TEXT);
	assert_text(message_prop_text(m, SCOPE_AXIS2, STR("messageType")),
	    "application/json");
	assert_text(message_prop_text(m, SCOPE_AXIS2, STR("ContentType")),
	    "application/json");
	assert_null(message_prop_text(m, SCOPE_DEFAULT,
	    STR("messageType")).p);
	message_set_prop(m, SCOPE_AXIS2, STR("messageType"),
	    VALUE_OF_STR(STR("text/plain")));
	assert_text(message_prop_text(m, SCOPE_AXIS2, STR("ContentType")),
	    "text/plain");
	message_del_prop(m, SCOPE_AXIS2, STR("messageType"));
	assert_false(message_prop(m, SCOPE_AXIS2, STR("messageType"), &v));
}

/* Knows "c" in the default scope only. */
static bool
context_get(void *ctx, enum msg_scope scope, struct str name,
    struct arena *a, struct value *out)
{
	(void)a;
	if (scope != SCOPE_DEFAULT || !str_is(name, "c"))
		return false;
	*out = VALUE_OF_STR(str_of(ctx));
	return true;
}

static void
own_properties_come_first(void **state)
{
	char text[] = "from context";
	struct msg_context ctx = { .get = context_get, .ctx = text };
	struct value v;

	(void)state;
	assert_null(message_prop_text(m, SCOPE_DEFAULT, STR("c")).p);
	assert_null(message_context(m)->get);
	message_set_context(m, &ctx);
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR("c")),
	    "from context");
	assert_null(message_prop_text(m, SCOPE_AXIS2, STR("c")).p);
	message_set_prop(m, SCOPE_DEFAULT, STR("c"),
	    VALUE_OF_STR(STR("own")));
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR("c")), "own");
	message_del_prop(m, SCOPE_DEFAULT, STR("c"));
	assert_false(message_prop(m, SCOPE_DEFAULT, STR("c"), &v));
	message_set_prop(m, SCOPE_DEFAULT, STR("c"), VALUE_OF_INT(1));
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR("c")), "1");
}

static void
scopes_are_apart(void **state)
{
	struct value v, null = { .type = VALUE_NULL };

	(void)state;
	for (int s = 0; s < SCOPE_COUNT; s++)
		message_set_prop(m, (enum msg_scope)s, STR("n"),
		    VALUE_OF_INT(s));
	message_set_var(m, STR("n"), VALUE_OF_INT(100));
	for (int s = 0; s < SCOPE_COUNT; s++) {
		assert_true(message_prop(m, (enum msg_scope)s, STR("n"), &v));
		assert_int_equal(v.i, s);
	}
	assert_true(message_var(m, STR("n"), &v));
	assert_int_equal(v.i, 100);
	message_del_var(m, STR("n"));
	assert_false(message_var(m, STR("n"), &v));
	message_del_var(m, STR("none"));

	/* Null: the old value survives, or the header is empty. */
	message_set_prop(m, SCOPE_DEFAULT, STR("n"), null);
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR("n")), "0");
	message_set_prop(m, SCOPE_TRANSPORT, STR("n"), null);
	assert_text(message_prop_text(m, SCOPE_TRANSPORT, STR("n")), "");
	message_set_prop(m, SCOPE_AXIS2_CLIENT, STR("n"), null);
	assert_false(message_prop(m, SCOPE_AXIS2_CLIENT, STR("n"), &v));
}

static void
header_names_are_the_same_in_any_case(void **state)
{
	struct value v;

	(void)state;
	message_set_prop(m, SCOPE_TRANSPORT, STR("X-Name"),
	    VALUE_OF_INT(1));
	message_set_prop(m, SCOPE_TRANSPORT, STR("x-name"),
	    VALUE_OF_INT(2));
	assert_text(message_prop_text(m, SCOPE_TRANSPORT, STR("X-NAME")),
	    "2");
	message_set_prop(m, SCOPE_DEFAULT, STR("a"), VALUE_OF_INT(1));
	assert_false(message_prop(m, SCOPE_DEFAULT, STR("A"), &v));
}

static void
properties_are_listed_in_order(void **state)
{
	const void *at = NULL;
	struct str name;
	struct value v;

	(void)state;
	message_set_prop(m, SCOPE_DEFAULT, STR("b"), VALUE_OF_INT(1));
	message_set_prop(m, SCOPE_AXIS2, STR("x"), VALUE_OF_INT(9));
	message_set_prop(m, SCOPE_DEFAULT, STR("a"), VALUE_OF_INT(2));
	message_set_prop(m, SCOPE_DEFAULT, STR("gone"), VALUE_OF_INT(3));
	message_set_prop(m, SCOPE_DEFAULT, STR("b"), VALUE_OF_INT(4));
	message_del_prop(m, SCOPE_DEFAULT, STR("gone"));
	assert_true(message_next_prop(m, SCOPE_DEFAULT, &at, &name, &v));
	assert_text(name, "b");
	assert_int_equal(v.i, 4);
	assert_true(message_next_prop(m, SCOPE_DEFAULT, &at, &name, &v));
	assert_text(name, "a");
	assert_false(message_next_prop(m, SCOPE_DEFAULT, &at, &name, &v));
	at = NULL;
	assert_false(message_next_var(m, &at, &name, &v));
	message_set_var(m, STR("v"), VALUE_OF_INT(5));
	assert_true(message_next_var(m, &at, &name, &v));
	assert_text(name, "v");
}

static void
many_properties(void **state)
{
	struct value v;

	(void)state;
	for (int i = 0; i < 5000; i++) {
		struct str name = arena_printf(message_arena(m), "N%d", i);

		message_set_prop(m, i & 1 ? SCOPE_TRANSPORT : SCOPE_DEFAULT,
		    name, VALUE_OF_INT(i));
	}
	for (int i = 0; i < 5000; i++) {
		struct str name = arena_printf(message_arena(m), "%c%d",
		    i & 1 ? 'n' : 'N', i);

		assert_true(message_prop(m, i & 1 ? SCOPE_TRANSPORT :
		    SCOPE_DEFAULT, name, &v));
		assert_int_equal(v.i, i);
	}
	assert_false(message_prop(m, SCOPE_DEFAULT, STR("N1"), &v));
	assert_false(message_prop(m, SCOPE_DEFAULT, STR("n2"), &v));
	message_del_prop(m, SCOPE_DEFAULT, STR("N2"));
	assert_false(message_prop(m, SCOPE_DEFAULT, STR("N2"), &v));
}

static void
names_may_be_odd(void **state)
{
	(void)state;
	message_set_prop(m, SCOPE_DEFAULT, STR(""), VALUE_OF_INT(1));
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR_NULL), "1");
	message_set_prop(m, SCOPE_DEFAULT, STR("a\0b"), VALUE_OF_INT(2));
	assert_null(message_prop_text(m, SCOPE_DEFAULT, STR("a\0c")).p);
	assert_text(message_prop_text(m, SCOPE_DEFAULT, STR("a\0b")), "2");
}

static void
only_boolean_true_is_true(void **state)
{
	(void)state;
	assert_false(message_prop_is_true(m, SCOPE_DEFAULT, STR("x")));
	message_set_prop(m, SCOPE_DEFAULT, STR("x"),
	    VALUE_OF_STR(STR("true")));
	assert_false(message_prop_is_true(m, SCOPE_DEFAULT, STR("x")));
	message_set_prop(m, SCOPE_DEFAULT, STR("x"), VALUE_OF_BOOL(false));
	assert_false(message_prop_is_true(m, SCOPE_DEFAULT, STR("x")));
	message_set_prop(m, SCOPE_DEFAULT, STR("x"), VALUE_OF_BOOL(true));
	assert_true(message_prop_is_true(m, SCOPE_DEFAULT, STR("x")));
}

static void
scope_words(void **state)
{
	enum msg_scope s;

	(void)state;
	assert_true(msg_scope_parse(STR("default"), &s));
	assert_int_equal(s, SCOPE_DEFAULT);
	assert_true(msg_scope_parse(STR("synapse"), &s));
	assert_int_equal(s, SCOPE_DEFAULT);
	assert_true(msg_scope_parse(STR("axis2-client"), &s));
	assert_int_equal(s, SCOPE_AXIS2_CLIENT);
	assert_true(msg_scope_parse(STR("file"), &s));
	assert_int_equal(s, SCOPE_FILE);
	assert_false(msg_scope_parse(STR("Default"), &s));
	assert_false(msg_scope_parse(STR(""), &s));
}

#define with_message(fn) cmocka_unit_test_setup_teardown(fn, start, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		with_message(wire_type_is_a_property),
		with_message(own_properties_come_first),
		with_message(scopes_are_apart),
		with_message(header_names_are_the_same_in_any_case),
		with_message(properties_are_listed_in_order),
		with_message(many_properties),
		with_message(names_may_be_odd),
		with_message(only_boolean_true_is_true),
		with_message(scope_words),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
