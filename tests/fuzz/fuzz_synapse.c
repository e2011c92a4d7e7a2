/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Expressions of all three languages on one message: what does not compile
 * says where; what does evaluates or is a fault with a text, and does so alike
 * when asked again.
 */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "msg/expr.h"
#include "msg/xml.h"

static const char body[] = "{\"a\":{\"b\":[1,2.50,{\"c\":\"x\"}],"
    "\"k\":null,\"t\":true,\"f\":12345678.9},\"l\":[{\"i\":1,\"n\":\"A\"},"
    "{\"i\":2,\"n\":\"B\",\"p\":9}],\"s\":\"a\xF0\x9F\x98\x80 b\"}";

static struct msg_pool *pool;
static struct arena *arena;

static void
set_up(void)
{
	xml_global_init();
	clock_set(0, INT64_C(1700000000000000));
	log_threshold = LOG_L_ERROR;
	pool = msg_pool_new(1, NULL);
	arena = arena_new(0);
}

static void
evaluate(const struct expr *e, struct message *m)
{
	struct err err = { .kind = ERR_NONE };
	struct str first = STR_NULL, second = STR_NULL;
	struct value v;
	bool truth;
	int rc = expr_string(e, m, &first, &err);

	must(rc == 0 || err.text[0]);
	must(expr_string(e, m, &second, NULL) == rc);
	must(rc == -1 || (!first.p == !second.p && str_eq(first, second)));
	if (expr_value(e, m, &v, NULL) == 0)
		(void)value_text(&v, message_arena(m));
	must(expr_truth(e, m, &truth, NULL) == rc || rc == 0);
}

static void
check(struct str text)
{
	struct err err = { .kind = ERR_NONE };
	struct expr *e = expr_compile(arena, text, NULL, &err);
	struct message *m;

	if (!e) {
		must(err.kind == ERR_SYNTAX || err.kind == ERR_UNSUPPORTED);
		must(err.at.column > 0);
		return;
	}
	m = message_new(pool);
	message_set_wire(m, str_of(body), STR("application/json"), MSG_TEXT);
	message_set_prop(m, SCOPE_DEFAULT, STR("p"),
	    VALUE_OF_STR(STR("{\"x\":[1]}")));
	message_set_var(m, STR("v"), VALUE_OF_INT(2));
	evaluate(e, m);
	message_free(&m);
}

static void
check_template(struct str text)
{
	struct expr_template *t = expr_template_compile(arena, text, NULL,
	    NULL);
	struct message *m;
	struct str s;

	if (!t)
		return;
	m = message_new(pool);
	message_set_wire(m, str_of(body), STR("application/json"), MSG_TEXT);
	if (expr_template_string(t, m, &s, NULL) == 0)
		must(s.p);
	message_free(&m);
}

/* The first byte chooses: as it is, as ${...}, or as a template. */
int
LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct str text;

	if (!arena)
		set_up();
	if (n == 0)
		return 0;
	text = (struct str){ (const char *)p + 1, n - 1 };
	if (p[0] == 'x')
		check(text);
	else if (p[0] == 't')
		check_template(text);
	else
		check(arena_printf(arena, "${%.*s}", STR_FMT(text)));
	arena_reset(arena);
	return 0;
}
