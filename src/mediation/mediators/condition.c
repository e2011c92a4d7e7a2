/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/condition.h"

#include "mediation/mediators/uri_fragments.h"
#include "msg/regex.h"

enum { DEPTH_MAX = 32 };

enum kind { OP_AND, OP_OR, OP_NOT, OP_EQUAL, OP_MATCH };
enum source { FROM_HEADER, FROM_PARAM, FROM_URL, FROM_PROPERTY, FROM_SOAP };

static const char *const kinds[] = { "and", "or", "not", "equal", "match" };
static const char *const sources[] = { "header", "param", "url", "property",
	"soap" };

struct condition {
	struct condition *next;		/* among those of one parent */
	struct condition *first;	/* and, or, not */
	enum kind kind;
	enum source source;		/* equal, match */
	struct str name;
	enum uri_fragment fragment;
	struct expr *expr;
	struct str value;
	struct regex *regex;
};

/* ---- compile ----------------------------------------------------------- */

static int
word(struct str text, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(text, words[i]))
			return (int)i;
	return -1;
}

static int
read_name(struct med_compile *c, const struct xml_el *el, struct condition *n,
    struct err *err)
{
	switch (n->source) {
	case FROM_URL:
		n->fragment = FRAGMENT_FULL;
		if (!n->name.p || uri_fragment_parse(n->name, &n->fragment))
			return 0;
		return xml_error(el, err, "unknown part of a URL: %.*s",
		    STR_FMT(n->name));
	case FROM_SOAP:
		n->expr = n->name.p ? med_expr_as(c, el, "source", EXPR_XPATH,
		    n->name, err) : NULL;
		if (n->expr || n->name.p)
			return n->expr ? 0 : -1;
		break;
	case FROM_HEADER:
	case FROM_PARAM:
	case FROM_PROPERTY:
		if (n->name.p)
			return 0;
		break;
	}
	return xml_error(el, err, "source attribute is required");
}

static int
read_source(struct med_compile *c, const struct xml_el *el,
    struct condition *n, struct err *err)
{
	struct str type = xml_attr(el, "type");
	int source = type.p ? word(type, sources, ARRAY_LEN(sources))
	    : FROM_HEADER;

	if (source < 0)
		return xml_error(el, err, "Unknown %s evaluator type: %.*s",
		    kinds[n->kind], STR_FMT(type));
	n->source = (enum source)source;
	n->name = xml_attr(el, "source");
	return read_name(c, el, n, err);
}

static int
read_text(struct med_compile *c, const struct xml_el *el, struct condition *n,
    struct err *err)
{
	const char *attr = n->kind == OP_EQUAL ? "value" : "regex";
	struct err inner = { 0 };

	n->value = xml_attr(el, attr);
	if (read_source(c, el, n, err) < 0)
		return -1;
	if (!n->value.p)
		return xml_error(el, err, "%s attribute is required", attr);
	if (n->kind == OP_EQUAL)
		return 0;
	n->regex = regex_compile(med_arena(c), n->value, &inner);
	if (n->regex)
		return 0;
	return xml_error(el, err, "Invalid Regular Expression for attribute "
	    "'regex' : %.*s (%s)", STR_FMT(n->value), inner.text);
}

static int read_one(struct med_compile *, const struct xml_el *,
    unsigned depth, struct condition **out, struct err *);

static int
read_list(struct med_compile *c, const struct xml_el *el, unsigned depth,
    struct condition *n, struct err *err)
{
	size_t count = 0;
	struct condition **last = &n->first;

	for (const struct xml_el *k = xml_first_child(el); k;
	    k = xml_next_child(k), count++) {
		if (read_one(c, k, depth + 1, last, err) < 0)
			return -1;
		last = &(*last)->next;
	}
	if (n->kind == OP_NOT)
		return count == 1 ? 0 : xml_error(el, err, "One expression "
		    "should be provided under Not");
	return count > 1 ? 0 : xml_error(el, err, "Two or more expressions "
	    "should be provided under %s", n->kind == OP_AND ? "And" : "Or");
}

/* Only says which children there may be: they are read in their order. */
static void
ask_for_children(const struct xml_el *el)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		(void)xml_child(el, kinds[i]);
}

static int
read_one(struct med_compile *c, const struct xml_el *el, unsigned depth,
    struct condition **out, struct err *err)
{
	struct condition *n = arena_zalloc(med_arena(c), sizeof(*n));
	struct str name = xml_name(el);
	int kind = word(name, kinds, ARRAY_LEN(kinds));

