/* SPDX-License-Identifier: Apache-2.0 */
#include "expr_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/buf.h"
#include "msg/json.h"

const char json_body[] = "{\"name\":\"Ann\",\"age\":30,"
    "\"big\":12345678901,\"huge\":123456789012345678901,\"f\":2.50,"
    "\"tags\":[\"a\",\"b\",\"c\"],\"nums\":[1,2.50,3],\"idx\":1,"
    "\"i\":[{\"n\":\"x\",\"p\":5},{\"n\":\"y\",\"p\":15.5}],\"nul\":null,"
    "\"b\":true,\"s\":\" hi \",\"emo\":\"a\xF0\x9F\x98\x80" "b\","
    "\"o\":{\"k\":\"v\"},\"js\":\"{\\\"q\\\":[1,2]}\","
    "\"inj\":\"x\\\" || @.p == \\\"5\",\"path\":\"name\"}";

static bool
entry(void *ctx, struct str key, struct arena *arena, struct str *out)
{
	(void)ctx;
	(void)arena;
	*out = STR("{\"r\":[1,2]}");
	return str_is(key, "conf:entry");
}

static bool
param(void *ctx, struct str name, struct arena *arena, struct value *out)
{
	(void)ctx;
	(void)arena;
	*out = VALUE_OF_STR(STR("pval"));
	return str_is(name, "par");
}

static bool
surroundings(void *ctx, enum msg_scope scope, struct str name,
    struct arena *arena, struct value *out)
{
	(void)ctx;
	(void)arena;
	*out = VALUE_OF_STR(STR("from outside"));
	return (scope == SCOPE_SYSTEM && str_is(name, "os.name")) ||
	    (scope == SCOPE_FILE && str_is(name, "cfg")) ||
	    (scope == SCOPE_REGISTRY && str_is(name, "conf:entry@author"));
}

static void
set_properties(struct message *m)
{
	struct arena *a = message_arena(m);
	struct cJSON *json = json_parse(a, STR("{\"x\":7,\"l\":[1.50]}"), 0,
	    NULL);

	message_set_prop(m, SCOPE_DEFAULT, STR("p"), VALUE_OF_STR(STR("pv")));
	message_set_prop(m, SCOPE_DEFAULT, STR("false"),
	    VALUE_OF_STR(STR("false")));
	message_set_prop(m, SCOPE_DEFAULT, STR("empty"),
	    VALUE_OF_STR(STR("")));
	message_set_prop(m, SCOPE_DEFAULT, STR("i"), VALUE_OF_INT(7));
	message_set_prop(m, SCOPE_DEFAULT, STR("no"), VALUE_OF_BOOL(false));
	message_set_prop(m, SCOPE_DEFAULT, STR("j"),
	    (struct value){ .type = VALUE_JSON, .json = json });
	message_set_prop(m, SCOPE_DEFAULT, STR("doc"),
	    VALUE_OF_STR(STR("{\"x\":[1,2]}")));
	message_set_prop(m, SCOPE_AXIS2, STR("q"), VALUE_OF_STR(STR("a2")));
	message_set_prop(m, SCOPE_OPERATION, STR("q"),
	    VALUE_OF_STR(STR("op")));
	message_set_prop(m, SCOPE_TRANSPORT, STR("H-x"),
	    VALUE_OF_STR(STR("hv")));
	message_set_prop(m, SCOPE_DEFAULT, STR("query.param.q"),
	    VALUE_OF_STR(STR("12")));
	message_set_var(m, STR("v"), VALUE_OF_STR(STR("{\"a\":[1,2]}")));
	message_set_var(m, STR("lim"), VALUE_OF_INT(10));
	message_set_var(m, STR("j"),
	    (struct value){ .type = VALUE_JSON, .json = json });
	assert_int_equal(message_set_addressing(m, STR("To"),
	    STR("http://h/p?Ab=1%202&c=x+y&d")), 0);
}

void
begin(struct fixture *f, const char *type, const char *body)
{
	f->pool = msg_pool_new(1, NULL);
	f->m = message_new(f->pool);
	f->arena = arena_new(0);
	message_set_context(f->m, &(struct msg_context){ .get = surroundings,
	    .entry = entry, .func = param });
	message_set_wire(f->m, str_of(body), str_of(type), MSG_TEXT);
	set_properties(f->m);
}

void
end(struct fixture *f)
{
	message_free(&f->m);
	arena_free(&f->arena);
	msg_pool_free(&f->pool);
}

struct expr *
compiled(struct fixture *f, const char *text)
{
	static const struct expr_ns ns[] = {
		{ { "n", 1 }, { "urn:n", 5 } },
		{ { "", 0 }, { "http://ws.apache.org/ns/synapse", 31 } },
	};
	struct expr_scope scope = { .ns = ns, .count = 2,
		.at = { .file = "f.xml", .line = 3 } };
	struct err err = { 0 };
	struct expr *e = expr_compile(f->arena, str_of(text), &scope, &err);

	if (!e)
		fail_msg("%s: %s (column %d)", text, err.text, err.at.column);
	return e;
}

void
check_rows(struct fixture *f, const struct row *row, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct expr *e = compiled(f, row[i].expression);
		struct err err = { 0 };
		struct str got;
		bool truth;

		if (expr_string(e, f->m, &got, &err) == -1 ||
		    expr_truth(e, f->m, &truth, &err) == -1)
			fail_msg("%s: %s", row[i].expression, err.text);
		if (!got.p != !row[i].text ||
		    (got.p && !str_is(got, row[i].text)))
			fail_msg("%s gives [%.*s]", row[i].expression,
			    STR_FMT(got));
		if (truth != row[i].truth)
			fail_msg("%s is %d", row[i].expression, truth);
	}
}

char *
repeated(const char *head, const char *part, size_t n, const char *tail)
{
	struct buf b = { 0 };
	char *text;

	buf_addz(&b, head);
	for (size_t i = 0; i < n; i++)
		buf_addz(&b, part);
	buf_addz(&b, tail);
	text = str_dup(buf_str(&b));
	buf_fini(&b);
	return text;
}
