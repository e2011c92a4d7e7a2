/* SPDX-License-Identifier: Apache-2.0 */
#include "mediation/elements.h"

#include <string.h>

#include "mediation/xmlread.h"

enum { MAX_ALLOWED = 60 };

/* ---- the table --------------------------------------------------------- */

#define TYPE_TEXT ATTR_TEXT, NULL
#define TYPE_NAME ATTR_NAME, NULL
#define TYPE_BOOL ATTR_BOOL, NULL
#define TYPE_INT ATTR_INT, NULL
#define TYPE_KEY ATTR_KEY, NULL
#define TYPE_EXPRESSION ATTR_EXPRESSION, NULL
#define TYPE_VALUE ATTR_VALUE, NULL
#define TYPE_REGEX ATTR_REGEX, NULL
#define TYPE_URI ATTR_URI, NULL
#define TYPE_ENUM(words) ATTR_ENUM, words
#define TYPE_ANYCASE(words) ATTR_ANYCASE, words
#define TYPE_REFUSED ATTR_REFUSED, NULL

const struct element element_rows[] = {
#define ELEMENT(key, class, content, doc) \
	{ key, CLASS_##class, INSIDE_##content, doc },
#define ATTRIBUTE(key, name, type, dflt, need, doc)
#define CHILD(key, child, min, max)
#include "mediation/elements.def"
#undef ELEMENT
#undef ATTRIBUTE
#undef CHILD
};

const struct attribute_row attribute_rows[] = {
#define ELEMENT(key, class, content, doc)
#define ATTRIBUTE(key, name, type, dflt, need, doc) \
	{ key, name, TYPE_##type, dflt, NEED_##need, doc },
#define CHILD(key, child, min, max)
#include "mediation/elements.def"
#undef ELEMENT
#undef ATTRIBUTE
#undef CHILD
};

const struct child_row child_rows[] = {
#define ELEMENT(key, class, content, doc)
#define ATTRIBUTE(key, name, type, dflt, need, doc)
#define CHILD(key, child, min, max) { key, child, min, CHILD_##max },
#include "mediation/elements.def"
#undef ELEMENT
#undef ATTRIBUTE
#undef CHILD
};

const struct parameter_row parameter_rows[] = {
#define PARAMETER(name, set, type, dflt, doc) { name, TYPE_##type, dflt, doc },
#include "mediation/parameters.def"
#undef PARAMETER
};

const size_t element_count = ARRAY_LEN(element_rows);
const size_t attribute_count = ARRAY_LEN(attribute_rows);
const size_t child_count = ARRAY_LEN(child_rows);
const size_t parameter_count = ARRAY_LEN(parameter_rows);

const struct element *
element_find(const char *key)
{
	for (size_t i = 0; i < ARRAY_LEN(element_rows); i++)
		if (strcmp(element_rows[i].key, key) == 0)
			return &element_rows[i];
	return NULL;
}

const char *
element_name(const char *key)
{
	const char *slash = strrchr(key, '/');

	return slash ? slash + 1 : key;
}

static bool
belongs(const char *to, const struct element *e)
{
	return strcmp(to, e->key) == 0 ||
	    (e->class == CLASS_MEDIATOR && strcmp(to, "*mediator") == 0) ||
	    (e->class == CLASS_ENDPOINT && strcmp(to, "*endpoint") == 0) ||
	    (e->class == CLASS_GROUP && strcmp(to, "*group") == 0);
}

bool
attribute_belongs(const struct attribute_row *a, const struct element *e)
{
	return belongs(a->element, e);
}

bool
child_belongs(const struct child_row *c, const struct element *e)
{
	return belongs(c->element, e);
}

bool
element_is_refused(const struct element *e)
{
	bool refused = false;

	for (size_t i = 0; i < ARRAY_LEN(child_rows); i++) {
		if (strcmp(child_rows[i].child, e->key) != 0)
			continue;
		if (child_rows[i].max != CHILD_REFUSED)
			return false;
		refused = true;
	}
	return refused;
}

/* ---- checks ------------------------------------------------------------ */

struct check {
	const struct xml_el *el;
	const struct element *row;
	struct err *err;
	bool have;		/* err holds one that is not reported yet */
};

static element_watch_fn *watch;

void
element_watch(element_watch_fn *fn)
{
	watch = fn;
}

/* Room for one more error. */
static struct err *
next_error(struct check *c, struct src_pos at)
{
	if (c->have)
		xml_report(c->el, c->err);
	c->have = true;
	*c->err = (struct err){ .kind = ERR_UNSUPPORTED, .at = at };
	return c->err;
}

static void
complain(struct check *c, struct src_pos at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

static void
complain(struct check *c, struct src_pos at, const char *fmt, ...)
{
	struct err *err = next_error(c, at);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
}

static void
append(struct err *err, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
append(struct err *err, const char *fmt, ...)
{
	size_t n = strlen(err->text);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text + n, sizeof(err->text) - n, fmt, ap);
	va_end(ap);
}

static void
unknown(struct check *c, struct src_pos at, const char *what, struct str name,
    const char *const *allowed)
{
	struct str in = xml_name(c->el);
	const char *near = str_nearest(name, allowed);

	complain(c, at, "unknown %s \"%.*s\" in <%.*s>", what,
	    STR_FMT(str_head(name, 80)), STR_FMT(str_head(in, 80)));
	if (near)
		append(c->err, "; did you mean \"%s\"?", near);
	append(c->err, "%s", allowed[0] ? "; allowed here: "
	    : "; none is allowed here");
	for (size_t i = 0; allowed[i]; i++)
		append(c->err, "%s%s", i ? ", " : "", allowed[i]);
}

static void
unknown_attribute(struct check *c, struct str name)
{
	const char *allowed[MAX_ALLOWED + 1] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(attribute_rows); i++)
		if (strcmp(attribute_rows[i].element, c->row->key) == 0 &&
		    attribute_rows[i].type != ATTR_REFUSED && n < MAX_ALLOWED)
			allowed[n++] = attribute_rows[i].name;
	unknown(c, xml_pos(c->el), "attribute", name, allowed);
}

static void
unknown_child(struct check *c, const struct xml_el *k)
{
	const char *allowed[MAX_ALLOWED + 1] = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(child_rows); i++)
		if (child_belongs(&child_rows[i], c->row) &&
		    child_rows[i].max != CHILD_REFUSED && n < MAX_ALLOWED)
			allowed[n++] = element_name(child_rows[i].child);
	unknown(c, xml_pos(k), xml_in_synapse(k) ? "element" :
	    "element (not in the namespace " SYNAPSE_NS ")", xml_name(k),
	    allowed);
}

static bool
attribute_known(const struct element *e, struct str name)
{
	for (size_t i = 0; i < ARRAY_LEN(attribute_rows); i++)
		if (str_is(name, attribute_rows[i].name) &&
		    attribute_belongs(&attribute_rows[i], e))
			return true;
	/* MI's tooling writes this one anywhere. */
	return str_is(name, "description");
}

static void
check_attributes(struct check *c)
{
	struct str in = xml_name(c->el), name;
	bool was_read;

	for (size_t i = 0; xml_attr_at(c->el, i, &name, &was_read); i++) {
		if (!attribute_known(c->row, name))
			unknown_attribute(c, name);
		else if (!was_read && !str_is(name, "description"))
			complain(c, xml_pos(c->el), "attribute \"%.*s\" has "
			    "no effect in this <%.*s>", STR_FMT(name),
			    STR_FMT(in));
	}
	for (size_t i = 0; i < ARRAY_LEN(attribute_rows); i++)
		if (attribute_rows[i].need == NEED_REQUIRED &&
		    attribute_belongs(&attribute_rows[i], c->row) &&
		    !xml_has_attr(c->el, attribute_rows[i].name))
			complain(c, xml_pos(c->el), "<%.*s> needs the "
			    "attribute \"%s\"", STR_FMT(in),
			    attribute_rows[i].name);
}

static const struct child_row *
child_find(const struct element *e, const struct xml_el *k)
{
	for (size_t i = 0; xml_in_synapse(k) && i < ARRAY_LEN(child_rows); i++)
		if (child_belongs(&child_rows[i], e) && str_is(xml_name(k),
		    element_name(child_rows[i].child)))
			return &child_rows[i];
	return NULL;
}

/* An element of that name before this one. */
static bool
has_before(const struct xml_el *el, const struct xml_el *k)
{
	for (el = xml_any_child(el); el != k; el = xml_any_next(el))
		if (xml_in_synapse(el) && str_eq(xml_name(el), xml_name(k)))
			return true;
	return false;
}

static void check_element(struct check *);

static void
check_child(struct check *c, const struct xml_el *k,
    const struct child_row *row)
{
	struct check inner = *c;

	if (row->max == CHILD_1 && has_before(c->el, k)) {
		complain(c, xml_pos(k), "more than one <%.*s> in <%.*s>",
		    STR_FMT(xml_name(k)), STR_FMT(xml_name(c->el)));
		return;
	}
	if (xml_is_settled(k))
		return;
	if (!xml_was_read(k)) {
		complain(c, xml_pos(k), "<%.*s> has no effect in this <%.*s>",
		    STR_FMT(xml_name(k)), STR_FMT(xml_name(c->el)));
		return;
	}
	inner.el = k;
	inner.row = element_find(row->child);
	check_element(&inner);
	c->have = inner.have;
}

/* Recursion is bounded by the parser's limit on depth. */
static void
check_element(struct check *c)
{
	if (!c->row)
		return;
	if (watch)
		watch(c->el, c->row);
	check_attributes(c);
	for (const struct xml_el *k = xml_any_child(c->el); k;
	    k = xml_any_next(k)) {
		const struct child_row *row = child_find(c->row, k);

		if (row)
			check_child(c, k, row);
		else if (!xml_is_settled(k) || (c->row->content ==
		    INSIDE_NOTHING && !str_is(xml_name(k), "description")))
			unknown_child(c, k);
	}
}

int
element_check(const struct xml_el *el, const char *key, struct err *err)
{
	struct check c = { .el = el, .row = element_find(key), .err = err };

	if (xml_is_settled(el))
		return 0;
	check_element(&c);
	return c.have ? -1 : 0;
}
