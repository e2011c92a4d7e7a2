/* SPDX-License-Identifier: Apache-2.0 */
/* <in>, <out>: children for requests or responses only. <rules>: for all. */
#include "mediation/mediator.h"

static int
list_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct med_list *list;

	if (med_children(c, el, NULL, &list, err) < 0)
		return -1;
	*node = list;
	return 0;
}

static enum med_next
rules_exec(struct med_run *run, const void *node,
    struct message *msg UNUSED, struct fault *fault UNUSED)
{
	med_enter(run, node);
	return MED_CHILDREN;
}

static enum med_next
in_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	return message_is_response(msg) ? MED_NEXT
	    : rules_exec(run, node, msg, fault);
}

static enum med_next
out_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	return message_is_response(msg) ? rules_exec(run, node, msg, fault)
	    : MED_NEXT;
}

const struct mediator_type mediator_in = {
	.element = "in",
	.origin = "InMediator",
	.compile = list_compile,
	.exec = in_exec,
};

const struct mediator_type mediator_out = {
	.element = "out",
	.origin = "OutMediator",
	.compile = list_compile,
	.exec = out_exec,
};

const struct mediator_type mediator_rules = {
	.element = "rules",
	.origin = "SequenceMediator",
	.compile = list_compile,
	.exec = rules_exec,
};
