/* SPDX-License-Identifier: Apache-2.0 */
/* payload, variables, headers and properties. */
#include "msg/expr_synapse.h"

#include "base/must.h"
#include "msg/json.h"

/* A text as a quoted name or literal of JSONPath. */
static struct str
quoted(struct str s, struct arena *arena)
{
	char *p = arena_alloc(arena, s.n * 2 + 3), *o = p;

	*o++ = '"';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			*o++ = '\\';
		*o++ = s.p[i];
	}
	*o++ = '"';
	*o = '\0';
	return (struct str){ p, (size_t)(o - p) };
}

/* What an expression inside of a path gave, as JSONPath spells it. */
static int
fill_hole(struct sx_run *r, const struct sx_piece *piece, struct str *out)
{
	struct sx v;

	if (sx_eval(r, piece->hole, &v) == -1)
		return -1;
	if (piece->negated) {
		if (!sx_is_integer(&v))
			return sx_error(r, "Cannot negate a non-numeric value");
		v = sx_int(-v.i);
	}
	*out = v.type == SX_STRING ? quoted(v.s, r->arena) :
	    sx_text(&v, r->arena);
	return 0;
}

/* NULL when it cannot be had. */
static const struct jsonpath *
path_of(struct sx_run *r, const struct sx_node *n)
{
	struct str text = STR(""), value;

	if (n->path.fixed)
		return n->path.fixed;
	for (const struct sx_piece *p = n->path.pieces; p; p = p->next) {
		text = expr_join(text, p->text, r->arena);
		if (!p->hole)
			continue;
		if (fill_hole(r, p, &value) == -1)
			return NULL;
		text = expr_join(text, value, r->arena);
	}
	return jsonpath_compile(r->arena, text, r->err);
}

static int
read_path(struct sx_run *r, const struct sx_node *n, struct cJSON *root,
    struct sx *out)
{
	const struct jsonpath *path = path_of(r, n);
	struct cJSON *node;

	if (!path)
		return -1;
	switch (jsonpath_read(path, root, r->arena, &node, r->err)) {
	case JSONPATH_FOUND:
		*out = sx_of_json(node, jsonpath_ends_in_index(path), r->arena);
		return 0;
	case JSONPATH_FAILED:
		r->fault = true;
		return -1;
	case JSONPATH_ABSENT:
		return -1;
	}
	unreachable();
}

static int
eval_payload(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct cJSON *root;

	if (message_is_empty(r->m))
		return sx_error(r, "Payload is empty");
	if (message_json(r->m, &root, r->err) == -1) {
		r->fault = r->err->kind == ERR_SYNTAX ||
		    r->err->kind == ERR_LIMIT;
		return -1;
	}
	if (n->path.fixed || n->path.pieces)
		return read_path(r, n, root, out);
	*out = sx_of_json(root, true, r->arena);
	return 0;
}

/* JSON that a value is or that its text holds. */
static struct cJSON *
json_of_value(struct sx_run *r, const struct value *v)
{
	struct cJSON *root;

	if (v->type == VALUE_JSON)
		return UNCONST(v->json);
	root = json_parse(r->arena, value_text(v, r->arena), 0, r->err);
	if (!root)
		(void)err_wrap(r->err, "the value is no JSON");
	return root;
}

static int
eval_variable(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct value v;
	struct cJSON *root;

	if (!message_var(r->m, n->path.name, &v) || v.type == VALUE_NULL)
		return sx_error(r, "Variable %.*s is not defined",
		    STR_FMT(n->path.name));
	if (!n->path.fixed && !n->path.pieces) {
		*out = sx_of_value(&v, r->arena);
		return 0;
	}
	if (v.type == VALUE_XML)
		return sx_error(r, "Could not evaluate JSONPath expression on "
		    "non-JSON variable value");
	root = json_of_value(r, &v);
	return root ? read_path(r, n, root, out) : -1;
}

static int
eval_result(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct sx result;
	struct value text;
	struct cJSON *root;

	if (sx_eval(r, n->child[0], &result) == -1)
		return -1;
	if (result.node) {
		root = UNCONST(result.node);
	} else {
		text = VALUE_OF_STR(sx_text(&result, r->arena));
		root = json_of_value(r, &text);
	}
	return root ? read_path(r, n, root, out) : -1;
}

int
sx_eval_path(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	switch (n->path.root) {
	case SX_PAYLOAD:
		return eval_payload(r, n, out);
	case SX_VARIABLE:
		return eval_variable(r, n, out);
	case SX_RESULT:
		return eval_result(r, n, out);
	}
	unreachable();
}

static bool
get_param(struct sx_run *r, struct str name, struct value *out)
{
	const struct msg_context *c = message_context(r->m);

	return c->func && c->func(c->func_ctx, name, r->arena, out);
}

static bool
get_config(struct sx_run *r, struct str name, struct value *out)
{
	return message_prop(r->m, SCOPE_FILE, name, out) ||
	    message_prop(r->m, SCOPE_ENV, name, out) ||
	    message_prop(r->m, SCOPE_SYSTEM, name, out);
}

int
sx_eval_property(struct sx_run *r, const struct sx_node *n, struct sx *out)
{
	struct str name = n->property.name;
	struct value v;
	bool found;

	if (n->property.scope == SCOPE_FUNC)
		found = get_param(r, name, &v);
	else if (n->property.scope == SCOPE_FILE)
		found = get_config(r, name, &v);
	else
		found = message_prop(r->m, n->property.scope, name, &v);
	if (!found || v.type == VALUE_NULL)
		return sx_error(r, "Could not fetch the value of the key: %.*s",
		    STR_FMT(name));
	*out = sx_of_text(value_text(&v, r->arena));
	return 0;
}
