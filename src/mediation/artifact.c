/* SPDX-License-Identifier: Apache-2.0 */
/* One artifact at a time: what it is, whether its name is free. */
#include "mediation/compile.h"

typedef void artifact_fn(struct med_compile *, const struct xml_el *);

static void
duplicate(struct med_compile *c, const struct xml_el *el, const char *text,
    struct str name, const char *stop, struct src_pos first)
{
	struct err err;

	xml_error(el, &err, "%s : %.*s%s (the first is at %s:%d)", text,
	    STR_FMT(name), stop, first.file, first.line);
	med_report(c, &err);
}

/* Starts to count what is wrong with the artifact in hand. */
static void
begin(struct med_compile *c)
{
	c->body = MED_BODY_NONE;
	c->reach = NULL;
	c->wrong = c->unsupported = 0;
}

/* May it be used? In lenient mode, says that one with unsupported parts is
 * switched off. */
static bool
accepted(struct med_compile *c, const struct xml_el *el, struct str name)
{
	if (c->wrong == 0 && c->unsupported > 0 && c->config->lenient)
		diag_warn(c->diag, xml_pos(el), "%.*s %.*s is switched off",
		    STR_FMT(xml_name(el)), STR_FMT(name));
	return c->wrong == 0 && c->unsupported == 0;
}

void
artifact_sequence(struct med_compile *c, const struct xml_el *el,
    struct str name)
{
	struct sequence *s, *old = hmap_get(&c->set->sequences, name);

	begin(c);
	s = med_sequence(c, el, name);
	s->body = c->body;
	s->reach = c->reach;
	if (old)
		duplicate(c, el, "Sequence named", name, " already exists.",
		    old->at);
	else if (accepted(c, el, name))
		hmap_set(&c->set->sequences, name, s);
}

static void
top_sequence(struct med_compile *c, const struct xml_el *el)
{
	struct str name = xml_attr(el, "name");
	struct err err = { 0 };

	if (xml_attr(el, "key").p)
		xml_error(el, &err, "Referred sequences are not allowed at "
		    "the top level");
	else if (!name.n)
		xml_error(el, &err, "A sequence at the top level needs a "
		    "name: the attribute \"name\" is required");
	if (err.kind != ERR_NONE) {
		xml_mark_done(el);
		med_report(c, &err);
		return;
	}
	artifact_sequence(c, el, name);
}

static void
top_endpoint(struct med_compile *c, const struct xml_el *el)
{
	struct str name = xml_attr(el, "name");
	struct endpoint *ep, *old;

	begin(c);
	if (!name.n) {
		struct err err;

		xml_error(el, &err, "An endpoint at the top level needs a "
		    "name: the attribute \"name\" is required");
		med_report(c, &err);
		return;
	}
	ep = endpoint_compile(c, el);
	old = hmap_get(&c->set->endpoints, name);
	if (old)
		duplicate(c, el, "Duplicate endpoint definition by the name",
		    name, "", old->at);
	else if (accepted(c, el, name))
		hmap_set(&c->set->endpoints, name, ep);
}

static void
top_inbound(struct med_compile *c, const struct xml_el *el)
{
	struct str name = xml_attr(el, "name");

	begin(c);
	inbound_compile(c, el);
	(void)accepted(c, el, name);
}

static void
ignored(struct med_compile *c, const struct xml_el *el)
{
	xml_mark_opaque(el);
	diag_warn(c->diag, xml_pos(el), "<%.*s> is ignored: it makes no "
	    "difference here", STR_FMT(xml_name(el)));
}

static void
nothing(struct med_compile *c UNUSED, const struct xml_el *el)
{
	xml_mark_opaque(el);
}

static void
refused(struct med_compile *c, const struct xml_el *el)
{
	struct str name = xml_attr(el, "name");
	struct err err;

	begin(c);
	xml_mark_opaque(el);
	xml_error(el, &err, "not supported: <%.*s> (wsgw runs inbound "
	    "endpoints of protocol ws, sequences, endpoints, templates and "
	    "local entries)", STR_FMT(xml_name(el)));
	err.kind = ERR_UNSUPPORTED;
	med_report(c, &err);
	(void)accepted(c, el, name.p ? name : STR(""));
}

static const struct {
	const char *element;
	artifact_fn *compile;
	enum load_pass pass;
} kinds[] = {
#define ARTIFACT(element, fn, pass, reason) { element, fn, pass },
#include "mediation/artifacts.def"
#undef ARTIFACT
};

static bool
compile_kind(struct med_compile *c, const struct xml_el *el,
    enum load_pass pass)
{
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		if (!str_is(xml_name(el), kinds[i].element))
			continue;
		known = true;
		if (kinds[i].pass == pass)
			kinds[i].compile(c, el);
	}
	return known;
}

static void
misplaced(struct med_compile *c, const struct xml_el *el)
{
	struct err err;
	struct str ns = xml_namespace(el);

	xml_error(el, &err, "Invalid configuration element at the top level : "
	    "<%.*s>%s%.*s%s", STR_FMT(xml_name(el)),
	    xml_in_synapse(el) ? "" : " (its namespace is \"", xml_in_synapse(el)
	    ? 0 : (int)ns.n, ns.p, xml_in_synapse(el) ? "" :
	    "\", it should be \"" SYNAPSE_NS "\")");
	med_report(c, &err);
}

/* Very old style: mediators directly inside make up the main sequence. */
static bool
has_mediators(const struct xml_el *el)
{
	for (const struct xml_el *k = xml_any_child(el); k;
	    k = xml_any_next(k))
		if (xml_in_synapse(k) && !str_is(xml_name(k), "sequence") &&
		    registry_mediator(xml_name(k)))
			return true;
	return false;
}

static void
definitions(struct med_compile *c, const struct xml_el *el,
    enum load_pass pass)
{
	bool old_style = has_mediators(el);

	for (const struct xml_el *k = xml_any_child(el); k;
	    k = xml_any_next(k)) {
		if (xml_in_synapse(k) && compile_kind(c, k, pass))
			continue;
		if (pass == PASS_REST && !(old_style && xml_in_synapse(k) &&
		    registry_mediator(xml_name(k))))
			misplaced(c, k);
	}
	if (old_style && pass == PASS_REST)
		diag_error(c->diag, xml_pos(el), "not supported: mediators "
		    "directly inside <definitions>; put them into <sequence "
		    "name=\"main\">");
}

void
artifact_compile(struct med_compile *c, const struct xml_el *el,
    enum load_pass pass)
{
	if (xml_in_synapse(el) && str_is(xml_name(el), "definitions"))
		definitions(c, el, pass);
	else if (!xml_in_synapse(el) || !compile_kind(c, el, pass)) {
		if (pass == PASS_REST)
			misplaced(c, el);
	}
}