	if (kind < 0)
		return xml_error(el, err, "Invalid configuration element: "
		    "%.*s (a condition is one of and, or, not, equal, match)",
		    STR_FMT(name));
	if (depth == DEPTH_MAX)
		return xml_error(el, err, "conditions are nested too deep");
	*out = n;
	n->kind = (enum kind)kind;
	if (n->kind == OP_EQUAL || n->kind == OP_MATCH)
		return read_text(c, el, n, err);
	ask_for_children(el);
	return read_list(c, el, depth, n, err);
}

int
condition_read(struct med_compile *c, const struct xml_el *el,
    struct condition **out, struct err *err)
{
	const struct xml_el *first = xml_first_child(el);

	*out = NULL;
	ask_for_children(el);
	return first ? read_one(c, first, 0, out, err) : 0;
}

/* ---- run --------------------------------------------------------------- */

struct test {
	struct message *msg;
	struct str url;
	struct fault *fault;
	struct err err;
};

/* The last one of that name that has a value; only the text up to a second =
 * counts. */
static struct str
url_param(struct str url, struct str name, struct arena *a)
{
	struct str rest, part, found = STR_NULL;
	size_t mark;

	url = str_head(url, str_find(url, '#'));
	mark = str_find(url, '?');
	rest = str_from(url, mark + 1);
	if (mark == url.n)
		return found;
	while (str_next(&rest, '&', &part)) {
		size_t n = str_find(part, '=');
		struct str value = str_from(part, n + 1);

		value = str_head(value, str_find(value, '='));
		if (value.n && str_eq(str_head(part, n), name))
			found = value;
	}
	return uri_fragment_decode(found, a);
}

static int
url_piece(const struct condition *n, struct test *t, struct str *out)
{
	struct arena *a = message_arena(t->msg);
	struct uri_fragments f;

	*out = t->url;
	if (n->fragment == FRAGMENT_FULL)
		return 0;
	if (uri_fragments_split(t->url, a, &f, &t->err) < 0)
		return -1;
	*out = n->fragment == FRAGMENT_PORT ? arena_printf(a, "%d",
	    (int)f.port) : f.text[n->fragment];
	return 0;
}

/* -1 with t->err, or with the fault. */
static int
source_text(const struct condition *n, struct test *t, struct str *out)
{
	switch (n->source) {
	case FROM_HEADER:
		*out = message_prop_text(t->msg, SCOPE_TRANSPORT, n->name);
		break;
	case FROM_PARAM:
		*out = url_param(t->url, n->name, message_arena(t->msg));
		break;
	case FROM_URL:
		return url_piece(n, t, out);
	case FROM_PROPERTY:
		*out = message_prop_text(t->msg, SCOPE_DEFAULT, n->name);
		break;
	case FROM_SOAP:
		return med_expr_string(n->expr, t->msg, out, t->fault);
	}
	return 0;
}

static int test(const struct condition *, struct test *);

/* Ends with the first one that decides. */
static int
test_list(const struct condition *list, struct test *t)
{
	int go_on = list->kind == OP_AND, rc = go_on;

	for (const struct condition *n = list->first; n && rc == go_on;
	    n = n->next)
		rc = test(n, t);
	return rc;
}

/* 1, 0 or -1 as above. */
static int
test(const struct condition *n, struct test *t)
{
	struct str text = STR_NULL;
	int rc;

	switch (n->kind) {
	case OP_NOT:
		rc = test(n->first, t);
		return rc < 0 ? rc : !rc;
	case OP_AND:
	case OP_OR:
		return test_list(n, t);
	case OP_EQUAL:
	case OP_MATCH:
		break;
	}
	if (source_text(n, t, &text) < 0)
		return -1;
	if (!text.p)
		return 0;
	if (n->kind == OP_EQUAL)
		return str_ieq(text, n->value);
	return regex_matches(n->regex, text, &t->err);
}

/* No deeper than the reader allowed. */
int
condition_test(const struct condition *n, struct message *msg, struct str url,
    bool *out, struct err *err, struct fault *fault)
{
	struct test t = { .msg = msg, .url = url, .fault = fault };
	int rc = test(n, &t);

	*out = rc > 0;
	*err = t.err;
	return rc < 0 ? -1 : 0;
}
