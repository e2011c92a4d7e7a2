/* SPDX-License-Identifier: Apache-2.0 */
/* <clone id continueParent sequential iterations><target/>*</clone>: a copy of
 * the message for each target. The copies run one after the other. */
#include "mediation/mediators/split_target.h"

struct clone {
	const struct split_target *target;
	size_t targets;
	struct med_value *iterations;	/* NULL: once for each target */
	struct split_names names;
	bool go_on, sequential;
};

struct cloning {
	const struct clone *node;
	size_t at, count;
};

/* ---- compile ----------------------------------------------------------- */

static int
read_targets(struct med_compile *c, const struct xml_el *el, struct clone *n,
    struct err *err)
{
	struct split_target *all;
	size_t count = 0;

	for (const struct xml_el *k = xml_child(el, "target"); k;
	    k = xml_next(k))
		count++;
	if (n->iterations && count > 1)
		return xml_error(el, err, "When iterations attribute is "
		    "defined only one target is allowed.");
	all = arena_zalloc(med_arena(c), count * sizeof(*all));
	n->target = all;
	for (const struct xml_el *k = xml_child(el, "target"); k;
	    k = xml_next(k))
		if (split_target_read(c, k, &all[n->targets++], err) < 0)
			return -1;
	return 0;
}

static int
clone_compile(struct med_compile *c, const struct xml_el *el, void **node,
    struct err *err)
{
	struct clone *n = arena_zalloc(med_arena(c), sizeof(*n));
	struct str text;
	uint64_t number;

	*node = n;
	split_names_make(c, xml_attr(el, "id"), &n->names);
	if (xml_attr_bool(el, "continueParent", false, &n->go_on, err) < 0 ||
	    xml_attr_bool(el, "sequential", false, &n->sequential, err) < 0 ||
	    med_value(c, el, "iterations", &n->iterations, err) < 0)
		return -1;
	if (n->iterations && med_value_is_constant(n->iterations, &text) &&
	    !str_to_u64(text, &number))
		return xml_error(el, err, "attribute \"iterations\" must be a "
		    "whole number or {expression}, not \"%.*s\"",
		    STR_FMT(text));
	return read_targets(c, el, n, err);
}

/* ---- exec -------------------------------------------------------------- */

static med_after_fn after_clone;

static enum med_next
next_clone(struct med_run *run, struct cloning *s, struct message *msg,
    struct fault *fault)
{
	const struct clone *n = s->node;
	const struct split_target *t;
	struct message *copy;

	if (s->at == s->count)
		return n->go_on ? MED_NEXT : MED_STOP;
	t = &n->target[n->iterations ? 0 : s->at];
	copy = message_copy(msg);
	split_mark(copy, &n->names, message_id(msg), s->at, s->count);
	s->at++;
	if (n->iterations)
		message_set_prop(copy, SCOPE_DEFAULT,
		    STR("CLONED_ITERATION_INDEX"),
		    VALUE_OF_INT((int64_t)s->at));
	return split_target_run(run, t, n->sequential ? MED_BRANCH_OPEN
	    : MED_BRANCH_SHIELDED, copy, after_clone, s, fault);
}

/* The message in hand is the parent's again. */
static enum med_next
after_clone(struct med_run *run, void *state, enum med_end how,
    struct message *copy UNUSED, struct fault *fault)
{
	struct cloning *s = state;

	if (how == MED_FAULTED && s->node->sequential)
		return MED_FAULT;
	return next_clone(run, s, med_run_message(run), fault);
}

static int
count_of(const struct clone *n, struct message *msg, size_t *out,
    struct fault *fault)
{
	struct str text;
	uint64_t number;

	*out = n->targets;
	if (!n->iterations || n->targets == 0)
		return 0;
	if (med_value_string(n->iterations, msg, &text, fault) < 0)
		return -1;
	if (!str_to_u64(text, &number))
		return fault_set(fault, FAULT_MEDIATOR, "the iterations of "
		    "<clone> must be a whole number, not \"%.*s\"",
		    STR_FMT(text));
	*out = (size_t)number;
	return 0;
}

static enum med_next
clone_exec(struct med_run *run, const void *node, struct message *msg,
    struct fault *fault)
{
	struct cloning *s = arena_zalloc(message_arena(msg), sizeof(*s));

	s->node = node;
	if (count_of(node, msg, &s->count, fault) < 0)
		return MED_FAULT;
	return next_clone(run, s, msg, fault);
}

const struct mediator_type mediator_clone = {
	.element = "clone",
	.origin = "CloneMediator",
	.body = MED_BODY_READ,
	.compile = clone_compile,
	.exec = clone_exec,
};
