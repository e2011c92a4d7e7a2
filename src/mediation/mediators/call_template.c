/* SPDX-License-Identifier: Apache-2.0 */
/* <call-template target onError><with-param name value/>*</call-template>. */
#include "mediation/mediator.h"

struct call_template {
	const struct template_ref *template;
	const struct sequence_ref *on_error;
	const struct med_arg *arg;
	size_t count;
};

static int
read_args(struct med_compile *c, const struct xml_el *el,
    struct call_template *n, struct err *err)
{
	struct med_arg *all;
	size_t count = 0;

	for (const struct xml_el *k = xml_child(el, "with-param"); k;
	    k = xml_next(k))
		count++;
	all = arena_zalloc(med_arena(c), count * sizeof(*all));
	n->arg = all;
	for (const struct xml_el *k = xml_child(el, "with-param"); k;
	    k = xml_next(k)) {
		struct med_arg *a = &all[n->count++];

		a->name = xml_attr(k, "name");
		if (!a->name.n)
			return xml_error(k, err, "The 'name' attribute is "
			    "required for a <with-param>");
		if (med_value(c, k, "value", &a->value, err) < 0)
			return -1;
		if (!a->value)
			return xml_error(k, err, "The 'value' attribute is "
			    "required for a <with-param>");
	}
	return 0;
}

static int
call_template_compile(struct med_compile *c, const struct xml_el *el,
    void **node, struct err *err)
{
	struct call_template *n = arena_zalloc(med_arena(c), sizeof(*n));
	struct str target = xml_attr(el, "target");
	struct str on_error = xml_attr(el, "onError");

	*node = n;
	if (!target.n)
		return xml_error(el, err, "EIP Pattern Name is not specified: "
		    "the attribute \"target\" of <call-template> is required");
	n->template = med_template(c, el, target);
	if (on_error.n)
		n->on_error = med_sequence_ref(c, el, on_error);
	return read_args(c, el, n, err);
}

static enum med_next
call_template_exec(struct med_run *run, const void *node,
    struct message *msg, struct fault *fault)
{
	const struct call_template *n = node;

	return med_call_template(run, n->template, n->on_error, n->arg,
	    n->count, msg, fault);
}

const struct mediator_type mediator_callTemplate = {
	.element = "call-template",
	.origin = "InvokeMediator",
	.compile = call_template_compile,
	.exec = call_template_exec,
};
