/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/mediators/condition.h"

#include "msg/regex.h"

enum { DEPTH_MAX = 32 };

enum operation { OP_AND, OP_OR, OP_NOT, OP_EQUAL, OP_MATCH };
enum source { SOURCE_HEADER, SOURCE_PARAM, SOURCE_URL, SOURCE_PROPERTY,
	SOURCE_SOAP };
enum fragment { URL_WHOLE, URL_PROTOCOL, URL_USER, URL_HOST, URL_PORT,
	URL_PATH, URL_QUERY, URL_REF };

struct condition {
	enum operation operation;
	struct condition *first, *next;	/* AND, OR, NOT */
	/* of texts: */
	enum source source;
	struct str name;		/* HEADER, PARAM, PROPERTY */
	enum fragment fragment;		/* URL */
	struct expr *expr;		/* SOAP */
	struct str value;		/* EQUAL */
	struct regex *regex;		/* MATCH */
};

/* ---- compile ----------------------------------------------------------- */

static const char *const operations[] = { "and", "or", "not", "equal",
	"match" };
static const char *const sources[] = { "header", "param", "url", "property",
	"soap" };
static const char *const fragments[] = { "", "protocol", "user", "host",
	"port", "path", "query", "ref" };

static bool
find_word(const char *const *words, size_t count, struct str word, int *out)
{
	for (size_t i = 0; i < count; i++)
		if (str_is(word, words[i])) {
			*out = (int)i;
			return true;
		}
	return false;
}

static int
read_source(struct med_compile *c, const struct xml_el *el,
    struct condition *n, struct err *err)
{
	struct str type = xml_attr(el, "type"), from = xml_attr(el, "source");
	int word = SOURCE_HEADER;

	if (type.p && !find_word(sources, ARRAY_LEN(sources), type, &word))
		return xml_error(el, err, "Unknown equal evaluator type: "
		    "%.*s", STR_FMT(type));
	n->source = (enum source)word;
	n->name = from;
	if (n->source == SOURCE_URL) {
		word = URL_WHOLE;
		if (from.p && !find_word(fragments, ARRAY_LEN(fragments), from,
		    &word))
			return xml_error(el, err, "unknown part of a URL: "
			    "%.*s", STR_FMT(from));
		n->fragment = (enum fragment)word;
		return 0;
	}
	if (!from.n)
		return xml_error(el, err, "source attribute is required");
	if (n->source != SOURCE_SOAP)
		return 0;
	n->expr = med_expr_as(c, el, "attribute 'source'", EXPR_XPATH, from,
	    err);
	return n->expr ? 0 : -1;
}

static int
read_text_test(struct med_compile *c, const struct xml_el *el,
    struct condition *n, struct err *err)
{
	struct str regex = xml_attr(el, "regex");
	struct err inner = { 0 };

	if (read_source(c, el, n, err) < 0)
		return -1;
	if (n->operation == OP_EQUAL) {
		n->value = xml_attr(el, "value");
		return n->value.p ? 0 : xml_error(el, err, "value attribute "
		    "is required");
	}
	if (!regex.p)
		return xml_error(el, err, "regex attribute is required");
	n->regex = regex_compile(med_arena(c), regex, &inner);
	return n->regex ? 0 : xml_error(el, err, "Invalid Regular Expression "
	    "for attribute 'regex' : %.*s (%s)", STR_FMT(regex), inner.text);
}

static int
read_one(struct med_compile *c, const struct xml_el *el, unsigned depth,
    struct condition **out, struct err *err)
{
	struct condition *n = arena_zalloc(med_arena(c), sizeof(*n));
	struct condition **last = &n->first;
	struct str name = xml_name(el);
	size_t count = 0;
	int word;

	*out = n;
	if (!find_word(operations, ARRAY_LEN(operations), name, &word))
		return xml_error(el, err, "Invalid configuration element: "
		    "%.*s", STR_FMT(name));
	if (depth == DEPTH_MAX)
		return xml_error(el, err, "conditions are nested too deep");
	n->operation = (enum operation)word;
	if (n->operation == OP_EQUAL || n->operation == OP_MATCH)
		return read_text_test(c, el, n, err);
	for (const struct xml_el *k = xml_first_child(el); k;
	    k = xml_next_child(k), count++) {
		if (read_one(c, k, depth + 1, last, err) < 0)
			return -1;
		last = &(*last)->next;
	}
	if (n->operation == OP_NOT)
		return count == 1 ? 0 : xml_error(el, err, "One expression "
		    "should be provided under Not");
	return count > 1 ? 0 : xml_error(el, err, "Two or more expressions "
	    "should be provided under %s", n->operation == OP_AND ? "And" :
	    "Or");
}

