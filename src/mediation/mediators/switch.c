/* SPDX-License-Identifier: Apache-2.0 */
/* <switch source><case regex/>*<default/>?</switch>: the first case that
 * matches the whole value. */
#include "mediation/mediator.h"
#include "msg/regex.h"

struct choice {
	struct regex *regex;
	const struct med_list *list;
};

struct switch_node {
	struct expr *source;
	const struct choice *choice;
	size_t count;
	const struct med_list *otherwise;
};

static int
read_case(struct med_compile *c, const struct xml_el *el, struct choice *to,
    struct err *err)
{
	struct str regex = xml_attr(el, "regex");
	struct err inner = { 0 };
	struct med_list *list;

	if (!regex.p)
		return xml_error(el, err, "The 'regex' attribute is required "
		    "for a switch case definition");
	to->regex = regex_compile(med_arena(c), regex, &inner);
	if (!to->regex)
		return xml_error(el, err, "Invalid Regular Expression for "
		    "attribute 'regex' : %.*s (%s)", STR_FMT(regex),
		    inner.text);
	if (med_children(c, el, NULL, &list, err) < 0)
		return -1;
	to->list = list;
	return 0;
}

static int
read_cases(struct med_compile *c, const struct xml_el *el,
    struct switch_node *s, struct err *err)
{
	struct choice *all;
	size_t n = 0;

	for (const struct xml_el *k = xml_child(el, "case"); k; k = xml_next(k))
		n++;
	all = arena_zalloc(med_arena(c), n * sizeof(*all));
	s->choice = all;
	for (const struct xml_el *k = xml_child(el, "case"); k; k = xml_next(k))
		if (read_case(c, k, &all[s->count++], err) < 0)
			return -1;
	return 0;
}

static int
switch_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct switch_node *s = arena_zalloc(med_arena(c), sizeof(*s));
	const struct xml_el *otherwise;
	struct med_list *list;

	*node = s;
	if (!xml_attr(el, "source").n)
		return xml_error(el, err, "A 'source' XPath attribute is "
		    "required for a switch mediator");
	if (med_expr(c, el, "source", &s->source, err) < 0 ||
	    read_cases(c, el, s, err) < 0)
		return -1;
	otherwise = xml_child(el, "default");
	if (!otherwise)
		return 0;
	if (med_children(c, otherwise, NULL, &list, err) < 0)
		return -1;
	s->otherwise = list;
	return 0;
}

static int
choose(const struct switch_node *s, struct message *msg,
    const struct med_list **out, struct fault *fault)
{
	struct err err = { 0 };
	struct str text;

	*out = s->otherwise;
	if (med_expr_string(s->source, msg, &text, fault) < 0)
		return -1;
	for (size_t i = 0; text.p && i < s->count; i++) {
		int result = regex_matches(s->choice[i].regex, text, &err);

		if (result < 0)
			return med_fault_from(fault, &err);
		if (result > 0) {
			*out = s->choice[i].list;
			return 0;
		}
	}
	return 0;
}

static enum med_next
switch_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	const struct med_list *list;

	if (choose(node, msg, &list, fault) < 0)
		return MED_FAULT;
	if (!list)
		return MED_NEXT;
	med_enter(run, list);
	return MED_CHILDREN;
}

const struct mediator_type mediator_switch = {
	.element = "switch",
	.origin = "SwitchMediator",
	.compile = switch_compile,
	.exec = switch_exec,
};
