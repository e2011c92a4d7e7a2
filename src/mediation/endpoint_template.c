/* SPDX-License-Identifier: Apache-2.0 */
/* <template name><parameter/>*<endpoint/></template>, and its use: an
 * attribute or text that is "$x" becomes the value of parameter x. */
#include "base/must.h"
#include "mediation/compile.h"

enum { TEMPLATES_DEEP = 8 };

struct ep_template {
	struct str name;
	struct src_pos at;
	const struct med_param *param;
	size_t param_count;
	struct str markup;
	int line;			/* where markup begins */
};

/* One use: what "$x" is. */
struct use {
	const struct ep_template *t;
	const struct xml_el *el;
};

/* ---- the template ------------------------------------------------------ */

bool
endpoint_template_is(const struct xml_el *el)
{
	for (const struct xml_el *k = xml_any_child(el); k;
	    k = xml_any_next(k)) {
		if (!xml_in_synapse(k))
			continue;
		if (str_is(xml_name(k), "endpoint"))
			return true;
		if (str_is(xml_name(k), "sequence"))
			return false;
	}
	return false;
}

static int
read_template(struct med_compile *c, const struct xml_el *el,
    struct ep_template *t, struct err *err)
{
	const struct xml_el *body = xml_child(el, "endpoint");
	const struct xml_el *text = xml_child(el, "description");

	if (!t->name.n)
		return xml_error(el, err, "<template> needs the attribute "
		    "\"name\"");
	if (template_params(c, el, &t->param, &t->param_count, err) < 0)
		return -1;
	if (text)
		xml_mark_opaque(text);
	xml_mark_opaque(body);
	t->markup = xml_el_markup(body, c->set->arena);
	t->line = xml_pos(body).line;
	return element_check(el, "template", err);
}

void
endpoint_template_read(struct med_compile *c, const struct xml_el *el)
{
	struct ep_template *t, *old;
	struct err err = { 0 };

	if (!endpoint_template_is(el))
		return;
	t = arena_zalloc(c->set->arena, sizeof(*t));
	t->name = xml_attr(el, "name");
	t->at = xml_pos(el);
	old = t->name.n ? hmap_get(&c->endpoint_templates, t->name) : NULL;
	if (read_template(c, el, t, &err) == 0 && old)
		xml_error(el, &err, "Template named : %.*s already exists "
		    "(the first is at %s:%d)", STR_FMT(t->name),
		    old->at.file, old->at.line);
	xml_mark_done(el);
	if (err.kind == ERR_NONE) {
		hmap_set(&c->endpoint_templates, t->name, t);
		return;
	}
	if (!err.at.file)
		err.at = t->at;
	med_report(c, &err);
}

/* ---- its use ----------------------------------------------------------- */

static struct str
given(const struct use *u, struct str name)
{
	for (const struct xml_el *k = xml_child(u->el, "parameter"); k;
	    k = xml_next(k))
		if (str_eq(xml_attr(k, "name"), name))
			return xml_attr(k, "value");
	if (str_is(name, "name") || str_is(name, "uri"))
		return xml_attr(u->el, name.p[0] == 'n' ? "name" : "uri");
	return STR_NULL;
}

static const struct med_param *
declared(const struct ep_template *t, struct str name)
{
	for (size_t i = 0; i < t->param_count; i++)
		if (str_eq(t->param[i].name, name))
			return &t->param[i];
	return NULL;
}

/* p NULL: "$name" is no parameter. */
static struct str
value_of(const struct use *u, struct str name)
{
	const struct med_param *p = declared(u->t, name);
	struct str v = given(u, name);

	return v.p || !p ? v : p->dflt;
}

static void
add_escaped(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i];

		if (ch == '&')
			buf_addz(b, "&amp;");
		else if (ch == '<')
			buf_addz(b, "&lt;");
		else if (ch == '"')
			buf_addz(b, "&quot;");
		else
			buf_putc(b, ch);
	}
}

/* Between open and close, two characters of markup: "$x" as a whole. Returns
 * how much of s was written, 0 for none. */
static size_t
add_parameter(struct buf *b, struct str s, const struct use *u)
{
	char close = s.p[0] == '"' ? '"' : '<';
	size_t n = str_find(str_from(s, 1), close);
	struct str inner = str_head(str_from(s, 1), n), value;

	if (n + 1 >= s.n)
		return 0;
	inner = str_trim(inner);
	if (!str_starts(inner, "$"))
		return 0;
	value = value_of(u, str_from(inner, 1));
	if (!value.p)
		return 0;
	buf_putc(b, s.p[0]);
	add_escaped(b, value);
	return n + 1;
}

/* Lines are kept, so that errors point into the template. */
static struct str
instance(struct med_compile *c, const struct use *u)
{
	struct str s = u->t->markup, result;
	struct buf b = { 0 };

	for (int i = 1; i < u->t->line; i++)
		buf_putc(&b, '\n');
	while (s.n) {
		size_t n = s.p[0] == '"' || s.p[0] == '>'
		    ? add_parameter(&b, s, u) : 0;

		if (n == 0) {
			buf_putc(&b, s.p[0]);
			n = 1;
		}
		s = str_from(s, n);
	}
	result = arena_str(c->set->arena, buf_str(&b));
	buf_fini(&b);
	return result;
}

static int
check_given(const struct use *u, struct err *err)
{
	for (const struct xml_el *k = xml_child(u->el, "parameter"); k;
	    k = xml_next(k)) {
		struct str name = xml_attr(k, "name");

		if (!name.n || !xml_attr(k, "value").p)
			return xml_error(k, err, "<parameter> needs the "
			    "attributes \"name\" and \"value\"");
		if (!declared(u->t, name))
			return xml_error(k, err, "endpoint template \"%.*s\" "
			    "has no parameter \"%.*s\"", STR_FMT(u->t->name),
			    STR_FMT(name));
	}
	for (size_t i = 0; i < u->t->param_count; i++)
		if (!value_of(u, u->t->param[i].name).p)
			return xml_error(u->el, err, "endpoint template "
			    "\"%.*s\": parameter \"%.*s\" has no value",
			    STR_FMT(u->t->name),
			    STR_FMT(u->t->param[i].name));
	return 0;
}

struct endpoint *
endpoint_template_use(struct med_compile *c, const struct xml_el *el,
    struct err *err)
{
	struct str name = xml_attr(el, "template");
	struct use u = { .t = hmap_get(&c->endpoint_templates, name),
	    .el = el };
	const struct xml_el *made;
	struct endpoint *ep = NULL;

	(void)xml_attr(el, "uri");
	if (!u.t) {
		xml_error(el, err, "Endpoint template \"%.*s\" cannot be "
		    "found", STR_FMT(name));
		return NULL;
	}
	if (check_given(&u, err) < 0 || element_check(el, "endpoint", err) < 0)
		return NULL;
	if (c->template_depth == TEMPLATES_DEEP) {
		xml_error(el, err, "endpoint templates within each other more "
		    "than %d deep", TEMPLATES_DEEP);
		return NULL;
	}
	c->template_depth++;
	made = load_xml(c, u.t->at.file, instance(c, &u));
	if (made)
		ep = endpoint_compile(c, made);
	c->template_depth--;
	return ep;
}