int
condition_read(struct med_compile *c, const struct xml_el *el,
    struct condition **out, struct err *err)
{
	const struct xml_el *first = xml_first_child(el);

	if (!first || xml_next_child(first))
		return xml_error(el, err, "<condition> needs one of and, or, "
		    "not, equal, match");
	return read_one(c, first, 0, out, err);
}

/* ---- exec -------------------------------------------------------------- */

static struct str
or_null(struct str s, bool there)
{
	return there ? s : STR_NULL;
}

/* scheme://user@host:port/path?query#ref; what is not there is null, but the
 * port, which is -1. */
static struct str
part_of(struct str url, enum fragment what)
{
	size_t colon = str_find(url, ':'), hash = str_find(url, '#'), at, mark;
	struct str scheme = or_null(str_head(url, colon), colon < url.n);
	struct str ref = or_null(str_from(url, hash + 1), hash < url.n);
	struct str rest = str_from(str_head(url, hash), scheme.p ? colon + 1 :
	    0);
	struct str query, host = STR_NULL, user = STR_NULL, port;
	size_t end = str_find(rest, '?');

	query = or_null(str_from(rest, end + 1), end < rest.n);
	rest = str_head(rest, end);
	if (str_starts(rest, "//")) {
		host = str_from(rest, 2);
		mark = str_find(host, '/');
		rest = str_from(host, mark);
		host = str_head(host, mark);
		at = str_find(host, '@');
		user = or_null(str_head(host, at), at < host.n);
		if (user.p)
			host = str_from(host, at + 1);
	}
	at = host.n && host.p[0] == '[' ? str_find(host, ']') : 0;
	mark = at + str_find(str_from(host, at), ':');
	port = mark < host.n ? str_from(host, mark + 1) : STR("-1");
	host = str_head(host, mark);
	switch (what) {
	case URL_WHOLE:
		return url;
	case URL_PROTOCOL:
		return scheme;
	case URL_USER:
		return user;
	case URL_HOST:
		return host;
	case URL_PORT:
		return port;
	case URL_PATH:
		return rest;
	case URL_QUERY:
		return query;
	case URL_REF:
		return ref;
	}
	return STR_NULL;
}

/* The value of a parameter of the query. */
static struct str
param_of(struct str url, struct str name)
{
	struct str rest = part_of(url, URL_QUERY), pair;

	while (rest.p && str_next(&rest, '&', &pair)) {
		size_t eq = str_find(pair, '=');

		if (str_eq(str_head(pair, eq), name))
			return str_from(pair, eq + (eq < pair.n));
	}
	return STR_NULL;
}

static int
text_of(const struct condition *n, struct message *msg, struct str *out,
    struct fault *fault)
{
	struct str url = message_addressing(msg, STR("To"));

	if (!url.p)
		url = STR("");
	switch (n->source) {
	case SOURCE_HEADER:
		*out = message_prop_text(msg, SCOPE_TRANSPORT, n->name);
		return 0;
	case SOURCE_PARAM:
		*out = param_of(url, n->name);
		return 0;
	case SOURCE_URL:
		*out = part_of(url, n->fragment);
		return 0;
	case SOURCE_PROPERTY:
		*out = message_prop_text(msg, SCOPE_DEFAULT, n->name);
		return 0;
	case SOURCE_SOAP:
		return med_expr_string(n->expr, msg, out, fault);
	}
	return 0;
}

static int
test_text(const struct condition *n, struct message *msg, bool *out,
    struct fault *fault)
{
	struct err err = { 0 };
	struct str text;
	int result;

	*out = false;
	if (text_of(n, msg, &text, fault) < 0)
		return -1;
	if (!text.p)
		return 0;
	if (n->operation == OP_EQUAL) {
		*out = str_ieq(text, n->value);
		return 0;
	}
	result = regex_matches(n->regex, text, &err);
	*out = result > 0;
	return result < 0 ? med_fault_from(fault, &err) : 0;
}

/* No deeper than the reader allowed. */
int
condition_test(const struct condition *n, struct message *msg, bool *out,
    struct fault *fault)
{
	bool one = n->operation == OP_AND;

	if (n->operation == OP_EQUAL || n->operation == OP_MATCH)
		return test_text(n, msg, out, fault);
	for (const struct condition *k = n->first; k; k = k->next) {
		if (condition_test(k, msg, &one, fault) < 0)
			return -1;
		if (n->operation != OP_NOT && one != (n->operation == OP_AND))
			break;
	}
	*out = n->operation == OP_NOT ? !one : one;
	return 0;
}
