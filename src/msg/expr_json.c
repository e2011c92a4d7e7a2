/* SPDX-License-Identifier: Apache-2.0 */
/* json-eval(...): a JSONPath on the body or on a property, which may have
 * {expressions} inside that are put in before it is read. */
#include "msg/expr_priv.h"

#include <string.h>
#include "base/buf.h"
#include "base/log.h"
#include "msg/json.h"
#include "msg/jsonpath.h"

/* Text, then an expression whose text goes there. */
struct hole {
	struct str text;
	struct expr *expr;
};

struct json_expr {
	bool of_property;
	enum msg_scope scope;
	struct str property;
	struct jsonpath *path;		/* NULL when there are holes */
	struct hole *hole;
	size_t hole_count;
};

static bool
is_name_char(char c)
{
	return (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	    (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z');
}

/* $ctx:name, $trp:name or $axis2:name in front; bytes it takes or 0. */
static size_t
parse_property(struct json_expr *j, struct str s)
{
	static const struct {
		const char *prefix;
		enum msg_scope scope;
	} all[] = {
		{ "$ctx:", SCOPE_DEFAULT },
		{ "$trp:", SCOPE_TRANSPORT },
		{ "$axis2:", SCOPE_AXIS2 },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		size_t skip = strlen(all[i].prefix), n = skip;

		if (!str_starts(s, all[i].prefix))
			continue;
		while (n < s.n && is_name_char(s.p[n]))
			n++;
		if (n == skip)
			return 0;
		j->of_property = true;
		j->scope = all[i].scope;
		j->property = str_head(str_from(s, skip), n - skip);
		return n;
	}
	return 0;
}

/* The next {expression}: no blanks, quotes, commas, <, > or ] in it. */
static bool
find_hole(struct str s, size_t *at_out, size_t *len_out)
{
	for (size_t i = 0; i < s.n; i++) {
		size_t n = i + 1;

		if (s.p[i] != '{')
			continue;
		while (n < s.n && s.p[n] != '\0' &&
		    !strchr(" \t\r\n\",<>}]", s.p[n]))
			n++;
		if (n < s.n && s.p[n] == '}' && n > i + 1) {
			*at_out = i;
			*len_out = n + 1 - i;
			return true;
		}
	}
	return false;
}

static int
compile_holes(struct expr *e, struct json_expr *j, struct str path,
    struct arena *arena, const struct expr_scope *scope, struct err *err)
{
	struct str rest = path;
	size_t at, len, count = 1, i = 0;

	for (struct str s = path; find_hole(s, &at, &len); count++)
		s = str_from(s, at + len);
	j->hole = arena_zalloc(arena, count * sizeof(*j->hole));
	j->hole_count = count;
	while (find_hole(rest, &at, &len)) {
		struct hole *h = &j->hole[i++];
		struct str inner = str_head(str_from(rest, at + 1), len - 2);

		h->text = str_head(rest, at);
		h->expr = expr_compile(arena, inner, scope, err);
		if (!h->expr) {
			if (err)
				err->at.column += (int)(inner.p - e->source.p);
			return -1;
		}
		e->reads_body = e->reads_body || expr_reads_body(h->expr);
		rest = str_from(rest, at + len);
	}
	j->hole[i].text = rest;
	return 0;
}

static int
json_compile(struct expr *e, struct arena *arena,
    const struct expr_scope *scope, struct err *err)
{
	struct json_expr *j = arena_zalloc(arena, sizeof(*j));
	size_t skip = parse_property(j, e->source), at, len;
	struct str path = str_from(e->source, skip);

	e->compiled = j;
	e->reads_body = !j->of_property;
	if (find_hole(path, &at, &len))
		return compile_holes(e, j, path, arena, scope, err);
	if (j->of_property)
		path = arena_printf(arena, "$%.*s", STR_FMT(path));
	j->path = jsonpath_compile(arena, path, err);
	if (j->path)
		return 0;
	if (err && skip)
		err->at.column += (int)skip - 1;
	return -1;
}

/* The path with its holes filled. */
static const struct jsonpath *
path_of(const struct json_expr *j, struct message *m, struct err *err)
{
	struct arena *arena = message_arena(m);
	struct str text = STR(""), value;
	const struct jsonpath *path;

	if (j->path)
		return j->path;
	for (size_t i = 0; i < j->hole_count; i++) {
		const struct hole *h = &j->hole[i];

		value = STR("");
		if (h->expr && expr_string(h->expr, m, &value, err) == -1)
			return NULL;
		text = expr_join(text, expr_join(h->text, value, arena),
		    arena);
	}
	if (j->of_property)
		text = arena_printf(arena, "$%.*s", STR_FMT(text));
	path = jsonpath_compile(arena, text, err);
	if (!path && err) {
		err->kind = ERR_VALUE;
		(void)err_wrap(err, "JSONPath %.*s", STR_FMT(text));
	}
	return path;
}

static bool
begins_like_json(struct str s)
{
	s = str_trim(s);
	return s.n > 0 && s.p[0] && strchr("{[\"tfn-0123456789", s.p[0]);
}

/*
 * A body that is not there, that only looks like JSON or that does not convert
 * to it gives ""; one that cannot be a body of its type is a fault.
 */
static int
body_tree(struct message *m, struct cJSON **root, struct err *err)
{
	struct err why = { 0 };
	struct str bytes;

	*root = NULL;
	if (message_is_empty(m))
		return 0;
	if (message_json(m, root, &why) == 0)
		return 0;
	*root = NULL;
	if (why.kind == ERR_SYNTAX && message_kind(m) == CONTENT_JSON &&
	    message_json_text(m, &bytes, NULL) == 0 && begins_like_json(bytes))
		return 0;
	if (why.kind != ERR_SYNTAX && why.kind != ERR_LIMIT) {
		log_warn("Json Payload is empty: %s", why.text);
		return 0;
	}
	if (err)
		*err = why;
	return -1;
}

static int
property_tree(const struct json_expr *j, struct message *m,
    struct cJSON **root, struct err *err)
{
	struct value v;
	struct str text;

	*root = NULL;
	if (!message_prop(m, j->scope, j->property, &v) ||
	    v.type == VALUE_NULL)
		return 0;
	if (v.type == VALUE_JSON) {
		*root = UNCONST(v.json);
		return 0;
	}
	text = value_text(&v, message_arena(m));
	*root = json_parse(message_arena(m), text, 0, err);
	if (*root)
		return 0;
	if (err)
		err->kind = ERR_VALUE;
	return err_wrap(err, "property %.*s is no JSON", STR_FMT(j->property));
}

static int
evaluate(const struct expr *e, struct message *m, struct cJSON **node,
    struct err *err)
{
	const struct json_expr *j = e->compiled;
	const struct jsonpath *path = path_of(j, m, err);
	struct cJSON *root;
	int rc;

	*node = NULL;
	if (!path)
		return -1;
	rc = j->of_property ? property_tree(j, m, &root, err) :
	    body_tree(m, &root, err);
	if (rc == -1 || !root)
		return rc;
	switch (jsonpath_read(path, root, message_arena(m), node, err)) {
	case JSONPATH_FOUND:
		return 0;
	case JSONPATH_ABSENT:
		*node = NULL;
		return j->of_property ? -1 : 0;
	case JSONPATH_FAILED:
		break;
	}
	return -1;
}

static int
json_value(const struct expr *e, struct message *m, struct value *out,
    struct err *err)
{
	struct cJSON *node;

	if (evaluate(e, m, &node, err) == -1)
		return -1;
	*out = VALUE_OF_STR(STR(""));
	if (node)
		*out = (struct value){ .type = VALUE_JSON, .json = node };
	return 0;
}

static const struct cJSON *
last_member(const struct cJSON *object, const char *name, struct arena *arena)
{
	const struct cJSON *found = NULL;

	for (const struct cJSON *c = json_first(object); c; c = json_next(c))
		if (str_is(json_key(c, arena), name))
			found = c;
	return found;
}

struct str
expr_json_text(const struct cJSON *node, struct arena *arena)
{
	const struct cJSON *inner = NULL;

	switch (json_type_of(node)) {
	case JSON_STRING:
		return json_string(node, arena);
	case JSON_NUMBER:
		return json_number_text(node);
	case JSON_TRUE:
		return STR("true");
	case JSON_FALSE:
		return STR("false");
	case JSON_NULL:
		return STR("null");
	case JSON_OBJECT:
		inner = last_member(node, "members", arena);
		if (!inner)
			inner = last_member(node, "elements", arena);
		break;
	case JSON_ARRAY:
		break;
	}
	return json_text(inner ? inner : node, arena);
}

/* "$": the bytes as they are. */
static int
whole_text(const struct json_expr *j, struct message *m, struct str *out,
    struct err *err)
{
	*out = STR("");
	if (j->of_property)
		*out = message_prop_text(m, j->scope, j->property);
	else if (!message_is_empty(m))
		return message_json_text(m, out, err);
	if (!out->p)
		*out = STR("");
	return 0;
}

static int
json_string_of(const struct expr *e, struct message *m, struct str *out,
    struct err *err)
{
	const struct json_expr *j = e->compiled;
	struct cJSON *node;

	if (j->path && jsonpath_is_root(j->path))
		return whole_text(j, m, out, err);
	if (evaluate(e, m, &node, err) == -1)
		return -1;
	*out = node ? expr_json_text(node, message_arena(m)) : STR("");
	return 0;
}

static int
json_truth(const struct expr *e, struct message *m, bool *out,
    struct err *err)
{
	struct str text;

	if (json_string_of(e, m, &text, err) == -1)
		return -1;
	*out = expr_word_is_true(text);
	return 0;
}

const struct expr_ops expr_json_ops = {
	.compile = json_compile,
	.value = json_value,
	.string = json_string_of,
	.truth = json_truth,
};
