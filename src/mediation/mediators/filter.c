/* SPDX-License-Identifier: Apache-2.0 */
/* <filter xpath> or <filter source regex>, with <then>/<else> or plain
 * children. */
#include "mediation/mediator.h"
#include "msg/regex.h"

struct branch {
	const struct med_list *list;
	const struct sequence_ref *ref;
	const char *name;		/* "then" */
};

struct filter {
	struct expr *condition;		/* or: */
	struct expr *source;
	struct regex *regex;
	struct branch yes, no;
};

static int
read_regex(struct med_compile *c, const struct xml_el *el, struct filter *f,
    struct str regex, struct err *err)
{
	struct err inner = { 0 };

	f->regex = regex_compile(med_arena(c), regex, &inner);
	if (f->regex)
		return 0;
	return xml_error(el, err, "Invalid Regular Expression for attribute "
	    "'regex' : %.*s (%s)", STR_FMT(regex), inner.text);
}

static int
read_condition(struct med_compile *c, const struct xml_el *el,
    struct filter *f, struct err *err)
{
	struct str xpath = xml_attr(el, "xpath");
	struct str source = xml_attr(el, "source");
	struct str regex = xml_attr(el, "regex");

	if (xpath.p) {
		if (str_blank(xpath))
			return xml_error(el, err, "Invalid attribute value "
			    "specified for xpath");
		return med_expr(c, el, "xpath", &f->condition, err);
	}
	if (!source.p || !regex.p)
		return xml_error(el, err, "An xpath or (source, regex) "
		    "attributes are required for a filter");
	if (str_blank(source) || str_blank(regex))
		return xml_error(el, err, "Invalid attribute values for "
		    "source and regex specified");
	if (med_expr(c, el, "source", &f->source, err) < 0)
		return -1;
	return read_regex(c, el, f, regex, err);
}

static int
read_mediators(struct med_compile *c, const struct xml_el *el,
    struct branch *b, struct err *err)
{
	struct med_list *list;

	if (med_children(c, el, NULL, &list, err) < 0)
		return -1;
	b->list = list;
	return 0;
}

static int
read_branch(struct med_compile *c, const struct xml_el *el,
    struct branch *b, struct err *err)
{
	struct str name = xml_attr(el, "sequence");

	if (name.n) {
		if (xml_has_child_elements(el))
			return xml_error(el, err, "<%s> takes either the "
			    "attribute \"sequence\" or mediators", b->name);
		b->ref = med_sequence_ref(c, el, name);
		return 0;
	}
	return read_mediators(c, el, b, err);
}

static int
filter_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct filter *f = arena_zalloc(med_arena(c), sizeof(*f));
	const struct xml_el *then, *otherwise;

	*node = f;
	f->yes.name = "then";
	f->no.name = "else";
	if (read_condition(c, el, f, err) < 0)
		return -1;
	then = xml_child(el, "then");
	if (!then)
		return read_mediators(c, el, &f->yes, err);
	otherwise = xml_child(el, "else");
	if (read_branch(c, then, &f->yes, err) < 0)
		return -1;
	return otherwise ? read_branch(c, otherwise, &f->no, err) : 0;
}

static int
test(const struct filter *f, struct message *msg, bool *out,
    struct fault *fault)
{
	struct err err = { 0 };
	struct str text;
	int result;

	if (f->condition)
		return med_expr_truth(f->condition, msg, out, fault);
	*out = false;
	if (med_expr_string(f->source, msg, &text, fault) < 0)
		return -1;
	if (!text.p)
		return 0;
	result = regex_matches(f->regex, text, &err);
	*out = result > 0;
	return result < 0 ? med_fault_from(fault, &err) : 0;
}

static enum med_next
filter_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct filter *f = node;
	const struct branch *b;
	const struct sequence *s;
	bool yes;

	if (test(f, msg, &yes, fault) < 0)
		return MED_FAULT;
	b = yes ? &f->yes : &f->no;
	if (b->list) {
		med_enter(run, b->list);
		return MED_CHILDREN;
	}
	if (!b->ref)
		return MED_NEXT;
	s = sequence_resolve(b->ref);
	if (!s) {
		fault_set(fault, FAULT_MEDIATOR, "Couldn't find the referred "
		    "%s sequence with key : %.*s", b->name,
		    STR_FMT(sequence_ref_name(b->ref)));
		return MED_FAULT;
	}
	med_enter_sequence(run, s);
	return MED_CHILDREN;
}

const struct mediator_type mediator_filter = {
	.element = "filter",
	.origin = "FilterMediator",
	.compile = filter_compile,
	.exec = filter_exec,
};
