/* SPDX-License-Identifier: Apache-2.0 */
/* <template name><parameter/>*<sequence/></template>. */
#include "mediation/compile.h"

int
template_params(struct med_compile *c, const struct xml_el *el,
    const struct med_param **out, size_t *count, struct err *err)
{
	struct med_param *p;
	size_t n = 0;

	for (const struct xml_el *k = xml_child(el, "parameter"); k;
	    k = xml_next(k))
		n++;
	p = arena_zalloc(c->set->arena, n * sizeof(*p));
	*out = p;
	*count = n;
	for (const struct xml_el *k = xml_child(el, "parameter"); k;
	    k = xml_next(k), p++) {
		p->name = xml_attr(k, "name");
		p->dflt = xml_attr(k, "defaultValue");
		if (!p->name.n)
			return xml_error(k, err, "<parameter> needs the "
			    "attribute \"name\"");
		if (xml_attr_bool(k, "isMandatory", false, &p->mandatory,
		    err) < 0)
			return -1;
	}
	return 0;
}

static int
read_template(struct med_compile *c, const struct xml_el *el,
    struct med_template *t, struct err *err)
{
	const struct xml_el *body = xml_child(el, "sequence");
	struct str on_error = xml_attr(el, "onError");

	if (!t->name.n)
		return xml_error(el, err, "<template> needs the attribute "
		    "\"name\"");
	if (template_params(c, el, &t->param, &t->param_count, err) < 0)
		return -1;
	if (!body)
		return xml_error(el, err, "<template> needs a <sequence> or "
		    "an <endpoint>");
	t->sequence = med_sequence(c, body, t->name);
	if (on_error.n && !t->sequence->on_error)
		t->sequence->on_error = med_sequence_ref_at(c, on_error,
		    t->at);
	return element_check(el, "template", err);
}

void
template_compile(struct med_compile *c, const struct xml_el *el)
{
	struct med_template *t = arena_zalloc(c->set->arena, sizeof(*t));
	struct med_template *old;
	struct err err = { 0 };

	if (endpoint_template_is(el))
		return;
	c->body = MED_BODY_NONE;
	c->reach = NULL;
	c->wrong = c->unsupported = 0;
	t->name = xml_attr(el, "name");
	t->at = xml_pos(el);
	old = t->name.n ? hmap_get(&c->set->templates, t->name) : NULL;
	if (read_template(c, el, t, &err) == 0 && old)
		xml_error(el, &err, "Template named : %.*s already exists "
		    "(the first is at %s:%d)", STR_FMT(t->name),
		    old->at.file, old->at.line);
	xml_mark_done(el);
	med_report_left(c, &err);
	if (c->wrong || c->unsupported)
		return;
	t->sequence->body = c->body;
	t->sequence->reach = c->reach;
	hmap_set(&c->set->templates, t->name, t);
}
